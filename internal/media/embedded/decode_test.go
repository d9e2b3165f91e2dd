package embedded

import (
	"testing"

	"pgregory.net/rapid"

	"github.com/usher-media/usher/internal/media"
	"github.com/usher-media/usher/internal/media/wire"
	"github.com/usher-media/usher/internal/mediaserver/rules"
)

// FuzzDecode gives the decoders anything: they refuse it, or give what has everything that decisions are made of.
func FuzzDecode(f *testing.F) {
	for _, seed := range []string{
		`{"items":[{"id":"a","username":"mia","email":null,"displayName":"Mia","role":"member","disabled":false,` +
			`"mustChangePassword":false,"access":{"all":false,"libraries":[{"libraryId":"l","role":"viewer"}]}}],"nextCursor":null}`,
		`{"items":[{"id":"l","name":"Movies","type":"movies","paths":["/m"],"emoji":null,"sharingEnabled":false,"itemCount":1}],"nextCursor":"c"}`,
		`{"id":"s","version":"1","setupRequired":true,"registration":"open"}`, `{"token":"t","expiresAt":"2030-01-02T03:04:05Z","user":null}`,
		`{"items":[null],"nextCursor":null}`, `[]`, `null`, `{"error":"x","details":[{"path":"password.x"}]}`, ``,
	} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, body []byte) {
		var users page[user]
		if wire.Decode(body, &users) == nil {
			for _, u := range users.Items {
				checkAccount(t, u.account())
			}
		}
		var libraries page[library]
		if wire.Decode(body, &libraries) == nil {
			for _, l := range libraries.Items {
				if got := l.library(); got.ID == "" || got.Name == "" || typeWords[got.MediaType] == "" {
					t.Errorf("decoded %v", got)
				}
			}
		}
		var about server
		if wire.Decode(body, &about) == nil && about.ID == "" {
			t.Error("a server without an id")
		}
		var in signedIn
		if wire.Decode(body, &in) == nil {
			checkAccount(t, in.User.account())
		}
		classify(wire.Refusal{Status: 404, Body: body})
		classify(wire.Refusal{Status: 422, Body: body})
	})
}

func checkAccount(t *testing.T, a media.Account) {
	t.Helper()
	if a.ID == "" || a.Username == "" || a.Role == "" || a.Access.Libraries == nil {
		t.Errorf("decoded %v", a)
	}
	for id, role := range a.Access.Libraries {
		if id == "" || libraryRoleWords[role] == "" {
			t.Errorf("decoded %v", a)
		}
	}
}

// The driver folds names as the server does, all that the server takes for names.
func TestFoldingIsTheServers(t *testing.T) {
	traits := new(Driver).Traits()
	names := rapid.StringN(1, rules.MaxUsername, -1).Filter(func(s string) bool { return rules.CheckUsername(s) == "" })
	rapid.Check(t, func(t *rapid.T) {
		s := names.Draw(t, "s")
		if traits.FoldUsername(s) != rules.Fold(s) || traits.FoldEmail(s) != rules.Fold(s) {
			t.Fatalf("%q: %q and %q", s, traits.FoldUsername(s), rules.Fold(s))
		}
	})
}

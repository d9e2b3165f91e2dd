package embedded

import (
	"testing"

	"pgregory.net/rapid"

	"github.com/usher-media/usher/internal/media"
	"github.com/usher-media/usher/internal/media/drivertest"
	"github.com/usher-media/usher/internal/media/wire"
	"github.com/usher-media/usher/internal/mediaserver/rules"
)

func FuzzDecode(f *testing.F) {
	drivertest.FuzzDecode(f, map[string]drivertest.Decoder{
		"users": func(body []byte) (drivertest.Decoded, error) {
			var users page[user]
			err := wire.Decode(body, &users)
			return decodedAccounts(users.Items...)(err)
		},
		"user": func(body []byte) (drivertest.Decoded, error) {
			var u user
			err := wire.Decode(body, &u)
			return decodedAccounts(u)(err)
		},
		"signed in": func(body []byte) (drivertest.Decoded, error) {
			var in signedIn
			err := wire.Decode(body, &in)
			return decodedAccounts(in.User)(err)
		},
		"libraries": func(body []byte) (d drivertest.Decoded, err error) {
			var libraries page[library]
			if err = wire.Decode(body, &libraries); err == nil {
				for _, l := range libraries.Items {
					d.Libraries = append(d.Libraries, l.library())
				}
			}
			return d, err
		},
		"server": func(body []byte) (d drivertest.Decoded, err error) {
			var about server
			if err = wire.Decode(body, &about); err == nil {
				d.Probes = []media.Probe{{Identity: about.ID}}
			}
			return d, err
		},
		"invites": func(body []byte) (d drivertest.Decoded, err error) {
			var invites page[invite]
			if err = wire.Decode(body, &invites); err == nil {
				for _, i := range invites.Items {
					i.invite()
				}
			}
			return d, err
		},
		"refusal": func(body []byte) (d drivertest.Decoded, err error) {
			for _, status := range []int{404, 409, 422, 500} {
				if _, words := classify(wire.Refusal{Status: status, Body: body}); words != "" {
					err = media.Errorf(media.Invalid, "%s", words)
				}
			}
			return d, err
		},
	}, answers...)
}

// answers of the server, as its OpenAPI document has them.
var answers = []string{
	`{"items":[{"id":"a","username":"mia","email":null,"displayName":"Mia","role":"member","disabled":false,` +
		`"mustChangePassword":false,"access":{"all":false,"libraries":[{"libraryId":"l","role":"viewer"}]}}],"nextCursor":null}`,
	`{"id":"a","username":"mia","role":"member","disabled":false,"access":{"all":true,"libraries":[]}}`,
	`{"items":[{"id":"l","name":"Movies","type":"movies","paths":["/m"],"emoji":null,"sharingEnabled":false,"itemCount":1}],"nextCursor":"c"}`,
	`{"id":"s","version":"1","setupRequired":true,"registration":"open"}`,
	`{"token":"t","expiresAt":"2030-01-02T03:04:05Z","user":{"id":"a","username":"mia","role":"member","disabled":false,"access":{"all":true,"libraries":[]}}}`,
	`{"items":[{"id":"i","codeSHA256":"00","role":"guest","libraries":[{"libraryId":"l","role":"viewer"}],"maxUses":3,"useCount":1,` +
		`"expiresAt":"2030-01-02T03:04:05Z","revoked":false,"email":null,"inviter":{"displayName":"Alice"}}],"nextCursor":null}`,
	`{"error":"x","details":[{"path":"password.x","message":"y"}]}`,
}

// decodedAccounts converts accounts if they were decoded without an error.
func decodedAccounts(users ...user) func(error) (drivertest.Decoded, error) {
	return func(err error) (d drivertest.Decoded, _ error) {
		if err == nil {
			for _, u := range users {
				d.Accounts = append(d.Accounts, u.account())
			}
		}
		return d, err
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

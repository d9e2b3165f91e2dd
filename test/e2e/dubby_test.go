package e2e

import (
	"bytes"
	"encoding/json"
	"net/http"
	"slices"
	"testing"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/usher-media/usher/api/v1alpha1"
	"github.com/usher-media/usher/internal/media/dubby/dubbytest"
	"github.com/usher-media/usher/internal/testenv"
)

// screens are what each person of the samples is to see, by the libraries' names on the server.
var screens = map[string][]string{
	"bob": {"Kids Movies", "Movies", "TV Shows"}, "mia": {"Kids Movies", "Movies", "TV Shows"}, "grace": {"Movies", "TV Shows"},
}

// dubbyCall makes a call as a person would, and decodes the answer.
func dubbyCall(t *testing.T, method, url, token string, body, into any) {
	t.Helper()
	sent, err := json.Marshal(body)
	if err != nil {
		t.Fatal(err)
	}
	request, err := http.NewRequestWithContext(t.Context(), method, url, bytes.NewReader(sent))
	if err != nil {
		t.Fatal(err)
	}
	request.Header.Set("Content-Type", "application/json")
	request.Header.Set("Authorization", "Bearer "+token)
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = response.Body.Close() }()
	if response.StatusCode != http.StatusOK {
		t.Fatalf("%s: status %d", url, response.StatusCode)
	}
	if err := json.NewDecoder(response.Body).Decode(into); err != nil {
		t.Fatal(err)
	}
}

// TestDubby applies config/samples/dubby against servers that answer in opposite ways, and looks through the people's eyes.
func TestDubby(t *testing.T) {
	for name, options := range map[string]dubbytest.Options{
		"plain": {},
		"opposite": {
			Lists: dubbytest.Boxed, PackedPaths: true, GrantStatus: 200, RevokeStatus: 200, StrictGrants: true, NestedUser: true,
			DashIDs: true, BetterAuth: true, InviteDays: true, RoleRoute: true, Bare: true,
		},
	} {
		t.Run(name, func(t *testing.T) { watchDubby(t, dubbytest.Start(t, options)) })
	}
}

func watchDubby(t *testing.T, server *dubbytest.Server) {
	h := apply(t, "dubby", func(object *unstructured.Unstructured) {
		switch object.GetKind() {
		case "MediaServer":
			_ = unstructured.SetNestedField(object.Object, server.URL, "spec", "url")
			_ = unstructured.SetNestedField(object.Object, string(v1alpha1.ModeEnforce), "spec", "mode") // the sample only observes
		case "Secret":
			_ = unstructured.SetNestedField(object.Object, dubbytest.OwnerPassword, "stringData", "password")
		}
	})
	h.ready()
	for person, want := range screens {
		email, password := h.credentials(person)
		var in struct{ Token string }
		dubbyCall(t, http.MethodPost, server.URL+"/api/auth/sign-in/email", "", map[string]string{"email": email, "password": password}, &in)
		var list struct{ Items, Data []struct{ Name string } }
		dubbyCall(t, http.MethodGet, server.URL+"/v1/libraries?limit=100", in.Token, struct{}{}, &list)
		var seen []string
		for _, library := range append(list.Items, list.Data...) {
			seen = append(seen, library.Name)
		}
		if slices.Sort(seen); !slices.Equal(seen, want) {
			t.Errorf("%s sees %q, want %q", person, seen, want)
		}
	}
	if open := server.OpenInvites(); len(open) > 0 {
		t.Errorf("%d invites are left behind", len(open))
	}
	if bob := server.User("bob@example.org"); bob.Role != "admin" {
		t.Errorf("bob is %s", bob.Role)
	}
	withdrawn(h, server)
}

// withdrawn takes a grant away, and lets somebody give access by hand: the server is as the manifests say.
func withdrawn(h *household, server *dubbytest.Server) {
	h.Helper()
	h.remove(&v1alpha1.LibraryGrant{}, "family")
	testenv.Eventually(h, "mia loses Kids Movies", func() bool { return len(server.Granted("mia@example.org")) == 2 })
	kids := slices.IndexFunc(server.Shelves(), func(l dubbytest.Library) bool { return l.Name == "Kids Movies" })
	server.SetAccess("grace@example.org", []string{server.Shelves()[kids].ID})
	h.look("dubby")
	testenv.Eventually(h, "what grace was given by hand is taken, and what she lost is back", func() bool {
		return slices.Equal(sorted(server.Granted("grace@example.org")), sorted(server.Granted("mia@example.org")))
	})
	if server.User(dubbytest.OwnerEmail).Role != "owner" {
		h.Error("the owner was changed")
	}
}

func sorted(ids []string) []string { return slices.Sorted(slices.Values(ids)) }

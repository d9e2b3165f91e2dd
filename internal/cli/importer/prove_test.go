package importer_test

import (
	"testing"
	"time"

	"github.com/usher-media/usher/api/v1alpha1"
	"github.com/usher-media/usher/internal/cli/importer"
	"github.com/usher-media/usher/internal/media"
)

// planned is a household with everything in it that Prove looks at.
func planned() (importer.Server, importer.Household) {
	s := house()
	addLibraries(&s, "Movies", "Kids", "Horror")
	add(&s, "mia", "Movies", "Kids")
	add(&s, "leo", "Movies", "Kids")
	add(&s, "ann", "Movies", "Horror").Access.Libraries["id of Movies"] = media.LibraryAdmin
	add(&s, "zoe").Access.All = true
	add(&s, "old", "Movies").Disabled = true
	add(&s, "deputy").Role = "Deputy"
	return s, importer.Plan(s, options())
}

// TestProveSeesEveryDifference: each change to the manifests that would change something on the server is an error.
func TestProveSeesEveryDifference(t *testing.T) {
	user := func(h *importer.Household, name string) *v1alpha1.User {
		for i := range h.Users {
			if h.Users[i].Name == name {
				return &h.Users[i]
			}
		}
		panic(name)
	}
	for name, change := range map[string]func(*importer.Household){
		"a grant is gone":     func(h *importer.Household) { h.Grants = h.Grants[1:] },
		"a grant is disabled": func(h *importer.Household) { h.Grants[0].Spec.Disabled = true },
		"a grant ends": func(h *importer.Household) {
			end := v1alpha1.NewTime(now.Add(time.Hour))
			h.Grants[0].Spec.NotAfter = &end
		},
		"a grant takes everybody":     func(h *importer.Household) { h.Grants[1].Spec.Users = v1alpha1.Targets{All: true} },
		"a grant gives more":          func(h *importer.Household) { h.Grants[0].Spec.Libraries = v1alpha1.Targets{All: true} },
		"a grant gives another role":  func(h *importer.Household) { h.Grants[0].Spec.Role = v1alpha1.LibraryRoleAdmin },
		"a label is gone":             func(h *importer.Household) { user(h, "mia").Labels = nil },
		"access to everything":        func(h *importer.Household) { user(h, "mia").Spec.Access = v1alpha1.UserAccessAll },
		"no access to everything":     func(h *importer.Household) { user(h, "zoe").Spec.Access = "" },
		"another role":                func(h *importer.Household) { user(h, "mia").Spec.Role = v1alpha1.AccountRoleAdmin },
		"a disabled account is not":   func(h *importer.Household) { user(h, "old").Spec.Disabled = false },
		"an account is disabled":      func(h *importer.Household) { user(h, "mia").Spec.Disabled = true },
		"an account ends":             func(h *importer.Household) { end := v1alpha1.NewTime(now); user(h, "mia").Spec.ExpiresAt = &end },
		"another name":                func(h *importer.Household) { user(h, "mia").Spec.DisplayName = "Mia" },
		"another address":             func(h *importer.Household) { user(h, "mia").Spec.Email = "mia@example.org" },
		"a password":                  func(h *importer.Household) { user(h, "mia").Spec.Password = &v1alpha1.Password{RequireChange: true} },
		"nobody's User":               func(h *importer.Household) { user(h, "mia").Spec.Username = "mai" },
		"a User is gone":              func(h *importer.Household) { h.Users = h.Users[1:] },
		"a User comes twice":          func(h *importer.Household) { h.Users = append(h.Users, h.Users[0]) },
		"who was left out is not":     func(h *importer.Household) { h.LeftOut = nil },
		"a Library is gone":           func(h *importer.Household) { h.Libraries = h.Libraries[1:] },
		"a Library is another":        func(h *importer.Household) { h.Libraries[0].Spec.ExternalID = "another" },
		"a Library comes twice":       func(h *importer.Household) { h.Libraries[0].Spec.ExternalID = h.Libraries[1].Spec.ExternalID },
		"a Library has another name":  func(h *importer.Household) { h.Libraries[0].Spec.DisplayName = "Films" },
		"a Library lies elsewhere":    func(h *importer.Household) { h.Libraries[0].Spec.Paths = []v1alpha1.LibraryPath{"/else"} },
		"a Library has a setting":     func(h *importer.Household) { h.Libraries[0].Spec.Embedded = &v1alpha1.EmbeddedLibrary{} },
		"a Library of another server": func(h *importer.Household) { h.Libraries[0].Spec.ServerRef.Name = "other" },
	} {
		t.Run(name, func(t *testing.T) {
			s, h := planned()
			if err := importer.Prove(s, h, now); err != nil {
				t.Fatalf("before: %v", err)
			}
			if change(&h); importer.Prove(s, h, now) == nil {
				t.Error("is not seen")
			}
		})
	}
}

// TestEmailsAreLeftOut, unless they are asked for or people sign in by them.
func TestEmailsAreLeftOut(t *testing.T) {
	for _, try := range []struct{ asked, key, want bool }{{false, false, false}, {true, false, true}, {false, true, true}} {
		s := house()
		s.Traits.KeyedByEmail = try.key
		s.Accounts[0].Email = "owner@example.org"
		o := options()
		o.Emails = try.asked
		h := importer.Plan(s, o)
		if err := importer.Prove(s, h, now); err != nil {
			t.Fatal(err)
		}
		if got := h.Users[0].Spec.Email != ""; got != try.want {
			t.Errorf("%+v: the address is written: %t", try, got)
		}
	}
}

package importer_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/usher-media/usher/api/v1alpha1"
	"github.com/usher-media/usher/internal/cli/importer"
	"github.com/usher-media/usher/internal/media"
	"github.com/usher-media/usher/internal/media/fold"
)

var now = time.Date(2026, 11, 29, 12, 0, 0, 0, time.UTC)

// house is a server that a test fills.
func house() importer.Server {
	return importer.Server{
		Traits: media.Traits{FoldUsername: fold.Unicode, FoldEmail: fold.Unicode},
		Probe: media.Probe{Self: "owner", SelfName: "owner", Capabilities: media.Capabilities{
			Disable: true, AccessAll: true, ZeroAccess: true, Email: true, DisplayName: true,
			Roles: map[media.Role]media.RoleInfo{
				media.RoleOwner: {SeesAll: true, Administers: true}, media.RoleAdmin: {SeesAll: true, Administers: true, Assignable: true},
				media.RoleMember: {Assignable: true}, "Curator": {SeesAll: true}, "Deputy": {Administers: true},
			},
			LibraryRoles: []media.LibraryRole{media.LibraryViewer, media.LibraryAdmin}, MediaTypes: []media.MediaType{"Movies", "Shows"},
		}},
		Accounts: []media.Account{{ID: "owner", Username: "owner", Role: media.RoleOwner}},
	}
}

func addLibraries(s *importer.Server, names ...string) {
	for _, name := range names {
		s.Libraries = append(s.Libraries, media.Library{ID: media.LibraryID("id of " + name), Name: name, MediaType: "Movies", Paths: []string{"/media/" + name}})
	}
}

func add(s *importer.Server, name string, libraries ...string) *media.Account {
	access := media.Access{Libraries: map[media.LibraryID]media.LibraryRole{}}
	for _, library := range libraries {
		access.Libraries[media.LibraryID("id of "+library)] = media.LibraryViewer
	}
	s.Accounts = append(s.Accounts, media.Account{ID: media.AccountID("id of " + name), Username: name, Role: media.RoleMember, Access: access})
	return &s.Accounts[len(s.Accounts)-1]
}

func options() importer.Options {
	return importer.Options{Name: "home", Namespace: "media", Type: v1alpha1.MediaServerEmbedded, URL: "http://media.test", CredentialsSecret: "home-admin"}
}

func plan(t *testing.T, s importer.Server) importer.Household {
	t.Helper()
	h := importer.Plan(s, options())
	if err := importer.Prove(s, h, now); err != nil {
		t.Fatal(err)
	}
	return h
}

// grant says in a line what a LibraryGrant gives.
func grant(g v1alpha1.LibraryGrant) string {
	var parts []string
	for _, ref := range g.Spec.Libraries.Refs {
		parts = append(parts, ref.Name)
	}
	parts = append(parts, "->")
	if g.Spec.Users.All {
		parts = append(parts, "all")
	}
	if s := g.Spec.Users.Selector; s != nil {
		for key, value := range s.MatchLabels {
			parts = append(parts, key+"="+string(value))
		}
		for _, e := range s.MatchExpressions {
			parts = append(parts, fmt.Sprint(e.Key, " ", e.Operator, e.Values))
		}
	}
	for _, ref := range g.Spec.Users.Refs {
		parts = append(parts, ref.Name)
	}
	return strings.TrimSpace(g.Name + ": " + strings.Join(parts, " ") + " " + string(g.Spec.Role))
}

func grants(h importer.Household) string {
	var lines []string
	for _, g := range h.Grants {
		lines = append(lines, grant(g))
	}
	return strings.Join(lines, "\n")
}

// TestGrantsAreFewAndReadable: what people would write by hand.
func TestGrantsAreFewAndReadable(t *testing.T) {
	for name, try := range map[string]struct {
		people map[string][]string
		want   string
	}{
		"all see the same": {
			map[string][]string{"mia": {"Movies", "TV"}, "leo": {"Movies", "TV"}, "ann": {"Movies", "TV"}},
			"everybody: movies tv -> all",
		},
		"nobody sees anything": {map[string][]string{"mia": nil, "leo": nil}, ""},
		"one person":           {map[string][]string{"mia": {"Movies"}}, "movies: movies -> mia"},
		"parents and children": {
			map[string][]string{"ann": {"Movies", "Kids", "Horror"}, "bob": {"Movies", "Kids", "Horror"}, "mia": {"Movies", "Kids"}, "leo": {"Movies", "Kids"}},
			"everybody: kids movies -> all\nhorror: horror -> group=everything",
		},
		"everybody but the children": {
			map[string][]string{
				"ann": {"Movies", "Horror", "Opera"}, "bob": {"Movies", "Horror", "Opera"}, "cid": {"Movies", "Horror", "Anime"}, "dee": {"Movies", "Horror", "Anime"},
				"eve": {"Movies", "Horror", "TV"}, "fay": {"Movies", "Horror", "TV"}, "mia": {"Movies", "Kids"}, "leo": {"Movies", "Kids"},
			},
			"everybody: movies -> all\neverybody-but-kids: horror -> group Exists[] group NotIn[kids]\nanime: anime -> group=anime-and-horror\n" +
				"kids: kids -> group=kids\nopera: opera -> group=opera-and-horror\ntv: tv -> group=tv-and-horror",
		},
	} {
		t.Run(name, func(t *testing.T) {
			s := house()
			addLibraries(&s, "Movies", "TV", "Kids", "Horror", "Opera", "Anime")
			for _, person := range []string{"ann", "bob", "cid", "dee", "eve", "fay", "mia", "leo"} {
				if libraries, there := try.people[person]; there {
					add(&s, person, libraries...)
				}
			}
			if got := grants(plan(t, s)); got != try.want {
				t.Errorf("got:\n%s\nwant:\n%s", got, try.want)
			}
		})
	}
}

// TestWhatCannotBeDeclared is left out with a reason, and all else is proven nevertheless.
func TestWhatCannotBeDeclared(t *testing.T) {
	s := house()
	addLibraries(&s, "Movies")
	s.Libraries = append(s.Libraries,
		media.Library{ID: "p", Name: "Mia's own", MediaType: "Movies", Personal: true}, media.Library{ID: "x", Name: " Odd", MediaType: "Movies"},
		media.Library{ID: "m", Name: "Vinyl", MediaType: "Shellac"}, media.Library{ID: "2", Name: "Movies", MediaType: "Movies", Paths: []string{"not absolute"}})
	add(&s, "mia", "Movies").Access.Libraries["p"] = media.LibraryViewer
	add(&s, "twin", "Movies")
	add(&s, "TWIN")
	add(&s, "trailing ")
	add(&s, strings.Repeat("x", 65))
	add(&s, "deputy").Role = "Deputy"
	add(&s, "stranger").Role = "Unheard of"
	add(&s, "odd", "Movies").Access.Libraries["x"] = media.LibraryViewer
	all := add(&s, "all")
	all.Access.All, all.Access.Libraries["x"] = true, media.LibraryAdmin
	h := plan(t, s)
	var left []string
	for _, l := range h.LeftOut {
		if l.Reason == "" {
			t.Errorf("%s is left out without a reason", l.Name)
		}
		left = append(left, l.Kind+" "+l.Name)
	}
	want := "[library  Odd library Mia's own library Vinyl account TWIN account all account deputy account stranger account trailing  account twin account " + strings.Repeat("x", 65) + "]"
	if fmt.Sprint(left) != want {
		t.Errorf("left out: %s\nwant:     %s", left, want)
	}
	if len(h.Users) != 3 || len(h.Libraries) != 2 {
		t.Errorf("%d Users, %d Libraries", len(h.Users), len(h.Libraries))
	}
}

// TestNames: each object has a name that Kubernetes takes, and none has another's.
func TestNames(t *testing.T) {
	s := house()
	addLibraries(&s, "Films d'été", "Films d’été!", "日本のアニメ", strings.Repeat("Long ", 20), "-", "Straße")
	for _, name := range []string{"Zoë", "zoe", "李小龍", "anna@example.org", "anna", "O'Neil", "..", "a  b"} {
		add(&s, name)
	}
	h := plan(t, s)
	var names []string
	for _, l := range h.Libraries {
		names = append(names, l.Name)
	}
	for _, u := range h.Users {
		names = append(names, u.Name)
	}
	seen := map[string]bool{}
	for _, name := range names {
		if seen[name] || name == "" || len(name) > 63 || strings.Trim(name, "abcdefghijklmnopqrstuvwxyz0123456789-") != "" || strings.Trim(name, "-") != name {
			t.Errorf("%q is no name, or is another's: %v", name, names)
		}
		seen[name] = true
	}
	if !seen["films-dete"] || !seen["films-dete-2"] || !seen["zoe"] || !seen["strasse"] || !seen["anna-2"] {
		t.Errorf("the names are %v", names)
	}
}

// TestAnyServer: whatever a server has, what is planned gives everybody exactly that.
func TestAnyServer(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		s := house()
		s.Probe.Capabilities.Disable = rapid.Bool().Draw(t, "can disable")
		name := rapid.SampledFrom([]string{"Movies", "movies", "Films d'été", "日本", "y", "007", " odd", "Kids Movies", "TV"})
		for i := range rapid.IntRange(0, 12).Draw(t, "libraries") {
			s.Libraries = append(s.Libraries, media.Library{
				ID: media.LibraryID(fmt.Sprint(i)), Name: name.Draw(t, "library"), Personal: rapid.IntRange(0, 9).Draw(t, "personal") == 0,
				MediaType: rapid.SampledFrom([]media.MediaType{"Movies", "Movies", "Movies", "Shellac"}).Draw(t, "type"), Paths: []string{fmt.Sprint("/media/", i)},
			})
		}
		profiles := rapid.SliceOfN(rapid.MapOf(rapid.IntRange(0, 12), rapid.SampledFrom([]media.LibraryRole{"Viewer", "Viewer", "Admin"})), 1, 6).Draw(t, "profiles")
		for i := range rapid.IntRange(0, 25).Draw(t, "people") {
			a := media.Account{
				ID: media.AccountID(fmt.Sprint(i)), Username: rapid.SampledFrom([]string{"Zoë", "no", "null", "1", "mia", "李", "a@b.org", "x"}).Draw(t, "name") + fmt.Sprint(i),
				Role:   rapid.SampledFrom([]media.Role{"Member", "Member", "Member", "Admin", "Curator", "Deputy", "?"}).Draw(t, "role"),
				Access: media.Access{All: rapid.IntRange(0, 6).Draw(t, "all") == 0, Libraries: map[media.LibraryID]media.LibraryRole{}}, Disabled: rapid.IntRange(0, 6).Draw(t, "disabled") == 0,
			}
			for id, role := range rapid.SampledFrom(profiles).Draw(t, "profile") { // the last id is of no library
				a.Access.Libraries[media.LibraryID(fmt.Sprint(id))] = role
			}
			s.Accounts = append(s.Accounts, a)
		}
		h := importer.Plan(s, options())
		if err := importer.Prove(s, h, now); err != nil {
			t.Fatalf("%v\n%s", err, grants(h))
		}
		if declared := len(h.Users) + len(h.LeftOut); declared < len(s.Accounts) {
			t.Fatalf("%d accounts, of which %d are declared or left out", len(s.Accounts), declared)
		}
	})
}

// TestManyPeopleWithRandomAccess: 500 people and 50 libraries without any pattern take no more than two grants a library; with five
// groups, no more than one a group and library together.
func TestManyPeopleWithRandomAccess(t *testing.T) {
	build := func(sees func(person, library int) bool) importer.Household {
		s := house()
		var names []string
		for i := range 50 {
			names = append(names, fmt.Sprintf("Library %02d", i))
		}
		addLibraries(&s, names...)
		for i := range 500 {
			var some []string
			for j, library := range names {
				if sees(i, j) {
					some = append(some, library)
				}
			}
			add(&s, fmt.Sprintf("person%03d", i), some...)
		}
		return plan(t, s)
	}
	seed := uint64(1)
	random := build(func(int, int) bool { // xorshift: the same at every run
		seed ^= seed << 13
		seed ^= seed >> 7
		seed ^= seed << 17
		return seed%2 == 0
	})
	if n := len(random.Grants); n > 100 {
		t.Errorf("without a pattern: %d grants", n)
	}
	groups := build(func(person, library int) bool { return (library*7+person%5*3)%11 < 5 })
	if n := len(groups.Grants); n > 5 {
		t.Errorf("five groups: %d grants:\n%s", n, grants(groups))
	}
}

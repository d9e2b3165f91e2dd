package shisho_test

import (
	"net/http"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/usher-media/usher/internal/media"
	"github.com/usher-media/usher/internal/media/shisho"
	"github.com/usher-media/usher/internal/media/shisho/shishotest"
)

// spoil lets an Editor who sees the placeholder make something else of it, as the server lets every Editor do.
func (w *world) spoil(change map[string]any) {
	w.Helper()
	want := newAccount("edith")
	want.Role = media.RoleEditor
	_, err := w.driver.CreateAccount(w.ctx(), want)
	w.must(err)
	edith, err := shishotest.Enter(w.ctx(), w.url, "edith", password)
	w.must(err)
	status, err := edith.Call(w.ctx(), http.MethodPost, "/libraries/"+strconv.Itoa(w.placeholder()), change, nil)
	if err != nil || status != http.StatusOK {
		w.Fatalf("status %d, %v", status, err)
	}
	w.must(w.fake.Scan())
}

func (w *world) placeholder() int {
	w.Helper()
	shelves, err := w.keeper.Shelves(w.ctx())
	w.must(err)
	for _, shelf := range shelves {
		if shelf.Name == shisho.PlaceholderName {
			return shelf.ID
		}
	}
	w.Fatal("there is no placeholder")
	return 0
}

// TestASpoiledPlaceholder: an Editor who sees it can make a library of it, which everybody who was granted it then sees.
func TestASpoiledPlaceholder(t *testing.T) {
	for name, change := range map[string]func(secret string) map[string]any{
		"other folder": func(secret string) map[string]any { return map[string]any{"library_paths": []string{secret}} },
		"one folder more": func(secret string) map[string]any {
			return map[string]any{"library_paths": []string{"/proc/sys/kernel/random", secret}}
		},
		"renamed": func(string) map[string]any { return map[string]any{"name": "Ours"} },
		"renamed and folder": func(secret string) map[string]any {
			return map[string]any{"name": "Ours", "library_paths": []string{secret}}
		},
	} {
		for _, restarted := range []bool{false, true} {
			t.Run(name+", restarted "+strconv.FormatBool(restarted), func(t *testing.T) {
				w := newWorld(t, "Alpha")
				w.person("mia")
				w.person("ben", w.ids[0])
				shut := w.person("dora")
				_, err := w.driver.SetDisabled(w.ctx(), shut.ID, true)
				w.must(err)
				guards := w.driver.Guards()
				w.spoil(change(w.shelf("Secret")))
				driver := w.driver
				if restarted {
					driver = w.open(nil)
					driver.KnowGuards(guards)
				}
				before := w.fake.Count("POST /users/{id}")
				for _, person := range []string{"mia", "ben"} {
					if account, _ := w.listed(driver, person); !account.Exposed {
						t.Errorf("%s is told as not exposed: %v", person, account)
					}
				}
				if amiss := driver.Amiss(); len(amiss) != 1 || !strings.Contains(amiss[0], "id 2") {
					t.Errorf("amiss: %q", amiss)
				}
				if n := w.fake.Count("POST /users/{id}"); n != before {
					t.Error("a look wrote to the server")
				}
				w.must(driver.Mend(w.ctx()))
				w.wantSees("mia")
				w.wantSees("ben", w.ids[0])
				w.wantSees("edith")
				w.byHand("/users/"+string(shut.ID), map[string]any{"is_active": true})
				w.wantSees("dora")
				for _, person := range []string{"mia", "ben", "edith"} {
					if account, _ := w.listed(driver, person); account.Exposed {
						t.Errorf("%s is still exposed", person)
					}
				}
				if amiss := driver.Amiss(); len(amiss) > 0 {
					t.Errorf("still amiss: %q", amiss)
				}
				// What nobody has any more and has a name of its own is a library like any other.
				listing, err := driver.List(w.ctx())
				w.must(err)
				ours := slices.ContainsFunc(listing.Libraries, func(l media.Library) bool { return l.Name == "Ours" })
				probe, err := driver.Probe(w.ctx())
				w.must(err)
				named := slices.ContainsFunc(probe.Warnings, func(s string) bool { return strings.Contains(s, "id 2") })
				if wantNamed := name != "renamed and folder"; named != wantNamed || ours == wantNamed {
					t.Errorf("warned of: %t, listed: %t", named, ours)
				}
			})
		}
	}
}

// TestASpoiledPlaceholderIsGrantedToNobody: its folders are looked at before every grant, also between two looks.
func TestASpoiledPlaceholderIsGrantedToNobody(t *testing.T) {
	w := newWorld(t, "Alpha")
	account := w.person("mia")
	w.spoil(map[string]any{"library_paths": []string{w.shelf("Secret")}})
	_, err := w.driver.SetAccess(w.ctx(), account, access(w.ids[0]))
	w.must(err)
	w.wantSees("mia", w.ids[0])
	w.person("ben")
	w.wantSees("ben")
}

// TestALostPlaceholderGrant is noticed of everybody whose access is limited: when the last library goes, every list opens.
func TestALostPlaceholderGrant(t *testing.T) {
	w := newWorld(t, "Alpha", "Beta")
	w.person("mia", w.ids[0])
	w.fake.Take("mia", shisho.PlaceholderName)
	account, _ := w.listed(w.driver, "mia")
	if !account.Exposed || !account.Access.Equal(access(w.ids[0])) {
		t.Errorf("told as %v", account)
	}
	server := media.NewServer(w.driver, time.Now, nil)
	key := media.AccountKey{ID: account.ID, Username: "mia"}
	for _, want := range []bool{true, false} {
		after, wrote, err := server.SetAccess(w.ctx(), key, func(media.Account) media.Access { return access(w.ids[0]) })
		w.must(err)
		if wrote != want || after.Exposed {
			t.Errorf("wrote: %t, after it exposed: %t", wrote, after.Exposed)
		}
	}
	_, err := w.keeper.Call(w.ctx(), http.MethodDelete, "/libraries/"+string(w.ids[0]), nil, nil)
	w.must(err)
	w.wantSees("mia")
}

// TestWithoutAPlaceholderNobodyIsWrittenToForEver: where the server has no directory for one, what is missing is no
// difference.
func TestWithoutAPlaceholderNobodyIsWrittenToForEver(t *testing.T) {
	shisho.WithoutDirectories(t)
	w := newWorld(t, "Alpha")
	w.person("mia", w.ids[0])
	if account, _ := w.listed(w.driver, "mia"); account.Exposed {
		t.Error("exposed, and nothing can be done about it")
	}
}

// TestAnEnabledAccountHasAPlaceholder, also one that has a library: it may be its last.
func TestAnEnabledAccountHasAPlaceholder(t *testing.T) {
	w := newWorld(t, "Alpha", "Beta")
	id := w.personByHand("mia", w.ids[0])
	w.byHand("/users/"+string(id), map[string]any{"is_active": false})
	account, err := w.driver.SetDisabled(w.ctx(), id, false)
	w.must(err)
	if account.Exposed || account.Disabled {
		t.Errorf("enabled as %v", account)
	}
	w.wantSees("mia", w.ids[0])
	_, err = w.keeper.Call(w.ctx(), http.MethodDelete, "/libraries/"+string(w.ids[0]), nil, nil)
	w.must(err)
	w.wantSees("mia")
}

// TestALibraryThatBecameAnother: an older database came back, and somebody made a library under an id that Usher knows.
func TestALibraryThatBecameAnother(t *testing.T) {
	w := newWorld(t, "Alpha")
	account := w.person("mia")
	restore := w.fake.Backup()
	made, err := w.driver.CreateLibrary(w.ctx(), media.NewLibrary{Name: "Beta", MediaType: "Books", Paths: []string{w.shelf("Beta")}})
	w.must(err)
	_, err = w.driver.List(w.ctx())
	w.must(err)
	restore()
	w.pass(time.Hour)
	secret := w.byHand("/libraries", map[string]any{"name": "Secret", "library_paths": []string{w.shelf("Secret")}, "cover_aspect_ratio": "book"})
	if secret != made.ID {
		t.Fatalf("the id %s was not given again: %s", made.ID, secret)
	}
	w.must(w.fake.Scan())
	for _, give := range []func() error{
		func() error { _, err := w.driver.SetAccess(w.ctx(), account, access(made.ID)); return err },
		func() error { _, err := w.driver.CreateAccount(w.ctx(), newAccount("ben", made.ID)); return err },
	} {
		err = give()
		w.wantCode(err, media.Unavailable)
		if !media.ConcernsConnection(err) {
			t.Errorf("%v does not have the server looked at", err)
		}
	}
	w.wantSees("mia")
	w.wantSees("ben")
	_, err = w.driver.List(w.ctx())
	w.must(err)
	_, err = w.driver.SetAccess(w.ctx(), account, access(secret)) // who asks now has seen what it is
	w.must(err)
}

// TestOwnPasswordChangedByHand: the session from before holds for weeks.
func TestOwnPasswordChangedByHand(t *testing.T) {
	w := newWorld(t, "Alpha")
	_, err := w.driver.Probe(w.ctx())
	w.must(err)
	logins := w.fake.Count("POST /auth/login")
	_, err = w.driver.Probe(w.ctx())
	w.must(err)
	if n := w.fake.Count("POST /auth/login"); n != logins {
		t.Error("signed in again right after signing in")
	}
	change := map[string]any{"current_password": shishotest.OwnerPassword, "new_password": "another password 2"}
	if status, err := w.keeper.Call(w.ctx(), http.MethodPost, "/users/1/reset-password", change, nil); err != nil || status != http.StatusNoContent {
		t.Fatalf("status %d, %v", status, err)
	}
	_, err = w.driver.List(w.ctx())
	w.must(err) // the session holds
	shisho.Later(w.driver)
	_, err = w.driver.Probe(w.ctx())
	w.wantCode(err, media.Unauthenticated)
}

// TestAWidenedRoleIsSeen: the built-in roles can be given permissions.
func TestAWidenedRoleIsSeen(t *testing.T) {
	w := newWorld(t, "Alpha")
	probe, err := w.driver.Probe(w.ctx())
	w.must(err)
	if len(probe.Warnings) > 0 {
		t.Errorf("warned of a new server: %q", probe.Warnings)
	}
	w.byHand("/roles/2", map[string]any{"permissions": []map[string]string{
		{"resource": "libraries", "operation": "read"}, {"resource": "libraries", "operation": "write"}, {"resource": "books", "operation": "read"},
	}})
	probe, err = w.driver.Probe(w.ctx())
	w.must(err)
	if len(probe.Warnings) != 1 || !strings.Contains(probe.Warnings[0], "viewer") || !strings.Contains(probe.Warnings[0], "libraries:write") {
		t.Errorf("warned of %q", probe.Warnings)
	}
}

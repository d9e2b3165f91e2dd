package shisho_test

import (
	"net/http"
	"strconv"
	"testing"
	"time"

	"github.com/usher-media/usher/internal/media"
	"github.com/usher-media/usher/internal/media/shisho"
	"github.com/usher-media/usher/internal/media/shisho/shishotest"
)

func number(t testing.TB, id string) int {
	t.Helper()
	n, err := strconv.Atoi(id)
	if err != nil {
		t.Fatal(err)
	}
	return n
}

// TestOpenAccount: an account without a grant is shown every list. It is told as neither without access nor with all,
// so that either is a change.
func TestOpenAccount(t *testing.T) {
	for _, want := range []media.Access{access(), {All: true}, access("1"), access("1", "2")} {
		w := newWorld(t, "Alpha", "Beta")
		w.personByHand("mia")
		w.wantSees("mia", w.ids...)
		account, _ := w.listed(w.driver, "mia")
		if account.Access.Equal(want) {
			t.Errorf("an open account is told as one with %v", want)
		}
		after, err := w.driver.SetAccess(w.ctx(), account, want)
		w.must(err)
		if !after.Access.Equal(want) {
			t.Errorf("got %v, want %v", after.Access, want)
		}
		if want.All {
			w.wantSees("mia", w.ids...)
		} else {
			w.wantSees("mia", want.IDs()...)
		}
	}
}

// TestLastLibraryDeletedByHand: the placeholder stays, so that nothing opens.
func TestLastLibraryDeletedByHand(t *testing.T) {
	w := newWorld(t, "Alpha", "Beta")
	w.person("mia", w.ids[0])
	status, err := w.keeper.Call(w.ctx(), http.MethodDelete, "/libraries/"+string(w.ids[0]), nil, nil)
	if err != nil || status != http.StatusNoContent {
		t.Fatalf("status %d, %v", status, err)
	}
	w.wantSees("mia")
}

// TestPlaceholderDeletedByHand: whoever had nothing else is open until the next look, which shows it.
func TestPlaceholderDeletedByHand(t *testing.T) {
	w := newWorld(t, "Alpha")
	w.person("mia")
	w.person("ben", w.ids[0])
	shelves, err := w.keeper.Shelves(w.ctx())
	w.must(err)
	for _, shelf := range shelves {
		if shelf.Name == shisho.PlaceholderName {
			_, err := w.keeper.Call(w.ctx(), http.MethodDelete, "/libraries/"+strconv.Itoa(shelf.ID), nil, nil)
			w.must(err)
		}
	}
	for name, want := range map[string]media.Access{"mia": access(), "ben": access(w.ids[0])} {
		account, _ := w.listed(w.driver, name)
		if open := !account.Access.Equal(want); open != (name == "mia") {
			t.Errorf("%s is told as %v", name, account.Access)
		}
		_, err := w.driver.SetAccess(w.ctx(), account, want)
		w.must(err)
		w.wantSees(name, want.IDs()...)
	}
}

// TestPlaceholderThatHoldsSomething: with another path it is a library like any other, and shows as access.
func TestPlaceholderThatHoldsSomething(t *testing.T) {
	w := newWorld(t, "Alpha")
	account := w.person("mia")
	shelves, err := w.keeper.Shelves(w.ctx())
	w.must(err)
	for _, shelf := range shelves {
		if shelf.Name == shisho.PlaceholderName {
			w.byHand("/libraries/"+strconv.Itoa(shelf.ID), map[string]any{"library_paths": []string{w.shelf("Secret")}})
		}
	}
	found, _ := w.listed(w.open(nil), "mia")
	if !found.Exposed || !found.Access.Equal(account.Access) {
		t.Errorf("whoever has a placeholder with books is told as %v", found)
	}
	_, err = w.driver.SetAccess(w.ctx(), found, access())
	w.must(err)
	w.must(w.fake.Scan())
	w.wantSees("mia")
}

// TestGrantsBreakOff: the server fails in the middle of writing grants. At none the account would be open.
func TestGrantsBreakOff(t *testing.T) {
	for broken := range 3 {
		w := newWorld(t, "Alpha", "Beta", "Gamma")
		account := w.person("mia", w.ids[0])
		w.fake.BreakGrants(broken)
		_, err := w.driver.SetAccess(w.ctx(), account, access(w.ids[1], w.ids[2]))
		w.wantCode(err, media.Ambiguous)
		for _, id := range w.sees("mia") {
			if id == w.ids[0] || broken < 2 {
				t.Errorf("broken after %d: mia sees %s", broken, id)
			}
		}
		w.fake.BreakGrants(broken)
		_, err = w.driver.CreateAccount(w.ctx(), newAccount("ben", w.ids[1], w.ids[2]))
		w.wantCode(err, media.AlreadyExists)
		for _, id := range w.sees("ben") {
			if id == w.ids[0] || broken < 2 {
				t.Errorf("broken after %d: ben sees %s", broken, id)
			}
		}
		for _, name := range []string{"mia", "ben"} {
			found, _ := w.listed(w.driver, name)
			_, err := w.driver.SetAccess(w.ctx(), found, access(w.ids[1]))
			w.must(err)
			w.wantSees(name, w.ids[1])
		}
	}
}

// TestShutByTheSwitch: where not even the placeholder can be granted, the account is switched off.
func TestShutByTheSwitch(t *testing.T) {
	w := newWorld(t, "Alpha", "Beta")
	account := w.person("mia", w.ids[0])
	writes := 0
	driver := w.open(func(next http.RoundTripper) http.RoundTripper {
		return tripper(func(request *http.Request) (*http.Response, error) {
			if request.Method == http.MethodPost && request.URL.Path == "/users/"+string(account.ID) {
				if writes++; writes <= 2 {
					w.fake.BreakGrants(0)
				}
			}
			return next.RoundTrip(request)
		})
	})
	_, err := driver.SetAccess(w.ctx(), account, access(w.ids[1]))
	w.wantCode(err, media.Ambiguous)
	w.wantSees("mia")
	if found, _ := w.listed(w.driver, "mia"); !found.Disabled {
		t.Error("the account is not switched off")
	}
}

// TestNowhereForThePlaceholder: without it, no account can be without a library, and says so.
func TestNowhereForThePlaceholder(t *testing.T) {
	shisho.WithoutDirectories(t)
	w := newWorld(t, "Alpha", "Beta")
	probe, err := w.driver.Probe(w.ctx())
	w.must(err)
	if probe.Capabilities.ZeroAccess {
		t.Error("zero access is claimed")
	}
	_, err = w.driver.CreateAccount(w.ctx(), newAccount("ben"))
	w.wantCode(err, media.Unsupported)
	account := w.person("mia", w.ids[0])
	w.wantSees("mia", w.ids[0])
	_, err = w.driver.SetAccess(w.ctx(), account, access())
	w.wantCode(err, media.Unsupported)
	w.wantSees("mia") // switched off, rather than left with what is taken away
	w.wantSees("ben")
}

// TestOPDSWindow: OPDS serves for a minute more what a person had, and deactivation does not change that.
func TestOPDSWindow(t *testing.T) {
	w := newWorld(t, "Alpha", "Beta")
	account := w.person("mia", w.ids[0])
	reader := &shishotest.Visitor{URL: w.fake.URL, Username: "mia", Password: password}
	feed := func() int {
		status, err := reader.Feed(w.ctx(), w.ids[0])
		w.must(err)
		return status
	}
	if status := feed(); status != http.StatusOK {
		t.Fatalf("status %d", status)
	}
	_, err := w.driver.SetAccess(w.ctx(), account, access(w.ids[1]))
	w.must(err)
	w.pass(59 * time.Second)
	if status := feed(); status != http.StatusOK {
		t.Errorf("status %d within the minute", status)
	}
	w.pass(time.Second)
	if status := feed(); status != http.StatusForbidden {
		t.Errorf("status %d after the minute", status)
	}
}

// TestDeviceKeysStay: what Usher cannot end, and says so in docs/servers/shisho.md.
func TestDeviceKeysStay(t *testing.T) {
	w := newWorld(t, "Alpha")
	account := w.person("mia", w.ids[0])
	visitor, err := shishotest.Enter(w.ctx(), w.fake.URL, "mia", password)
	w.must(err)
	var key struct{ Key string }
	_, err = visitor.Call(w.ctx(), http.MethodPost, "/user/api-keys", map[string]string{"name": "reader"}, &key)
	w.must(err)
	_, err = visitor.Call(w.ctx(), http.MethodPost, "/user/api-keys/1/permissions/kobo_sync", nil, nil)
	w.must(err)
	_, err = w.driver.SetDisabled(w.ctx(), account.ID, true)
	w.must(err)
	w.must(w.driver.SetPassword(w.ctx(), account.ID, media.NewPassword{Password: "another password 2"}))
	status, err := (&shishotest.Visitor{URL: w.fake.URL}).Call(w.ctx(), http.MethodGet, "/kobo/"+key.Key+"/all/v1/books/shisho-1/file/epub", nil, nil)
	w.must(err)
	if status != http.StatusOK {
		t.Errorf("status %d: the server ends device keys now, and the documentation is wrong", status)
	}
}

package drivertest

import (
	"strings"
	"testing"

	"github.com/usher-media/usher/internal/media"
	"github.com/usher-media/usher/internal/media/memory"
)

// liveFixture is a fixture on a memory store that has somebody else's account and library.
func liveFixture(t *testing.T) (*fixture, *memory.Store) {
	store := memory.NewStore(memory.Options{})
	store.AddAccount(media.Account{ID: "theirs", Username: "mia"}, "a password")
	store.AddLibrary(media.Library{ID: "theirs", Name: "Movies"})
	h := Harness{Live: true, Start: func(testing.TB) Server {
		return Server{Open: store.Open, Config: store.Config(), Path: func(name string) string { return "/" + name }}
	}}
	return h.fixture(t, h.Start), store
}

// A guest neither sees nor touches what others have, and its things have names and passwords of their own.
func TestAGuestTouchesOnlyItsOwn(t *testing.T) {
	f, store := liveFixture(t)
	accounts, libraries := f.listing()
	if len(accounts) != 1 || len(libraries) != 0 {
		t.Errorf("sees %v and %v", accounts, libraries)
	}
	made := f.account("mia", access(f.library("Movies").ID))
	if made.Username != "mia" || len(store.Accounts()) != 3 || len(store.Libraries()) != 2 {
		t.Errorf("made %v: %v", made, store.Accounts())
	}
	name := store.Accounts()[2].Username
	if !strings.HasPrefix(name, f.own.prefix) || store.CheckPassword(name, password) || !store.CheckPassword(name, f.own.secret(password)) {
		t.Errorf("%s has the password that everybody can read", name)
	}
	for what, touch := range map[string]func(){
		"account":  func() { _ = f.driver.SetPassword(f.ctx(), "theirs", media.NewPassword{Password: password}) },
		"access":   func() { _, _ = f.driver.SetAccess(f.ctx(), media.Account{ID: "theirs"}, access()) },
		"deletion": func() { _ = f.driver.(media.AccountDeleter).DeleteAccount(f.ctx(), "theirs") },
		"library":  func() { _ = f.driver.(media.LibraryDeleter).DeleteLibrary(f.ctx(), "theirs") },
		"own":      func() { _, _ = f.driver.(media.Disabler).SetDisabled(f.ctx(), f.probe.Self, true) },
	} {
		if !panics(touch) {
			t.Errorf("%s: touched what is somebody else's", what)
		}
	}
}

func panics(f func()) (did bool) {
	defer func() { did = recover() != nil }()
	f()
	return false
}

// What a case made is taken away, even what it does not know of since the answer was lost.
func TestAGuestLeavesNothing(t *testing.T) {
	var store *memory.Store
	t.Run("case", func(t *testing.T) {
		f, made := liveFixture(t)
		store = made
		library := f.library("Shows")
		stop := store.Lose(memory.Any, -1)
		_, err := f.driver.CreateAccount(f.ctx(), f.wanted("ben", access(library.ID)))
		stop()
		f.wantCode(err, media.Ambiguous)
	})
	if accounts, libraries := store.Accounts(), store.Libraries(); len(accounts) != 2 || len(libraries) != 1 {
		t.Errorf("left %v and %v", accounts, libraries)
	}
}

// Where accounts cannot be deleted, what is left cannot be used, and is told.
func TestAGuestDisablesWhatItCannotDelete(t *testing.T) {
	store := memory.NewStore(memory.Options{Capabilities: func(c *media.Capabilities) { c.DeleteAccount, c.DeleteLibrary = false, false }})
	var left []Result
	t.Run("case", func(t *testing.T) {
		h := Harness{Live: true, Report: func(r Result) { left = append(left, r) }, Start: func(testing.TB) Server {
			return Server{Open: store.Open, Config: store.Config(), Path: func(name string) string { return "/" + name }}
		}}
		f := h.fixture(t, h.Start)
		f.account("mia", access(f.library("Movies").ID))
	})
	accounts := store.Accounts()
	if last := accounts[len(accounts)-1]; !last.Disabled || len(last.Access.Libraries) > 0 {
		t.Errorf("left %+v", last)
	}
	if len(left) != 2 || left[0].Outcome != LeftBehind || !strings.HasPrefix(left[0].Why, "account us") {
		t.Errorf("told %+v", left)
	}
}

// Where accounts stay for good, the matrix is run on a live server only when it is asked for by name.
func TestTheMatrixSparesServersThatKeepAccounts(t *testing.T) {
	keeps, deletes := media.Capabilities{}, media.Capabilities{DeleteAccount: true}
	for _, c := range []struct {
		harness Harness
		can     media.Capabilities
		rule    string
		spared  bool
	}{
		{Harness{Live: true}, keeps, "matrix", true},
		{Harness{Live: true, Only: []string{"R6", "matrix"}}, keeps, "matrix", false},
		{Harness{Live: true}, deletes, "matrix", false},
		{Harness{Live: true}, keeps, "R6", false},
		{Harness{}, keeps, "matrix", false},
	} {
		if got := c.harness.notAsGuest(c.rule, c.can) != ""; got != c.spared {
			t.Errorf("%+v: spared %t, want %t", c, got, c.spared)
		}
	}
}

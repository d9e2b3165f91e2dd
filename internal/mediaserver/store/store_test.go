package store

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/uptrace/bun"

	"github.com/usher-media/usher/internal/mediaserver/auth"
	"github.com/usher-media/usher/internal/mediaserver/mediafile"
	"github.com/usher-media/usher/internal/mediaserver/rules"
)

var noon = time.Date(2026, 6, 1, 12, 0, 0, 0, time.UTC)

func openAt(t *testing.T, path string) *Store {
	t.Helper()
	s, err := Open(t.Context(), Config{Location: path, Clock: func() time.Time { return noon }})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.Close() })
	return s
}

// open makes a new database.
func open(t *testing.T) *Store {
	t.Helper()
	return openAt(t, newDatabase(t))
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func wantErr(t *testing.T, err, want error) {
	t.Helper()
	if !errors.Is(err, want) {
		t.Errorf("got error %v, want %v", err, want)
	}
}

func allow(*Account) error { return nil }

func anyRole(_, _ rules.LibraryRole) error { return nil }
func allowRole(rules.LibraryRole) error    { return nil }

func give(list []Permission) func(*Account) ([]Permission, error) {
	return func(*Account) ([]Permission, error) { return list, nil }
}

func addAccount(t *testing.T, s *Store, name string) *Account {
	t.Helper()
	account := &Account{ID: auth.NewID(), Username: name, DisplayName: name, Role: rules.Member, PasswordHash: "hash"}
	must(t, s.CreateAccount(t.Context(), account))
	return account
}

func addLibrary(t *testing.T, s *Store, name string, paths ...string) *Library {
	t.Helper()
	library := &Library{ID: auth.NewID(), Name: name, Type: "movies", Paths: paths}
	must(t, s.CreateLibrary(t.Context(), library))
	return library
}

func files(names ...string) mediafile.Listing {
	listing := mediafile.Listing{Complete: true}
	for _, name := range names {
		kind, _ := mediafile.TypeOf(name)
		listing.Files = append(listing.Files, mediafile.Found{Path: name, Type: kind, Size: 1, Modified: noon})
	}
	return listing
}

func finish(t *testing.T, s *Store, library *Library, listings map[string]mediafile.Listing) {
	t.Helper()
	_, err := s.BeginScan(t.Context(), library.ID, "here")
	must(t, err)
	_, err = s.FinishScan(t.Context(), library.ID, "here", ScanResult{Listings: listings})
	must(t, err)
}

func TestReopeningKeepsEverything(t *testing.T) {
	path := newDatabase(t)
	s := openAt(t, path)
	mia, library := addAccount(t, s, "mia"), addLibrary(t, s, "Films", "/films")
	_, err := s.BeginScan(t.Context(), library.ID, "here")
	must(t, err)
	before, _, err := s.Settings(t.Context())
	must(t, err)
	must(t, s.Close())

	// A shared database cannot tell a stopped server from one that scans on until the lease has passed.
	later := func() time.Time { return noon.Add(scanLease) }
	s, err = Open(t.Context(), Config{Location: path, Clock: later})
	must(t, err)
	t.Cleanup(func() { _ = s.Close() })
	after, setup, err := s.Settings(t.Context())
	if must(t, err); after.ID != before.ID || setup {
		t.Errorf("the server became another: %v, setup required %v", after, setup)
	}
	_, err = s.Account(t.Context(), mia.ID)
	must(t, err)
	got, err := s.Library(t.Context(), Viewer{All: true}, library.ID)
	if must(t, err); got.ScanState != ScanFailed || got.ScanMessage == "" {
		t.Errorf("an interrupted scan reads %s %q", got.ScanState, got.ScanMessage)
	}
}

// Dubby roles seed, lines 9 and 14.
func TestRacingFirstRegistrationsMakeOneOwner(t *testing.T) {
	s := open(t)
	var owners, refused atomic.Int32
	var wait sync.WaitGroup
	for i := range 20 {
		wait.Go(func() {
			account := &Account{ID: auth.NewID(), Username: fmt.Sprint("u", i), PasswordHash: "hash"}
			var denial *rules.Denial
			switch err := s.Register(context.WithoutCancel(t.Context()), account, ""); {
			case err == nil && account.Role == rules.Owner:
				owners.Add(1)
			case errors.As(err, &denial):
				refused.Add(1)
			default:
				t.Errorf("%v, role %s", err, account.Role)
			}
		})
	}
	wait.Wait()
	if owners.Load() != 1 || refused.Load() != 19 {
		t.Errorf("%d owners, %d refused", owners.Load(), refused.Load())
	}
	second := &Account{ID: auth.NewID(), Username: "usurper", Role: rules.Owner, PasswordHash: "hash"}
	if err := s.CreateAccount(t.Context(), second); err == nil {
		t.Error("the database takes a second owner")
	}
}

// Shisho seed, line 35.
func TestNamesAreUniqueAfterFolding(t *testing.T) {
	s := open(t)
	must(t, s.CreateAccount(t.Context(), &Account{ID: auth.NewID(), Username: "Straße", Email: "Mia@Example.org", Role: rules.Member}))
	for want, account := range map[error]*Account{
		ErrUsernameTaken: {ID: auth.NewID(), Username: "STRASSE", Role: rules.Member},
		ErrEmailTaken:    {ID: auth.NewID(), Username: "other", Email: "mia@example.ORG", Role: rules.Member},
	} {
		wantErr(t, s.CreateAccount(t.Context(), account), want)
	}
	// A username that is somebody's mail address could sign in as them.
	wantErr(t, s.CreateAccount(t.Context(), &Account{ID: auth.NewID(), Username: "mia@example.org", Role: rules.Member}), ErrUsernameTaken)
	for _, login := range []string{"straße", "STRASSE", "MIA@EXAMPLE.ORG"} {
		if got, err := s.AccountByLogin(t.Context(), login, false); err != nil || got.Username != "Straße" {
			t.Errorf("%s finds %v, %v", login, got, err)
		}
	}
	_, err := s.AccountByLogin(t.Context(), "strasse", true)
	wantErr(t, err, ErrAccountNotFound)
	_, err = s.AccountByLogin(t.Context(), "zero\x00byte", false)
	wantErr(t, err, ErrAccountNotFound)
}

// Shisho seed, lines 24 and 25: all libraries, or specific ones.
func TestSetAccessIsAllOrNothing(t *testing.T) {
	s := open(t)
	mia := addAccount(t, s, "mia")
	films, kids := addLibrary(t, s, "Films", "/f"), addLibrary(t, s, "Kids", "/k")
	set := func(all bool, ids ...string) error {
		var list []Permission
		for _, id := range ids {
			list = append(list, Permission{LibraryID: id, Role: rules.Viewer})
		}
		_, err := s.SetAccess(t.Context(), mia.ID, all, give(list))
		return err
	}
	must(t, set(false, films.ID))
	var unknown *UnknownLibrariesError
	if err := set(true, kids.ID, "x\x00y", auth.NewID()); !errors.As(err, &unknown) || !slices.Equal(unknown.Positions, []int{1, 2}) {
		t.Errorf("got %v", err)
	}
	got, err := s.Account(t.Context(), mia.ID)
	if must(t, err); got.AccessAll || len(got.Libraries) != 1 || got.Libraries[0].LibraryID != films.ID {
		t.Errorf("a refused set changed something: %+v", got)
	}
	must(t, set(false, kids.ID, films.ID))
	must(t, set(true))
	got, err = s.Account(t.Context(), mia.ID)
	if must(t, err); !got.AccessAll || len(got.Libraries) != 0 {
		t.Errorf("got %+v", got)
	}
	_, err = s.SetAccess(t.Context(), "nobody", true, give(nil))
	wantErr(t, err, ErrAccountNotFound)
}

// Writers that replace the set at the same time leave one of their sets, never a mixture.
func TestRacingAccessWritesDoNotMix(t *testing.T) {
	s := open(t)
	mia := addAccount(t, s, "mia")
	sets := make([][]Permission, 2)
	for i := range sets {
		for range 30 {
			sets[i] = append(sets[i], Permission{LibraryID: addLibrary(t, s, "L", "/l").ID, Role: rules.Viewer})
		}
	}
	var wait sync.WaitGroup
	for i := range 10 {
		wait.Go(func() {
			if _, err := s.SetAccess(context.WithoutCancel(t.Context()), mia.ID, false, give(slices.Clone(sets[i%2]))); err != nil {
				t.Error(err)
			}
		})
	}
	wait.Wait()
	got, err := s.Account(t.Context(), mia.ID)
	must(t, err)
	ids := map[string]bool{}
	for _, permission := range got.Libraries {
		ids[permission.LibraryID] = true
	}
	if len(ids) != 30 || (ids[sets[0][0].LibraryID] == ids[sets[1][0].LibraryID]) {
		t.Errorf("%d libraries, a mixture of both sets", len(ids))
	}
}

// counter counts the statements that pass.
type counter struct{ n atomic.Int32 }

func (c *counter) BeforeQuery(ctx context.Context, _ *bun.QueryEvent) context.Context { return ctx }
func (c *counter) AfterQuery(context.Context, *bun.QueryEvent)                        { c.n.Add(1) }

func TestAPageOfAccountsTakesThreeStatements(t *testing.T) {
	s := open(t)
	library := addLibrary(t, s, "Films", "/f")
	for i := range 30 {
		account := addAccount(t, s, fmt.Sprint("u", i))
		_, err := s.Grant(t.Context(), library.ID, account.ID, "", anyRole)
		must(t, err)
	}
	seen := new(counter)
	s.read = s.read.WithQueryHook(seen)
	for _, limit := range []int{1, 10, 100} {
		seen.n.Store(0)
		list, err := s.Accounts(t.Context(), Page{Limit: limit})
		if must(t, err); seen.n.Load() != 3 || len(list.Items) != min(limit, 30) || len(list.Items[0].Libraries) != 1 {
			t.Errorf("limit %d: %d statements, %d accounts", limit, seen.n.Load(), len(list.Items))
		}
	}
}

package store

import (
	"errors"
	"slices"
	"testing"
	"time"

	"github.com/usher-media/usher/internal/mediaserver/auth"
	"github.com/usher-media/usher/internal/mediaserver/mediafile"
	"github.com/usher-media/usher/internal/mediaserver/rules"
)

func session(account *Account, token string, life time.Duration) *Session {
	return &Session{TokenHash: token, ID: auth.NewID(), AccountID: account.ID, CreatedAt: At(noon), ExpiresAt: At(noon.Add(life))}
}

// Shisho seed, line 42.
func TestSessionsEnd(t *testing.T) {
	s := open(t)
	mia := addAccount(t, s, "mia")
	ids := map[string]string{}
	start := func(token string, life time.Duration) {
		began := session(mia, token, life)
		ids[token] = began.ID
		must(t, s.StartSession(t.Context(), began, "hash"))
	}
	alive := func(token string) bool {
		_, _, err := s.SessionAccount(t.Context(), token)
		if err != nil && !errors.Is(err, ErrNoSession) {
			t.Fatal(err)
		}
		return err == nil
	}
	start("expired", 0)
	start("one", time.Hour)
	start("two", time.Hour)
	if alive("expired") || !alive("one") || alive("unknown") {
		t.Error("expiry is not looked at")
	}
	wantErr(t, s.EndSession(t.Context(), addAccount(t, s, "dan"), ids["one"]), ErrSessionNotFound)
	must(t, s.EndSession(t.Context(), mia, ids["one"]))
	wantErr(t, s.EndSession(t.Context(), mia, ids["one"]), ErrSessionNotFound)
	if alive("one") || !alive("two") {
		t.Error("signing out ended the wrong session")
	}
	start("three", time.Hour)
	must(t, s.SetPassword(t.Context(), mia.ID, "hash", false, "three", allow))
	if alive("two") || !alive("three") {
		t.Error("a new password ends the others only")
	}
	_, err := s.UpdateAccount(t.Context(), mia.ID, func(a *Account) error { a.Disabled = true; return nil })
	if must(t, err); alive("three") {
		t.Error("disabling leaves a session")
	}
	// Neither disabling nor a new password may lose a race against a sign-in that has already checked the old one.
	wantErr(t, s.StartSession(t.Context(), session(mia, "four", time.Hour), "hash"), ErrCredentialsChanged)
	_, err = s.UpdateAccount(t.Context(), mia.ID, func(a *Account) error { a.Disabled = false; return nil })
	must(t, err)
	wantErr(t, s.StartSession(t.Context(), session(mia, "five", time.Hour), "old hash"), ErrCredentialsChanged)
	if alive("three") {
		t.Error("enabling brings a session back")
	}
}

func TestUpdateStopsWhenTheRuleObjects(t *testing.T) {
	s := open(t)
	mia, objection := addAccount(t, s, "mia"), errors.New("no")
	object := func(a *Account) error { a.Role = rules.Admin; return objection }
	_, err := s.UpdateAccount(t.Context(), mia.ID, object)
	wantErr(t, err, objection)
	wantErr(t, s.DeleteAccount(t.Context(), mia.ID, object), objection)
	wantErr(t, s.SetPassword(t.Context(), mia.ID, "x", true, "", object), objection)
	got, err := s.Account(t.Context(), mia.ID)
	if must(t, err); got.Role != rules.Member || got.PasswordHash != "hash" {
		t.Errorf("got %+v", got)
	}
	must(t, s.DeleteAccount(t.Context(), mia.ID, allow))
	wantErr(t, s.DeleteAccount(t.Context(), mia.ID, allow), ErrAccountNotFound)
}

// Dubby access seed, lines 8 and 17 to 19.
func TestGrantAndRevoke(t *testing.T) {
	s := open(t)
	mia, films := addAccount(t, s, "mia"), addLibrary(t, s, "Films", "/f")
	for _, step := range []struct{ ask, want rules.LibraryRole }{
		{"", rules.Viewer}, {rules.LibraryAdmin, rules.LibraryAdmin}, {"", rules.LibraryAdmin}, {rules.Viewer, rules.Viewer},
	} {
		holder, err := s.Grant(t.Context(), films.ID, mia.ID, step.ask, anyRole)
		if must(t, err); holder.Role != step.want || holder.Username != "mia" {
			t.Errorf("asked %q: %+v", step.ask, holder)
		}
	}
	_, err := s.Grant(t.Context(), films.ID, auth.NewID(), "", anyRole)
	wantErr(t, err, ErrAccountNotFound)
	_, err = s.Grant(t.Context(), auth.NewID(), mia.ID, "", anyRole)
	wantErr(t, err, ErrLibraryNotFound)
	must(t, s.Revoke(t.Context(), films.ID, mia.ID, allowRole))
	wantErr(t, s.Revoke(t.Context(), films.ID, mia.ID, allowRole), ErrPermissionNotFound)
	wantErr(t, s.Revoke(t.Context(), films.ID, "\x00", allowRole), ErrPermissionNotFound)
}

// Dubby access seed, line 11; Shisho seed, line 25.
func TestViewersSeeTheirsOnly(t *testing.T) {
	s := open(t)
	mia, films, kids := addAccount(t, s, "mia"), addLibrary(t, s, "Films", "/f"), addLibrary(t, s, "Kids", "/k")
	finish(t, s, films, map[string]mediafile.Listing{"/f": files("f.mp4")})
	finish(t, s, kids, map[string]mediafile.Listing{"/k": files("k.mp4")})
	_, err := s.Grant(t.Context(), kids.ID, mia.ID, "", anyRole)
	must(t, err)
	for viewer, want := range map[Viewer]int{mia.Viewer(): 1, {All: true}: 2, {}: 0, {AccountID: films.ID}: 0} {
		libraries, err := s.Libraries(t.Context(), viewer, Page{Limit: 10})
		must(t, err)
		libraries.Items = slices.DeleteFunc(libraries.Items, func(l *Library) bool { return l.Personal })
		items, err := s.Items(t.Context(), viewer, ItemFilter{}, Page{Limit: 10})
		if must(t, err); len(libraries.Items) != want || len(items.Items) != want {
			t.Errorf("%+v sees %d libraries and %d items", viewer, len(libraries.Items), len(items.Items))
		}
	}
	_, err = s.Library(t.Context(), mia.Viewer(), films.ID)
	wantErr(t, err, ErrLibraryNotFound)
	_, err = s.UpdateLibrary(t.Context(), mia.Viewer(), films.ID, func(*Library) error { t.Error("reached"); return nil })
	wantErr(t, err, ErrLibraryNotFound)
	wantErr(t, s.DeleteLibrary(t.Context(), mia.Viewer(), films.ID, func(*Library) error { return nil }), ErrLibraryNotFound)
}

func itemsOf(t *testing.T, s *Store) map[string]string {
	t.Helper()
	list, err := s.Items(t.Context(), Viewer{All: true}, ItemFilter{}, Page{Limit: 100})
	must(t, err)
	ids := map[string]string{}
	for _, item := range list.Items {
		ids[item.Root+"/"+item.Path] = item.ID
	}
	return ids
}

func TestScansKeepIdsAndNeverRemoveOnDoubt(t *testing.T) {
	s := open(t)
	library := addLibrary(t, s, "Films", "/f", "/g")
	finish(t, s, library, map[string]mediafile.Listing{"/f": files("a.mp4", "b.mp4"), "/g": files("a.mp4")})
	first := itemsOf(t, s)
	if len(first) != 3 {
		t.Fatalf("items %v", first)
	}
	incomplete := files("a.mp4", "c.mp4")
	incomplete.Complete = false
	incomplete.Files[0].Size = 99
	// /g could not be read at all, /f only in part.
	finish(t, s, library, map[string]mediafile.Listing{"/f": incomplete})
	second := itemsOf(t, s)
	if len(second) != 4 || second["/f/a.mp4"] != first["/f/a.mp4"] || second["/g/a.mp4"] != first["/g/a.mp4"] {
		t.Errorf("items %v, before %v", second, first)
	}
	wantErr(t, s.DeleteLibrary(t.Context(), Viewer{All: true}, library.ID, func(*Library) error { return nil }), ErrLibraryNotEmpty)
	// Directories that are not the library's add nothing, and those that it loses take their items along.
	finish(t, s, library, map[string]mediafile.Listing{"/f": files(), "/else": files("x.mp4")})
	if got := itemsOf(t, s); len(got) != 1 {
		t.Errorf("items %v", got)
	}
	got, err := s.UpdateLibrary(t.Context(), Viewer{All: true}, library.ID, func(l *Library) error { l.Paths = []string{"/f"}; return nil })
	must(t, err)
	if must(t, s.CountItems(t.Context(), got)); got.ItemCount != 0 || len(got.Paths) != 1 {
		t.Errorf("got %+v", got)
	}
	must(t, s.DeleteLibrary(t.Context(), Viewer{All: true}, library.ID, func(*Library) error { return nil }))
	_, err = s.FinishScan(t.Context(), library.ID, "here", ScanResult{})
	wantErr(t, err, ErrScanLost)
}

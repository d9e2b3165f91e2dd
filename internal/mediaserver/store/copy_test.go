package store

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"github.com/usher-media/usher/internal/mediaserver/auth"
	"github.com/usher-media/usher/internal/mediaserver/mediafile"
	"github.com/usher-media/usher/internal/mediaserver/rules"
	"github.com/usher-media/usher/internal/testpg"
)

func openConfigured(t *testing.T, location string) *Store {
	t.Helper()
	s, err := Open(t.Context(), Config{Location: location, Clock: func() time.Time { return noon }})
	must(t, err)
	t.Cleanup(func() { _ = s.Close() })
	return s
}

// household fills every table.
func household(t *testing.T, s *Store) {
	t.Helper()
	ctx := t.Context()
	owner := &Account{ID: auth.NewID(), Username: "olga", DisplayName: "Olga", PasswordHash: "hash"}
	must(t, s.Register(ctx, owner, ""))
	role := &Role{ID: auth.NewID(), Name: "Librarian", Pairs: []rules.Pair{{Resource: rules.Books, Operation: rules.Read}}}
	must(t, s.CreateRole(ctx, role))
	mia := &Account{ID: auth.NewID(), Username: "Zoë", Email: "zoe@example.org", Role: rules.Guest, Custom: role.Custom(), PasswordHash: "hash"}
	must(t, s.CreateAccount(ctx, mia))
	must(t, s.DeleteAccount(ctx, addAccount(t, s, "gone").ID, allow))
	films := addLibrary(t, s, "Films", "/f")
	finish(t, s, films, map[string]mediafile.Listing{"/f": files("a.mp4", "it's.mp4")})
	_, err := s.UpdateLibrary(ctx, Viewer{All: true}, films.ID, func(l *Library) error { l.SharingEnabled = true; return nil })
	must(t, err)
	items, err := s.Items(ctx, Viewer{All: true}, ItemFilter{}, Page{Limit: 1})
	must(t, err)
	link := &ShareLink{ID: auth.NewID(), TokenSHA256: "token", ItemID: items.Items[0].ID, CreatedBy: owner.ID}
	must(t, s.CreateShareLink(ctx, Viewer{All: true}, link, func(*Library) error { return nil }))
	invite := &Invite{ID: auth.NewID(), CodeSHA256: "code", Role: rules.Member, CreatedBy: owner.ID,
		Libraries: []InviteLibrary{{LibraryID: films.ID, Role: rules.Viewer}}}
	must(t, s.CreateLibraryInvite(ctx, invite, films.ID))
	_, err = s.Accept(ctx, "code", mia.ID, allow)
	must(t, err)
	must(t, s.StartSession(ctx, session(mia, "token", time.Hour), "hash"))
	must(t, s.NoteBasicSignIn(ctx, mia, "192.0.2.1"))
	_, err = s.Take(ctx, "client", 5)
	must(t, err)
	for _, statement := range []string{
		"INSERT INTO artwork (id, mime_type, data) VALUES ('x', 'image/png', ?)",
		"INSERT INTO watch_progress SELECT a.id, i.id, 1, 2, ?, 3 FROM accounts AS a, items AS i",
	} {
		value := any([]byte{0, 1, 255, '\''})
		if statement[12] == 'w' {
			value = true
		}
		_, err := s.write.ExecContext(ctx, statement, value)
		must(t, err)
	}
}

// dump returns every row of every table as text.
func dump(t *testing.T, s *Store) map[string][]string {
	t.Helper()
	all := map[string][]string{}
	for _, table := range copiedTables {
		rows, err := s.read.NewSelect().Table(table).Rows(t.Context())
		must(t, err)
		for rows.Next() {
			row, err := scanRow(rows)
			must(t, err)
			all[table] = append(all[table], fmt.Sprint(row))
		}
		must(t, rows.Err())
		must(t, rows.Close())
		slices.Sort(all[table])
		if len(all[table]) == 0 {
			t.Errorf("the test has no row of %s", table)
		}
	}
	return all
}

func compare(t *testing.T, want, got map[string][]string) {
	t.Helper()
	for _, table := range copiedTables {
		if !slices.Equal(want[table], got[table]) {
			t.Errorf("%s differs:\n%v\n%v", table, want[table], got[table])
		}
	}
}

// Moving from SQLite to PostgreSQL keeps every row of every table, and the new home goes on counting.
func TestMovingToPostgreSQL(t *testing.T) {
	if onPostgres() {
		t.Skip("one round is enough: this test uses both databases")
	}
	from, to := openConfigured(t, filepath.Join(t.TempDir(), "x.db")), openConfigured(t, testpg.Database(t))
	household(t, from)
	if n := tables(t, from); int(n) != len(copiedTables) {
		t.Errorf("%d tables, and %d are copied", n, len(copiedTables))
	}
	must(t, Copy(t.Context(), from, to))
	compare(t, dump(t, from), dump(t, to))
	addAccount(t, to, "newcomer")
	addLibrary(t, to, "More", "/m")
	wantErr(t, Copy(t.Context(), from, to), ErrNotEmpty)
}

func TestBackups(t *testing.T) {
	if onPostgres() {
		wantErr(t, Backup(t.Context(), testpg.Database(t), filepath.Join(t.TempDir(), "y.db")), ErrNotSQLite)
		return
	}
	dir := t.TempDir()
	path, copied := filepath.Join(dir, "a b?#%.db"), filepath.Join(dir, "it's a copy.db")
	s := openConfigured(t, path)
	household(t, s)
	// The server writes on meanwhile.
	ctx, stop := context.WithCancel(t.Context())
	stopped := make(chan struct{})
	go func() {
		defer close(stopped)
		for i := 0; ctx.Err() == nil; i++ {
			_, _ = s.Take(ctx, fmt.Sprint(i), 5)
		}
	}()
	must(t, Backup(t.Context(), path, copied))
	stop()
	<-stopped
	info, err := os.Stat(copied)
	if must(t, err); info.Mode().Perm() != 0o600 {
		t.Errorf("the copy has mode %v", info.Mode())
	}
	want, got := dump(t, s), dump(t, openConfigured(t, copied))
	want["rate_limits"], got["rate_limits"] = nil, nil
	compare(t, want, got)
	wantErr(t, Backup(t.Context(), path, copied), ErrFileExists)
	wantErr(t, Backup(t.Context(), filepath.Join(dir, "none.db"), filepath.Join(dir, "new.db")), os.ErrNotExist)
}

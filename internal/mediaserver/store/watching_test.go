package store

import (
	"context"
	"testing"
	"time"

	"github.com/usher-media/usher/internal/mediaserver/mediafile"
)

// What streams ask has an answer while others keep every connection for reading busy.
func TestWatchingDoesNotWaitForReaders(t *testing.T) {
	s := open(t)
	mia, library := addAccount(t, s, "mia"), addLibrary(t, s, "Films", "/films")
	must(t, s.StartSession(t.Context(), session(mia, "token", time.Hour), "hash"))
	finish(t, s, library, map[string]mediafile.Listing{"/films": files("heat.mkv")})
	all, err := s.Items(t.Context(), Viewer{All: true}, ItemFilter{}, Page{Limit: 10})
	must(t, err)
	for range s.read.Stats().MaxOpenConnections {
		busy, err := s.read.Conn(t.Context())
		must(t, err)
		t.Cleanup(func() { _ = busy.Close() })
	}
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	watching := s.Watching()
	_, changed, err := watching.ChangedSince(ctx, 0)
	if must(t, err); !changed {
		t.Error("nothing has ever changed")
	}
	_, account, err := watching.SessionAccount(ctx, "token")
	must(t, err)
	_, err = watching.Account(ctx, account.ID)
	must(t, err)
	_, err = watching.Item(ctx, Viewer{All: true}, all.Items[0].ID)
	must(t, err)
	_, _, err = watching.SharedItem(ctx, "none")
	wantErr(t, err, ErrShareNotFound)
}

// A scan is a change of what people see where it takes items away, and only there.
func TestAScanThatTakesItemsAwayIsAChange(t *testing.T) {
	s := open(t)
	library := addLibrary(t, s, "Films", "/films")
	seq := int64(0)
	for _, c := range []struct {
		name    string
		found   mediafile.Listing
		changes bool
	}{
		{"new", files("heat.mkv", "up.mkv"), false}, {"the same", files("heat.mkv", "up.mkv"), false}, {"fewer", files("up.mkv"), true},
		{"half a listing", mediafile.Listing{}, false}, {"fewer still", files(), true},
	} {
		last, _, err := s.ChangedSince(t.Context(), seq)
		must(t, err)
		finish(t, s, library, map[string]mediafile.Listing{"/films": c.found})
		var changed bool
		seq, changed, err = s.ChangedSince(t.Context(), last)
		if must(t, err); changed != c.changes {
			t.Errorf("%s: a change is %t", c.name, changed)
		}
	}
}

// Ending the other sessions where there are none is no change.
func TestEndingNoSessionIsNoChange(t *testing.T) {
	s := open(t)
	mia := addAccount(t, s, "mia")
	must(t, s.StartSession(t.Context(), session(mia, "one", time.Hour), "hash"))
	must(t, s.StartSession(t.Context(), session(mia, "two", time.Hour), "hash"))
	for _, want := range []bool{true, false} {
		last, _, err := s.ChangedSince(t.Context(), 0)
		must(t, err)
		must(t, s.EndOtherSessions(t.Context(), mia, "one"))
		if _, changed, err := s.ChangedSince(t.Context(), last); err != nil || changed != want {
			t.Errorf("a change is %t, %v, want %t", changed, err, want)
		}
	}
}

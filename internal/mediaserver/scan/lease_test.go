package scan_test

import (
	"context"
	"errors"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"github.com/usher-media/usher/internal/mediaserver/auth"
	"github.com/usher-media/usher/internal/mediaserver/store"
)

// Of two servers on one database, one scans a library; the other's wish is the first one's to fulfil, and whoever falls
// silent loses the scan and may not finish it.
func TestScansAreLeased(t *testing.T) {
	var mu sync.Mutex
	now := time.Date(2026, 6, 1, 12, 0, 0, 0, time.UTC)
	clock := func() time.Time { mu.Lock(); defer mu.Unlock(); return now }
	database, err := store.Open(t.Context(), store.Config{Location: filepath.Join(t.TempDir(), "x.db"), Clock: clock})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = database.Close() })
	library := &store.Library{ID: auth.NewID(), Name: "Films", Type: "movies", Paths: []string{"/f"}}
	if err := database.CreateLibrary(t.Context(), library); err != nil {
		t.Fatal(err)
	}
	begin := func(holder string) error {
		_, err := database.BeginScan(t.Context(), library.ID, holder)
		return err
	}
	finish := func(holder string) (bool, error) {
		return database.FinishScan(t.Context(), library.ID, holder, store.ScanResult{})
	}
	state := func() store.ScanState {
		got, err := database.Library(context.WithoutCancel(t.Context()), store.Viewer{All: true}, library.ID)
		if err != nil {
			t.Fatal(err)
		}
		return got.ScanState
	}
	pass := func(d time.Duration) { mu.Lock(); defer mu.Unlock(); now = now.Add(d) }
	want := func(what string, got, want error) {
		t.Helper()
		if !errors.Is(got, want) {
			t.Errorf("%s: %v, want %v", what, got, want)
		}
	}
	want("the first begins", begin("one"), nil)
	want("the second comes", begin("two"), store.ErrScanElsewhere)
	if wanted, err := finish("one"); err != nil || !wanted {
		t.Errorf("the first learns of the wish: %v, %v", wanted, err)
	}
	want("the first begins again", begin("one"), nil)
	pass(50 * time.Second)
	want("a sign of life", database.RenewScan(t.Context(), library.ID, "one", 3), nil)
	pass(50 * time.Second)
	if got := state(); got != store.ScanRunning {
		t.Errorf("a renewed scan reads %s", got)
	}
	pass(time.Minute)
	if got := state(); got != store.ScanFailed {
		t.Errorf("a silent scan reads %s", got)
	}
	want("the second takes over", begin("two"), nil)
	want("the first renews", database.RenewScan(t.Context(), library.ID, "one", 3), store.ErrScanLost)
	_, err = finish("one")
	want("the first finishes", err, store.ErrScanLost)
	if wanted, err := finish("two"); err != nil || wanted {
		t.Errorf("the second finishes: %v, %v", wanted, err)
	}
}

package scan_test

import (
	"context"
	"errors"
	"log/slog"
	"os"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/usher-media/usher/internal/mediaserver/auth"
	"github.com/usher-media/usher/internal/mediaserver/mediafile"
	"github.com/usher-media/usher/internal/mediaserver/reader"
	"github.com/usher-media/usher/internal/mediaserver/scan"
	"github.com/usher-media/usher/internal/mediaserver/store"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func setUp(t *testing.T) (*scan.Runner, *store.Store, *store.Library) {
	t.Helper()
	dir := t.TempDir()
	for _, name := range []string{"a.mp4", "b.mp4"} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte("film"), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	roots, err := mediafile.NewRoots([]string{dir})
	if err != nil {
		t.Fatal(err)
	}
	database, err := store.Open(t.Context(), store.Config{Location: filepath.Join(t.TempDir(), "x.db"), Clock: time.Now})
	if err != nil {
		t.Fatal(err)
	}
	runner := scan.NewRunner(database, roots, reader.InProcess{Roots: roots}, slog.New(slog.DiscardHandler))
	t.Cleanup(func() {
		runner.Close()
		if err := database.Close(); err != nil {
			t.Error(err)
		}
	})
	library := &store.Library{ID: auth.NewID(), Name: "Films", Type: "movies", Paths: []string{dir}}
	if err := database.CreateLibrary(t.Context(), library); err != nil {
		t.Fatal(err)
	}
	return runner, database, library
}

func TestManyWishesEndInOneState(t *testing.T) {
	runner, database, library := setUp(t)
	var wait sync.WaitGroup
	for range 20 {
		wait.Go(func() {
			if err := runner.Start(context.WithoutCancel(t.Context()), library.ID); err != nil {
				t.Error(err)
			}
		})
	}
	wait.Wait()
	if err := runner.WaitIdle(t.Context()); err != nil {
		t.Fatal(err)
	}
	got, err := database.Library(t.Context(), store.Viewer{All: true}, library.ID)
	if err == nil {
		err = database.CountItems(t.Context(), got)
	}
	if err != nil || got.ScanState != store.ScanIdle || got.ItemCount != 2 || got.ScanFound != 2 {
		t.Errorf("%+v, %v", got, err)
	}
}

func TestWhatCannotBeScanned(t *testing.T) {
	runner, _, library := setUp(t)
	if err := runner.Start(t.Context(), auth.NewID()); !errors.Is(err, store.ErrLibraryNotFound) {
		t.Errorf("got %v", err)
	}
	if err := runner.WaitIdle(t.Context()); err != nil {
		t.Errorf("a refused wish counts as running: %v", err)
	}
	if err := runner.Start(t.Context(), library.ID); err != nil {
		t.Fatal(err)
	}
	runner.Close()
	if err := runner.Start(t.Context(), library.ID); !errors.Is(err, scan.ErrStopped) {
		t.Errorf("got %v", err)
	}
}

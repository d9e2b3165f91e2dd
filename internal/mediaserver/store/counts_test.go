package store

import (
	"context"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/uptrace/bun"

	"github.com/usher-media/usher/internal/mediaserver/mediafile"
)

// counting notes how many queries count something.
type counting struct{ atomic.Int64 }

func (c *counting) BeforeQuery(ctx context.Context, event *bun.QueryEvent) context.Context {
	if strings.Contains(event.Query, "count(") {
		c.Add(1)
	}
	return ctx
}

func (c *counting) AfterQuery(context.Context, *bun.QueryEvent) {}

// To open a library, or to list what it holds, takes as long however much that is: it is not counted. Who asks is told.
func TestOpeningALibraryDoesNotCountIt(t *testing.T) {
	s := open(t)
	library := addLibrary(t, s, "Films", "/f")
	empty := addLibrary(t, s, "Empty", "/e")
	finish(t, s, library, map[string]mediafile.Listing{"/f": files("a.mp4", "b.mp4", "c.mp4")})
	everybody := Viewer{All: true}
	list, err := s.Items(t.Context(), everybody, ItemFilter{LibraryID: library.ID}, Page{Limit: 10})
	must(t, err)
	_, err = s.UpdateItem(t.Context(), everybody, list.Items[0].ID, "item.trash", func(item *Item, _ *Library) error {
		item.TrashedAt = At(noon)
		return nil
	})
	must(t, err)
	var asked counting
	s.read = s.read.WithQueryHook(&asked)
	got, err := s.Library(t.Context(), everybody, library.ID)
	must(t, err)
	_, _, err = s.ItemInLibrary(t.Context(), everybody, list.Items[1].ID)
	must(t, err)
	_, err = s.Items(t.Context(), everybody, ItemFilter{LibraryID: library.ID}, Page{Limit: 1})
	must(t, err)
	if n := asked.Load(); n != 0 {
		t.Errorf("%d queries count what the library holds", n)
	}
	must(t, s.CountItems(t.Context(), got, empty))
	if got.ItemCount != 2 || got.TrashCount != 1 || empty.ItemCount != 0 || asked.Load() == 0 {
		t.Errorf("counted %d and %d in the trash, and %d in the empty one, by %d queries", got.ItemCount, got.TrashCount, empty.ItemCount, asked.Load())
	}
	must(t, s.CountItems(t.Context()))
}

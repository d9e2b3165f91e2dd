package store

import (
	"context"
	"testing"

	"pgregory.net/rapid"

	"github.com/usher-media/usher/internal/mediaserver/mediafile"
)

func TestPagesNeitherRepeatNorMiss(t *testing.T) {
	s := open(t)
	library := addLibrary(t, s, "Films", "/f", "/g")
	names := []string{"a.mp4", "a/b.mp4", "a b.mp4", "A.mp4", "é.mp4", "z.mp4", "zz.mp4"}
	finish(t, s, library, map[string]mediafile.Listing{"/f": files(names...), "/g": files(names...)})
	rapid.Check(t, func(rt *rapid.T) {
		page, seen, last := Page{Limit: rapid.IntRange(1, 20).Draw(rt, "limit")}, map[string]bool{}, ""
		for {
			list, err := s.Items(context.WithoutCancel(t.Context()), Viewer{All: true}, ItemFilter{}, page)
			if err != nil {
				rt.Fatal(err)
			}
			for _, item := range list.Items {
				if seen[item.ID] || item.Path < last {
					rt.Fatalf("%s again or out of order", item.Path)
				}
				seen[item.ID], last = true, item.Path
			}
			if page.Cursor = list.Next; page.Cursor == "" {
				break
			}
		}
		if len(seen) != 2*len(names) {
			rt.Fatalf("%d items", len(seen))
		}
	})
	for _, cursor := range []string{"!", "eA", "AAAA"} {
		page := Page{Cursor: cursor, Limit: 1}
		_, err := s.Items(t.Context(), Viewer{}, ItemFilter{}, page)
		wantErr(t, err, ErrBadCursor)
		_, err = s.Accounts(t.Context(), page)
		wantErr(t, err, ErrBadCursor)
	}
}

func TestSearchTakesWildcardsLiterally(t *testing.T) {
	s := open(t)
	library := addLibrary(t, s, "Films", "/f")
	finish(t, s, library, map[string]mediafile.Listing{"/f": files("100%.mp4", "100x.mp4", "a_b.mp4", "axb.mp4", "wow!.mp4", "Ünder.mp4")})
	for query, want := range map[string]int{"100%": 1, "%": 1, "_": 1, "a_b": 1, "!": 1, "üNDER": 1, "100": 2, "\x00": 0} {
		list, err := s.Items(t.Context(), Viewer{All: true}, ItemFilter{Search: query}, Page{Limit: 10})
		if must(t, err); len(list.Items) != want {
			t.Errorf("%q finds %d", query, len(list.Items))
		}
	}
}

package mediafile_test

import (
	"fmt"
	"testing"

	"github.com/usher-media/usher/internal/mediaserver/mediafile/mediafiletest"
)

// A picture whose header claims more pixels than anybody can decode, or no size at all, is no picture, wherever it lies: in a
// track, in a book, in a comic, or beside a file.
func TestPicturesAreBoundedByTheirHeaders(t *testing.T) {
	sizes := map[[2]int]bool{{1, 1}: true, {6_000, 6_000}: true, {16_000, 16_000}: false, {1, 30_000}: false, {0, 5}: false}
	for size, want := range sizes {
		for extension, picture := range mediafiletest.Pictures(size[0], size[1]) {
			if extension == ".webp" && size[0] == 0 {
				continue // this format cannot say so
			}
			r, dir := shelf(t, map[string]string{
				"song.mp3": mediafiletest.MP3With(picture), "comic.cbz": mediafiletest.Zip(map[string]string{"1" + extension: picture}),
				"book.epub": mediafiletest.EPUBWith(picture), "film/film.mkv": "film", "film/cover.jpg": picture,
			})
			for _, name := range []string{"song.mp3", "comic.cbz", "book.epub", "film/film.mkv"} {
				if got := r.Describe(dir, name).Picture != nil; got != want {
					t.Errorf("%s with a %s of %s: %v, want %v", name, extension, fmt.Sprint(size), got, want)
				}
			}
		}
	}
}

package mediafile_test

import (
	"context"
	"errors"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"

	"github.com/usher-media/usher/internal/mediaserver/mediafile"
)

// tree makes a root folder with a library in it and a secret beside it, and returns root, library and secret file.
func tree(t *testing.T) (root, library, secret string) {
	t.Helper()
	base := t.TempDir()
	root, secret = filepath.Join(base, "media"), filepath.Join(base, "secret", "diary.txt")
	library = filepath.Join(root, "films")
	write(t, secret)
	write(t, filepath.Join(root, "other", "private.mp4"))
	for _, name := range []string{"a.mp4", "sub/b.MKV", "sub/cover.jpg", "notes.exe", ".hidden.mp4", ".git/c.mp4", "évil.txt"} {
		write(t, filepath.Join(library, filepath.FromSlash(name)))
	}
	return root, library, secret
}

func write(t *testing.T, path string) {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte("content of "+filepath.Base(path)), 0o600); err != nil {
		t.Fatal(err)
	}
}

func link(t *testing.T, target, path string) {
	t.Helper()
	if err := os.Symlink(target, path); err != nil {
		t.Fatal(err)
	}
}

func roots(t *testing.T, folders ...string) mediafile.Roots {
	t.Helper()
	r, err := mediafile.NewRoots(folders)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

func paths(listing mediafile.Listing) []string {
	var names []string
	for _, file := range listing.Files {
		names = append(names, file.Path)
	}
	return names
}

func TestScanFindsMediaOnly(t *testing.T) {
	root, library, secret := tree(t)
	link(t, secret, filepath.Join(library, "leak.txt"))
	link(t, filepath.Join("..", "other", "private.mp4"), filepath.Join(library, "neighbour.mp4"))
	link(t, filepath.Dir(secret), filepath.Join(library, "dir"))
	link(t, "a.mp4", filepath.Join(library, "again.mp4"))
	if err := syscall.Mkfifo(filepath.Join(library, "pipe.mp4"), 0o600); err != nil {
		t.Fatal(err)
	}
	listing, err := roots(t, root).Scan(t.Context(), library)
	if err != nil {
		t.Fatal(err)
	}
	want := []string{"a.mp4", "again.mp4", "sub/b.MKV", "sub/cover.jpg", "évil.txt"}
	if got := paths(listing); !slices.Equal(got, want) {
		t.Errorf("found %v, want %v", got, want)
	}
	// notes.exe, leak.txt, neighbour.mp4, dir and pipe.mp4.
	if listing.Skipped != 5 || len(listing.Reasons) == 0 || !listing.Complete {
		t.Errorf("skipped %d, reasons %v, complete %v", listing.Skipped, listing.Reasons, listing.Complete)
	}
}

func TestScanStopsWithItsContext(t *testing.T) {
	root, library, _ := tree(t)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := roots(t, root).Scan(ctx, library); !errors.Is(err, context.Canceled) {
		t.Errorf("got %v", err)
	}
}

func TestDirectoriesOutsideAreRefused(t *testing.T) {
	root, library, secret := tree(t)
	outside, inside := filepath.Join(root, "outside"), filepath.Join(t.TempDir(), "inside")
	link(t, filepath.Dir(secret), outside)
	link(t, library, inside)
	r := roots(t, root)
	for _, dir := range []string{
		filepath.Dir(secret), outside, root + "/../secret", root + "x", "/", filepath.Join(root, "nothing"),
		filepath.Join(library, "a.mp4"),
	} {
		var refused *mediafile.NotAllowedError
		if err := r.Check(dir); !errors.As(err, &refused) || !strings.Contains(err.Error(), root) {
			t.Errorf("%s: %v", dir, err)
		}
	}
	for _, dir := range []string{root, library, library + "/", library + "/../films", inside} {
		if err := r.Check(dir); err != nil {
			t.Errorf("%s: %v", dir, err)
		}
	}
	if err := (mediafile.Roots{}).Check(library); err == nil {
		t.Error("no root folder allows a directory")
	}
	if _, err := mediafile.NewRoots([]string{"relative"}); err == nil {
		t.Error("a relative root folder passes")
	}
}

func TestOpenStaysInside(t *testing.T) {
	root, library, secret := tree(t)
	link(t, secret, filepath.Join(library, "leak.txt"))
	link(t, filepath.Dir(secret), filepath.Join(library, "dir"))
	if err := syscall.Mkfifo(filepath.Join(library, "pipe.mp4"), 0o600); err != nil {
		t.Fatal(err)
	}
	r := roots(t, root)
	for _, name := range []string{
		"../../secret/diary.txt", "../other/private.mp4", secret, "leak.txt", "dir/diary.txt", "pipe.mp4", "sub", "gone.mp4",
	} {
		file, err := r.Open(library, name)
		if err == nil {
			_ = file.Close()
		}
		if !errors.Is(err, fs.ErrNotExist) {
			t.Errorf("%s: %v", name, err)
		}
	}
	file, err := r.Open(library, "sub/b.MKV")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = file.Close() }()
	if data, err := io.ReadAll(file); err != nil || string(data) != "content of b.MKV" || file.Info.Size() != 16 {
		t.Errorf("read %q, %v", data, err)
	}
}

// A directory that was allowed and then became a link to the outside is not followed.
func TestOpenSeesThatTheDirectoryMoved(t *testing.T) {
	root, library, secret := tree(t)
	if err := os.Rename(library, library+".old"); err != nil {
		t.Fatal(err)
	}
	link(t, filepath.Dir(secret), library)
	if _, err := roots(t, root).Open(library, "diary.txt"); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("got %v", err)
	}
	if _, err := roots(t, root).Scan(t.Context(), library); err == nil {
		t.Error("the outside was scanned")
	}
}

func TestTypes(t *testing.T) {
	for name, want := range map[string]mediafile.Kind{
		"a.MP4": mediafile.Video, "b.flac": mediafile.Audio, "c.epub": mediafile.Book, "d.webp": mediafile.Image, "e.txt": mediafile.Text,
	} {
		if got, known := mediafile.TypeOf(name); !known || got.Kind != want || got.MIME == "" {
			t.Errorf("%s: %v", name, got)
		}
	}
	for _, name := range []string{"a.html", "b.svg", "c.js", "d", "e.exe"} {
		if _, known := mediafile.TypeOf(name); known {
			t.Errorf("%s is media", name)
		}
	}
	for name, want := range map[string]string{"a/b.c.mp4": "b.c", "x.txt": "x", "a/.mp4": ".mp4"} {
		if got := mediafile.Title(name); got != want {
			t.Errorf("Title(%s) = %s", name, got)
		}
	}
}

// A picture that stands for a film or a record beside it is none that people look for; any other is.
func TestArtworkIsNoItem(t *testing.T) {
	r, dir := shelf(t, map[string]string{
		"heat.mkv": "x", "heat.jpg": "x", "heat.gif": "x", "other.jpg": "x", "record/1.mp3": "x", "record/cover.jpg": "x",
		"photos/cover.jpg": "x", "photos/1.png": "x", "notes/a.txt": "x", "notes/a.png": "x",
	})
	listing, err := r.Scan(t.Context(), dir)
	if err != nil {
		t.Fatal(err)
	}
	var left []string
	for _, file := range listing.WithoutArtwork().Files {
		left = append(left, file.Path)
	}
	if got := strings.Join(left, " "); got != "heat.gif heat.mkv notes/a.png notes/a.txt other.jpg photos/1.png photos/cover.jpg record/1.mp3" {
		t.Errorf("left are %s", got)
	}
	if len(listing.Files) != 10 {
		t.Errorf("the listing itself has %d files", len(listing.Files))
	}
}

package mediafile_test

import (
	"archive/zip"
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/usher-media/usher/internal/mediaserver/mediafile"
	"github.com/usher-media/usher/internal/mediaserver/mediafile/mediafiletest"
)

// shelf is a library's directory with these files, below a root folder.
func shelf(t testing.TB, files map[string]string) (mediafile.Roots, string) {
	t.Helper()
	dir := t.TempDir()
	for name, content := range files {
		path := filepath.Join(dir, filepath.FromSlash(name))
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	found, err := mediafile.NewRoots([]string{dir})
	if err != nil {
		t.Fatal(err)
	}
	return found, dir
}

func TestFilesSayWhatTheyAre(t *testing.T) {
	r, dir := shelf(t, map[string]string{
		"b.epub": mediafiletest.EPUB("A Deepness in <the> Sky", "Vernor  Vinge", "Zones"), "a.mp3": mediafiletest.MP3("Ju\x01mp", "Van Halen", "1984", 2),
		"c.cbz":      mediafiletest.Zip(map[string]string{"ComicInfo.xml": `<ComicInfo><Title>One</Title><Series>Bone</Series><Number>1.5</Number><Year>1991</Year></ComicInfo>`, "p/1.png": mediafiletest.Pixel, "p/2.png": "x"}),
		"old.epub":   mediafiletest.Zip(map[string]string{"META-INF/container.xml": mediafiletest.Container, "OEBPS/c.png": mediafiletest.Pixel, "OEBPS/book.opf": `<package xmlns="http://www.idpf.org/2007/opf"><metadata xmlns:dc="http://purl.org/dc/elements/1.1/"><dc:title>Old</dc:title><dc:creator>A</dc:creator><dc:creator>B</dc:creator><meta name="cover" content="i"/><meta name="calibre:series" content="S"/><meta name="calibre:series_index" content="2"/></metadata><manifest><item id="i" href="c.png"/></manifest></package>`}),
		"film/x.mkv": "film", "film/poster.png": mediafiletest.Pixel, "notag.mp3": strings.Repeat("\xff\xfb\x90\x00", 100),
	})
	for name, want := range map[string]mediafile.Facts{
		"b.epub": {Title: "A Deepness in <the> Sky", Creator: "Vernor Vinge", Series: "Zones", SeriesPosition: "1", Year: 1999, Language: "en",
			Publisher: "Tor", Description: "Far & away.\nAgain.", Identifier: "urn:isbn:9780316134071"},
		"a.mp3": {Title: "Jump", Creator: "Van Halen", Album: "1984", Track: 2, Year: 1984},
		"c.cbz": {Title: "One", Series: "Bone", SeriesPosition: "1.5", Year: 1991}, "film/x.mkv": {}, "notag.mp3": {},
		"old.epub": {Title: "Old", Creator: "A, B", Series: "S", SeriesPosition: "2"},
	} {
		got := r.Describe(dir, name)
		if hasPicture := got.Picture != nil; hasPicture != (name != "notag.mp3") || (hasPicture && (string(got.Picture.Data) != mediafiletest.Pixel || got.Picture.MIME != "image/png")) {
			t.Errorf("%s: picture %v", name, got.Picture)
		}
		if got.Picture = nil; got != want {
			t.Errorf("%s: %+v, want %+v", name, got, want)
		}
	}
}

// bomb is an archive whose one entry unpacks to far more than it weighs.
func bomb(t *testing.T, name string) string {
	t.Helper()
	var out bytes.Buffer
	archive := zip.NewWriter(&out)
	entry, err := archive.Create(name)
	if err != nil {
		t.Fatal(err)
	}
	zeros := make([]byte, 1<<20)
	for range 64 {
		if _, err := entry.Write(zeros); err != nil {
			t.Fatal(err)
		}
	}
	if err := archive.Close(); err != nil {
		t.Fatal(err)
	}
	return out.String()
}

func TestDamagedFilesAreNamedAndHarmNothing(t *testing.T) {
	box := func(path string) string {
		return mediafiletest.Zip(map[string]string{"META-INF/container.xml": strings.ReplaceAll(mediafiletest.Container, "OEBPS/book.opf", path)})
	}
	for name, c := range map[string]struct{ content, problem string }{
		"noise.epub":   {"this is no book", "is no readable archive"},
		"empty.epub":   {"", "is no readable archive"},
		"bare.epub":    {mediafiletest.Zip(map[string]string{"x": "y"}), "lacks META-INF/container.xml"},
		"outside.epub": {box("../../secret"), "lacks ../../secret"},
		"nobook.epub":  {mediafiletest.Zip(map[string]string{"META-INF/container.xml": "<container/>"}), "names no package document"},
		"xml.epub":     {mediafiletest.Zip(map[string]string{"META-INF/container.xml": "<container>"}), "holds XML that is not well-formed"},
		"laughs.epub":  {mediafiletest.Zip(map[string]string{"META-INF/container.xml": `<!DOCTYPE x [<!ENTITY a "aaaa"><!ENTITY b "&a;&a;">]><container>&b;</container>`}), "holds XML that is not well-formed"},
		"deep.epub":    {mediafiletest.Zip(map[string]string{"META-INF/container.xml": strings.Repeat("<a>", 100_000)}), "holds XML that is not well-formed"},
		"bomb.epub":    {bomb(t, "META-INF/container.xml"), "asks to read more than this server reads for metadata"},
		"half.epub":    {mediafiletest.EPUB("A", "B", "C")[:400], "is no readable archive"},
		"short.mp3":    {"ID3", "is too short"},
		"cut.mp3":      {mediafiletest.MP3("A", "B", "C", 1)[:60], "is damaged"},
		"liar.flac":    {"this is no sound at all", "is not what its name says"},
	} {
		r, dir := shelf(t, map[string]string{name: c.content})
		if got := r.Describe(dir, name); got != (mediafile.Facts{Problem: c.problem}) {
			t.Errorf("%s: %+v, want %q", name, got, c.problem)
		}
	}
	r, dir := shelf(t, map[string]string{"a.epub": "x"})
	if got := r.Describe(dir, "../a.epub"); got.Problem != "could not be opened" {
		t.Errorf("got %+v", got)
	}
}

// A cover that is no picture, or too large, is none; the book is a book still.
func TestCoversThatAreNoPictures(t *testing.T) {
	for _, cover := range []string{"<svg xmlns='http://www.w3.org/2000/svg'><script>1</script></svg>", "<html>", mediafiletest.Pixel + strings.Repeat("x", 5<<20)} {
		r, dir := shelf(t, map[string]string{"a.cbz": mediafiletest.Zip(map[string]string{"1.png": cover}), "b.mkv": "x", "b.png": cover})
		for _, name := range []string{"a.cbz", "b.mkv"} {
			if got := r.Describe(dir, name); got != (mediafile.Facts{}) {
				t.Errorf("%s: %.100v", name, got)
			}
		}
	}
}

// A picture beside a file that leads out of the library is not followed.
func TestPicturesBesideStayInside(t *testing.T) {
	r, dir := shelf(t, map[string]string{"b.mkv": "x"})
	secret := filepath.Join(t.TempDir(), "secret.png")
	if err := os.WriteFile(secret, []byte(mediafiletest.Pixel), 0o600); err != nil {
		t.Fatal(err)
	}
	link(t, secret, filepath.Join(dir, "cover.png"))
	if got := r.Describe(dir, "b.mkv"); got.Picture != nil {
		t.Error("a picture from outside is shown")
	}
}

// FuzzDescribe: go test -fuzz FuzzDescribe ./internal/mediaserver/mediafile
func FuzzDescribe(f *testing.F) {
	for _, seed := range []string{mediafiletest.MP3("A", "B", "C", 1), mediafiletest.EPUB("A", "B", "C"), "fLaC\x00\x00\x00\x22", "OggS", "\x00\x00\x00\x20ftypisom\x00\x00\x00\x00moov"} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, content []byte) {
		for _, name := range []string{"a.mp3", "a.m4a", "a.flac", "a.ogg", "a.epub", "a.cbz"} {
			r, dir := shelf(t, map[string]string{name: string(content)})
			if got := r.Describe(dir, name); strings.ContainsAny(got.Title+got.Creator+got.Album+got.Problem, "\x00\n") {
				t.Errorf("%s: %+v", name, got)
			}
		}
	})
}

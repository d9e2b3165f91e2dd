package mediafile

import (
	"bytes"
	"strings"
	"testing"
	"unicode"
	"unicode/utf8"

	"github.com/usher-media/usher/internal/mediaserver/mediafile/mediafiletest"
)

// fuzzSize bounds what a fuzzer makes: more takes it longer, and finds the same.
const fuzzSize = 32 << 10

// fuzzReader feeds a reader with what begins as files of these extensions do. It must come back with facts of bounded length,
// whatever the file claims; a panic in a library is an error of the file. What a library
// allocates for such a file, and how long it takes, is bounded by the process that reads it: the reader package tests that,
// with the same corpus.
func fuzzReader(f *testing.F, extensions ...string) {
	fuzzWrapped(f, func(data []byte) []byte { return data }, extensions...)
}

// fuzzWrapped makes a file of what the fuzzer makes.
func fuzzWrapped(f *testing.F, wrap func([]byte) []byte, extensions ...string) {
	for name, content := range mediafiletest.Seeds() {
		for _, extension := range extensions {
			if strings.HasSuffix(name, extension) && len(content) <= fuzzSize {
				f.Add([]byte(content))
			}
		}
	}
	read := readers[extensions[0]]
	f.Fuzz(func(t *testing.T, data []byte) {
		if len(data) > fuzzSize {
			t.Skip("larger than what a fuzzer makes")
		}
		data = wrap(data)
		file := &bounded{file: bytes.NewReader(data), size: int64(len(data)), left: maxRead, extension: extensions[0]}
		facts, err := guarded(read, file)
		if err != nil && problemOf(err) == "" {
			t.Errorf("no words for %v", err)
		}
		checkFacts(t, facts.clean())
	})
}

func checkFacts(t *testing.T, facts Facts) {
	t.Helper()
	for _, line := range []string{
		facts.Title, facts.Creator, facts.Series, facts.SeriesPosition, facts.Album, facts.Language, facts.Publisher, facts.Identifier,
	} {
		if utf8.RuneCountInString(line) > maxLine || !utf8.ValidString(line) || strings.ContainsFunc(line, unicode.IsControl) {
			t.Errorf("a line of %d characters: %.80q", utf8.RuneCountInString(line), line)
		}
	}
	if utf8.RuneCountInString(facts.Description) > maxDescription || !utf8.ValidString(facts.Description) || strings.Contains(facts.Description, "\x00") {
		t.Errorf("a description of %d characters", utf8.RuneCountInString(facts.Description))
	}
	if facts.Picture != nil && (len(facts.Picture.Data) > maxPicture || !decodable(facts.Picture.Data)) {
		t.Errorf("a picture of %d bytes", len(facts.Picture.Data))
	}
}

func FuzzMP3(f *testing.F)  { fuzzReader(f, ".mp3") }
func FuzzMP4(f *testing.F)  { fuzzReader(f, ".m4a", ".m4b", ".mp4", ".m4v") }
func FuzzFLAC(f *testing.F) { fuzzReader(f, ".flac") }

// FuzzOgg fuzzes what a stream's comment header holds: a page without the right checksum is not looked at.
func FuzzOgg(f *testing.F) {
	for _, comment := range []string{"\x03vorbis", "OpusTags", "\x03vorbis\x04\x00\x00\x00test\x01\x00\x00\x00\x06\x00\x00\x00TITLE=", "OpusTags\xff\xff\xff\xff"} {
		f.Add([]byte(comment))
	}
	fuzzWrapped(f, func(data []byte) []byte { return []byte(mediafiletest.Ogg(string(data))) }, ".ogg")
}

func FuzzEPUB(f *testing.F) { fuzzReader(f, ".epub") }
func FuzzCBZ(f *testing.F)  { fuzzReader(f, ".cbz") }

// FuzzPicture looks at what is taken for a picture: whoever is shown it can decode it within bounds.
func FuzzPicture(f *testing.F) {
	for _, content := range mediafiletest.Pictures(1, 1) {
		f.Add([]byte(content))
	}
	for _, content := range mediafiletest.Pictures(60_000, 60_000) {
		f.Add([]byte(content))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		if found := picture(data); found != nil && (!decodable(found.Data) || found.MIME == "") {
			t.Errorf("%s of %d bytes", found.MIME, len(found.Data))
		}
	})
}

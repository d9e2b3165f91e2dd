package mediafile

import (
	"errors"
	"fmt"
	"net/http"
	"path"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"
)

// ReaderVersion changes when Describe learns to read more, so that what an older one read is read again.
const ReaderVersion = 1

// Facts is what a file says about itself, as plain text of bounded length. Empty and 0 mean that it does not say.
type Facts struct {
	Title, Creator, Series string
	// SeriesPosition is a text: series have volumes such as 1.5.
	SeriesPosition    string
	Album             string
	Disc, Track, Year int
	Language          string
	Publisher         string
	Description       string
	// Identifier is an ISBN, UUID or the like.
	Identifier string
	// Picture is nil for none.
	Picture *Picture
	// Problem says why the file could not be read, for people; empty if it could, or if its type has nothing to read.
	Problem string
}

// Picture is a cover.
type Picture struct {
	// MIME is one of image/jpeg, image/png, image/gif and image/webp, by the picture's first bytes.
	MIME string
	Data []byte
}

// How much is kept of what a file says; in characters, but for pictures.
const (
	maxLine        = 500
	maxDescription = 20_000
	maxPicture     = 4 << 20
	maxNumber      = 1_000_000
)

// readers says how to read files by their extension. Others say nothing about themselves that this server reads.
var readers = map[string]func(*bounded) (Facts, error){
	".mp3": readTags, ".m4a": readTags, ".m4b": readTags, ".mp4": readTags, ".m4v": readTags,
	".flac": readTags, ".ogg": readTags, ".oga": readTags, ".opus": readTags,
	".epub": readEPUB, ".cbz": readComic,
}

// errBroken begins the reason why a file cannot be read.
type errBroken string

func (e errBroken) Error() string { return string(e) }

// Describe reads what the file at rel within the library directory dir says about itself. It reads a bounded part of
// it, whatever the file claims, and survives whatever it holds.
func (r Roots) Describe(dir, rel string) Facts {
	read, known := readers[strings.ToLower(path.Ext(rel))]
	if !known {
		return Facts{Picture: r.beside(dir, rel)}
	}
	file, err := r.Open(dir, rel)
	if err != nil {
		return Facts{Problem: "could not be opened"}
	}
	defer func() { _ = file.Close() }()
	facts, err := guarded(read, &bounded{file: file, size: file.Info.Size(), left: maxRead, extension: strings.ToLower(path.Ext(rel))})
	if err != nil {
		facts = Facts{Problem: problemOf(err)}
	}
	if facts.Picture == nil {
		facts.Picture = r.beside(dir, rel)
	}
	return facts.clean()
}

// guarded turns a panic of a reader, which files can provoke in libraries, into an error.
func guarded(read func(*bounded) (Facts, error), file *bounded) (facts Facts, err error) {
	defer func() {
		if cause := recover(); cause != nil {
			err = errBroken("is damaged")
		}
	}()
	return read(file)
}

// problemOf puts an error into words. What libraries say may hold parts of the file, and is left out.
func problemOf(err error) string {
	var broken errBroken
	switch {
	case errors.Is(err, errTooMuch):
		return "asks to read more than this server reads for metadata"
	case errors.As(err, &broken):
		return broken.Error()
	}
	return "is damaged"
}

// besideNames are the names of pictures that stand for all in their folder, in order of preference.
var besideNames = []string{"cover.jpg", "folder.jpg", "poster.jpg", "cover.png", "folder.png", "poster.png"}

// Beside lists the paths at which a picture for the file at rel is looked for, the best first. Pictures and texts have
// none.
func Beside(rel string) []string {
	if kind, _ := TypeOf(rel); kind.Kind == Image || kind.Kind == Text {
		return nil
	}
	stem := strings.TrimSuffix(rel, path.Ext(rel))
	paths := []string{stem + ".jpg", stem + ".png"}
	for _, name := range besideNames {
		paths = append(paths, path.Join(path.Dir(rel), name))
	}
	return paths
}

// beside returns the picture that lies beside the file, or nil.
func (r Roots) beside(dir, rel string) *Picture {
	for _, name := range Beside(rel) {
		file, err := r.Open(dir, name)
		if err != nil {
			continue
		}
		data, err := readUpTo(file, maxPicture)
		_ = file.Close()
		if found := picture(data); err == nil && found != nil {
			return found
		}
	}
	return nil
}

// pictureTypes are the types of pictures that browsers show without running anything.
var pictureTypes = []string{"image/jpeg", "image/png", "image/gif", "image/webp"}

// picture returns the picture with these bytes, or nil when they are none that this server shows, or claim more pixels than
// whoever looks at it can take.
func picture(data []byte) *Picture {
	mime := http.DetectContentType(data)
	if len(data) > maxPicture || !slices.Contains(pictureTypes, mime) || !decodable(data) {
		return nil
	}
	return &Picture{MIME: mime, Data: data}
}

// clean bounds the facts and takes out what no database and no page should get.
func (f Facts) clean() Facts {
	for _, line := range []*string{
		&f.Title, &f.Creator, &f.Series, &f.SeriesPosition, &f.Album, &f.Language, &f.Publisher, &f.Identifier,
	} {
		*line = strings.Join(strings.Fields(cleanText(*line, maxLine)), " ")
	}
	f.Description = strings.TrimSpace(cleanText(f.Description, maxDescription))
	for _, number := range []*int{&f.Disc, &f.Track, &f.Year} {
		if *number < 0 || *number > maxNumber {
			*number = 0
		}
	}
	return f
}

// cleanText returns valid UTF-8 of at most that many characters, without control characters but line ends and tabs.
func cleanText(s string, limit int) string {
	s = strings.Map(func(c rune) rune {
		if c == '\n' || c == '\t' {
			return c
		}
		if unicode.IsControl(c) || c == utf8.RuneError {
			return -1
		}
		return c
	}, strings.ToValidUTF8(s, ""))
	if utf8.RuneCountInString(s) > limit {
		s = string([]rune(s)[:limit])
	}
	return s
}

// list joins names as people write them.
func list(names []string) string {
	names = slices.DeleteFunc(names, func(name string) bool { return strings.TrimSpace(name) == "" })
	return strings.Join(names, ", ")
}

// yearOf returns the year that a date begins with, or 0.
func yearOf(date string) int {
	var year int
	if _, err := fmt.Sscanf(strings.TrimSpace(date), "%4d", &year); err != nil || year < 1 {
		return 0
	}
	return year
}

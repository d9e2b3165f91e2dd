// Package mediafile reads media files from real directories, and never from anywhere else: every path that it opens lies
// below a configured root folder, whatever ".." or symbolic links say.
package mediafile

import (
	"path"
	"strings"
)

// Kind is what a file is to the person who opens it.
type Kind string

// The kinds of media.
const (
	Video Kind = "video"
	Audio Kind = "audio"
	Book  Kind = "book"
	Image Kind = "image"
	Text  Kind = "text"
)

// Kinds lists every kind. The caller owns the slice.
func Kinds() []Kind { return []Kind{Video, Audio, Book, Image, Text} }

// Type is a file's kind and the media type that it is served with.
type Type struct {
	Kind Kind
	MIME string
}

// types maps a lower-case file extension to its type. Formats in which a browser runs scripts (HTML, SVG) are left
// out on purpose: they would run with the rights of whoever opens them.
var types = map[string]Type{
	".mp4": {Video, "video/mp4"}, ".m4v": {Video, "video/mp4"}, ".mkv": {Video, "video/x-matroska"},
	".webm": {Video, "video/webm"}, ".mov": {Video, "video/quicktime"}, ".avi": {Video, "video/x-msvideo"},
	".mpg": {Video, "video/mpeg"}, ".mpeg": {Video, "video/mpeg"}, ".ogv": {Video, "video/ogg"},
	".ts": {Video, "video/mp2t"}, ".m2ts": {Video, "video/mp2t"}, ".wmv": {Video, "video/x-ms-wmv"},

	".mp3": {Audio, "audio/mpeg"}, ".m4a": {Audio, "audio/mp4"}, ".m4b": {Audio, "audio/mp4"},
	".aac": {Audio, "audio/aac"}, ".flac": {Audio, "audio/flac"}, ".ogg": {Audio, "audio/ogg"},
	".oga": {Audio, "audio/ogg"}, ".opus": {Audio, "audio/ogg"}, ".wav": {Audio, "audio/wav"},
	".aiff": {Audio, "audio/aiff"}, ".wma": {Audio, "audio/x-ms-wma"},

	".epub": {Book, "application/epub+zip"}, ".pdf": {Book, "application/pdf"},
	".mobi": {Book, "application/x-mobipocket-ebook"}, ".azw3": {Book, "application/vnd.amazon.ebook"},
	".cbz": {Book, "application/vnd.comicbook+zip"}, ".cbr": {Book, "application/vnd.comicbook-rar"},

	".jpg": {Image, "image/jpeg"}, ".jpeg": {Image, "image/jpeg"}, ".png": {Image, "image/png"},
	".gif": {Image, "image/gif"}, ".webp": {Image, "image/webp"}, ".avif": {Image, "image/avif"},
	".heic": {Image, "image/heic"}, ".bmp": {Image, "image/bmp"}, ".tiff": {Image, "image/tiff"},

	".txt": {Text, "text/plain; charset=utf-8"}, ".md": {Text, "text/plain; charset=utf-8"},
	".srt": {Text, "text/plain; charset=utf-8"}, ".vtt": {Text, "text/vtt; charset=utf-8"},
}

// TypeOf returns the type of the file with that name, by its extension in any letter case, and whether it has one.
func TypeOf(name string) (Type, bool) {
	t, known := types[strings.ToLower(path.Ext(name))]
	return t, known
}

// Title returns what people call the file with that name: its base name without the extension.
func Title(name string) string {
	base := path.Base(name)
	if title := strings.TrimSuffix(base, path.Ext(base)); title != "" {
		return title
	}
	return base
}

// Package mediafiletest makes small media files for tests.
package mediafiletest

import (
	"archive/zip"
	"bytes"
	"encoding/base64"
	"encoding/binary"
	"fmt"
	"html"
	"maps"
	"slices"
)

// Pixel is a picture of one pixel, as PNG.
var Pixel = func() string {
	data, err := base64.StdEncoding.DecodeString(
		"iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==")
	if err != nil {
		panic(err)
	}
	return string(data)
}()

// Zip returns an archive with these files.
func Zip(files map[string]string) string {
	var out bytes.Buffer
	archive := zip.NewWriter(&out)
	for _, name := range slices.Sorted(maps.Keys(files)) {
		entry, err := archive.Create(name)
		if err == nil {
			_, err = entry.Write([]byte(files[name]))
		}
		if err != nil {
			panic(err)
		}
	}
	if err := archive.Close(); err != nil {
		panic(err)
	}
	return out.String()
}

// Container is an EPUB's META-INF/container.xml.
const Container = `<?xml version="1.0"?><container version="1.0" xmlns="urn:oasis:names:tc:opendocument:xmlns:container">
<rootfiles><rootfile full-path="OEBPS/book.opf" media-type="application/oebps-package+xml"/></rootfiles></container>`

// EPUB returns a book with a cover, the first of a series.
func EPUB(title, author, series string) string {
	return Zip(map[string]string{
		"mimetype": "application/epub+zip", "META-INF/container.xml": Container, "OEBPS/art/the cover.png": Pixel,
		"OEBPS/book.opf": fmt.Sprintf(`<?xml version="1.0" encoding="UTF-8"?>
<package xmlns="http://www.idpf.org/2007/opf" version="3.0" unique-identifier="id">
<metadata xmlns:dc="http://purl.org/dc/elements/1.1/">
<dc:identifier id="other">x</dc:identifier><dc:identifier id="id">urn:isbn:9780316134071</dc:identifier>
<dc:title>%s</dc:title><dc:creator>%s</dc:creator><dc:language>en</dc:language><dc:publisher>Tor</dc:publisher>
<dc:date>1999-05-01</dc:date><dc:description>&lt;p&gt;Far &amp;amp; away.&lt;/p&gt;&lt;p&gt;Again.&lt;/p&gt;</dc:description>
<meta property="belongs-to-collection" id="c">%s</meta><meta refines="#c" property="group-position">1</meta>
</metadata><manifest><item id="cover" href="art/the%%20cover.png" media-type="image/png" properties="cover-image"/></manifest></package>`,
			html.EscapeString(title), html.EscapeString(author), html.EscapeString(series)),
	})
}

// MP3 returns a track with ID3v2.3 tags and a cover, and no sound.
func MP3(title, artist, album string, track int) string {
	return mp3(title, artist, album, track, Pixel)
}

// MP3With returns a track with this picture.
func MP3With(picture string) string { return mp3("Song", "Band", "Album", 1, picture) }

// EPUBWith returns a book with this picture as its cover.
func EPUBWith(picture string) string {
	return Zip(map[string]string{
		"META-INF/container.xml": Container, "OEBPS/cover.png": picture,
		"OEBPS/book.opf": `<package xmlns="http://www.idpf.org/2007/opf"><metadata/><manifest><item id="c" href="cover.png" properties="cover-image"/></manifest></package>`,
	})
}

func mp3(title, artist, album string, track int, picture string) string {
	var frames bytes.Buffer
	frame := func(id, content string) {
		frames.WriteString(id)
		_ = binary.Write(&frames, binary.BigEndian, uint32(len(content)))
		frames.WriteString("\x00\x00" + content)
	}
	for _, f := range [][2]string{{"TIT2", title}, {"TPE1", artist}, {"TALB", album}, {"TRCK", fmt.Sprint(track)}, {"TYER", "1984"}} {
		frame(f[0], "\x00"+f[1])
	}
	frame("APIC", "\x00image/png\x00\x03\x00"+picture)
	size := frames.Len()
	return "ID3\x03\x00\x00" + string([]byte{byte(size >> 21 & 127), byte(size >> 14 & 127), byte(size >> 7 & 127), byte(size & 127)}) +
		frames.String() + "\xff\xfb\x90\x00" + string(make([]byte, 417))
}

package main

import (
	"archive/zip"
	"bytes"
	"encoding/binary"
	"fmt"
	"hash/crc32"
	"html"
	"image"
	"image/color"
	"image/png"
	"math"
)

// tone makes two seconds of a sine wave: a WAV file of 8 kHz, mono, 16 bits.
func tone(hertz float64) func() ([]byte, error) {
	return func() ([]byte, error) {
		const rate, seconds = 8000, 2
		samples := make([]int16, rate*seconds)
		for i := range samples {
			// Rise and fall within the first and last tenth of a second, so that it does not click.
			edge := math.Min(1, math.Min(float64(i), float64(len(samples)-i))/(rate/10))
			samples[i] = int16(edge * 8000 * math.Sin(2*math.Pi*hertz*float64(i)/rate))
		}
		size := uint32(len(samples) * 2)
		var out bytes.Buffer
		header := []any{
			[4]byte([]byte("RIFF")), 36 + size, [8]byte([]byte("WAVEfmt ")), uint32(16), uint16(1), uint16(1),
			uint32(rate), uint32(rate * 2), uint16(2), uint16(16), [4]byte([]byte("data")), size,
		}
		for _, field := range append(header, samples) {
			if err := binary.Write(&out, binary.LittleEndian, field); err != nil {
				return nil, err
			}
		}
		return out.Bytes(), nil
	}
}

// picture makes a small PNG picture that fades from black to a colour.
func picture(r, g, b uint8) func() ([]byte, error) {
	return func() ([]byte, error) {
		const width, height = 160, 240
		canvas := image.NewRGBA(image.Rect(0, 0, width, height))
		for y := range height {
			fade := func(c uint8) uint8 { return uint8(int(c) * y / height) }
			for x := range width {
				canvas.SetRGBA(x, y, color.RGBA{fade(r), fade(g), fade(b), 0xff})
			}
		}
		var out bytes.Buffer
		err := png.Encode(&out, canvas)
		return out.Bytes(), err
	}
}

// text makes a text file.
func text(content string) func() ([]byte, error) {
	return func() ([]byte, error) { return []byte(content), nil }
}

// book makes an EPUB of one chapter.
func book(title, content string) func() ([]byte, error) {
	return func() ([]byte, error) {
		title, content := html.EscapeString(title), html.EscapeString(content)
		var out bytes.Buffer
		archive := zip.NewWriter(&out)
		// The first entry says what the file is, and must not be compressed nor carry extra fields.
		const mimetype = "application/epub+zip"
		first, err := archive.CreateRaw(&zip.FileHeader{
			Name: "mimetype", Method: zip.Store, CRC32: crc32.ChecksumIEEE([]byte(mimetype)),
			CompressedSize64: uint64(len(mimetype)), UncompressedSize64: uint64(len(mimetype)),
		})
		if err != nil {
			return nil, err
		}
		if _, err := first.Write([]byte(mimetype)); err != nil {
			return nil, err
		}
		for _, part := range bookParts(title, content) {
			entry, err := archive.Create(part[0])
			if err != nil {
				return nil, err
			}
			if _, err := entry.Write([]byte(part[1])); err != nil {
				return nil, err
			}
		}
		err = archive.Close()
		return out.Bytes(), err
	}
}

// bookParts are the files of a minimal valid EPUB 3: where the package is, the package, its navigation, a chapter.
func bookParts(title, content string) [][2]string {
	const page = `<?xml version="1.0" encoding="UTF-8"?>
<html xmlns="http://www.w3.org/1999/xhtml" xmlns:epub="http://www.idpf.org/2007/ops" xml:lang="en" lang="en">
<head><title>%[1]s</title></head><body>%[2]s</body></html>
`
	return [][2]string{
		{"META-INF/container.xml", `<?xml version="1.0" encoding="UTF-8"?>
<container version="1.0" xmlns="urn:oasis:names:tc:opendocument:xmlns:container">
<rootfiles><rootfile full-path="book.opf" media-type="application/oebps-package+xml"/></rootfiles></container>
`},
		{"book.opf", fmt.Sprintf(`<?xml version="1.0" encoding="UTF-8"?>
<package xmlns="http://www.idpf.org/2007/opf" version="3.0" unique-identifier="id" xml:lang="en">
<metadata xmlns:dc="http://purl.org/dc/elements/1.1/"><dc:identifier id="id">urn:usher:quickstart</dc:identifier>
<dc:title>%s</dc:title><dc:language>en</dc:language><meta property="dcterms:modified">2026-01-01T00:00:00Z</meta></metadata>
<manifest><item id="nav" href="nav.xhtml" media-type="application/xhtml+xml" properties="nav"/>
<item id="chapter" href="chapter.xhtml" media-type="application/xhtml+xml"/></manifest>
<spine><itemref idref="chapter"/></spine></package>
`, title)},
		{"nav.xhtml", fmt.Sprintf(page, title, `<nav epub:type="toc"><ol><li><a href="chapter.xhtml">`+title+`</a></li></ol></nav>`)},
		{"chapter.xhtml", fmt.Sprintf(page, title, "<h1>"+title+"</h1><p>"+content+"</p>")},
	}
}

package mediafiletest

import (
	"bytes"
	"encoding/binary"
	"hash/crc32"
	"path"
)

// Pictures returns the beginnings of pictures of every type that the server shows, with headers that claim this size, by the
// types' extensions.
func Pictures(width, height int) map[string]string {
	return map[string]string{
		".png": png(width, height), ".gif": gif(width, height), ".jpg": jpeg(width, height), ".webp": webp(width, height),
	}
}

func png(width, height int) string {
	var size bytes.Buffer
	_ = binary.Write(&size, binary.BigEndian, []uint32{uint32(width), uint32(height)})
	header := "IHDR" + size.String() + "\x08\x06\x00\x00\x00"
	return "\x89PNG\r\n\x1a\n" + be(13) + header + be(crc32.ChecksumIEEE([]byte(header)))
}

func gif(width, height int) string {
	var size bytes.Buffer
	_ = binary.Write(&size, binary.LittleEndian, []uint16{uint16(width), uint16(height)})
	return "GIF89a" + size.String() + "\x00\x00\x00" + "\x3b"
}

func jpeg(width, height int) string {
	var size bytes.Buffer
	_ = binary.Write(&size, binary.BigEndian, []uint16{uint16(height), uint16(width)})
	return "\xff\xd8\xff\xe0\x00\x10JFIF\x00\x01\x01\x00\x00\x01\x00\x01\x00\x00\xff\xc0\x00\x11\x08" + size.String() + "\x03\x01\x11\x00\x02\x11\x00\x03\x11\x00\xff\xd9"
}

// webp is of the extended kind, whose sides are three bytes less one each.
func webp(width, height int) string {
	side := func(n int) string { n--; return string([]byte{byte(n), byte(n >> 8), byte(n >> 16)}) }
	return "RIFF" + "\x16\x00\x00\x00" + "WEBPVP8X" + "\x0a\x00\x00\x00" + "\x00\x00\x00\x00" + side(width) + side(height)
}

func atom(name, content string) string { return be(uint32(8+len(content))) + name + content }

// Seeds are small files of every format that is read, good and hostile, to begin a fuzzer with.
func Seeds() map[string]string {
	seeds := map[string]string{
		"good.mp3": MP3("Song", "Band", "Album", 3), "good.epub": EPUB("Book", "Writer", "Series"),
		"good.cbz":  Zip(map[string]string{"ComicInfo.xml": "<ComicInfo><Title>One</Title><Number>1.5</Number></ComicInfo>", "1.png": Pixel}),
		"good.flac": flac(4, vorbisComment("TITLE=Song")), "good.ogg": Ogg("\x03vorbis" + vorbisComment("TITLE=Song") + "\x01"),
		"good.opus": Ogg("OpusTags" + vorbisComment("TITLE=Song")), "good.m4a": mp4(atom("moov", atom("udta", atom("meta", be(0)+
			atom("ilst", atom("\xa9nam", atom("data", be(1)+be(0)+"Song"))))))),
	}
	for name, content := range hostileTags() {
		// What a FLAC claims takes its memory: that is for a process with limits.
		if path.Ext(name) != ".flac" {
			seeds[name] = content
		}
	}
	return seeds
}

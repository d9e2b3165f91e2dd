package mediafiletest

import (
	"bytes"
	"encoding/base64"
	"encoding/binary"
	"fmt"
	"maps"
	"strings"
)

// Hostile returns files, by name, each of which claims far more than it holds or makes a reader work far longer than its
// size suggests: one of each kind in each format that is read. All of them together are a few megabytes.
func Hostile() map[string]string {
	files := hostileArchives()
	maps.Copy(files, hostileTags())
	return files
}

// huge is what hostile files claim.
const huge = 0xFFFFFFF0

func hostileTags() map[string]string {
	return map[string]string{
		// A FLAC picture block whose parts claim 4 GiB.
		"picture-type.flac": flac(6, be(3), be(huge)),
		"picture-data.flac": flac(6, be(3), be(9), "image/png", be(0), be(1), be(1), be(24), be(0), be(huge)),
		"comments.flac":     flac(4, le(4), "test", le(huge)),
		"comment.flac":      flac(4, le(huge)),
		// The same as Ogg comments, plain and with a picture inside.
		"vendor.ogg":   Ogg("\x03vorbis" + le(huge)),
		"comments.ogg": Ogg("\x03vorbis" + le(4) + "test" + le(huge)),
		"comment.opus": Ogg("OpusTags" + le(4) + "test" + le(1) + le(huge)),
		"picture.opus": Ogg("OpusTags" + vorbisComment("METADATA_BLOCK_PICTURE="+
			base64.StdEncoding.EncodeToString([]byte(be(3)+be(9)+"image/png"+be(0)+be(1)+be(1)+be(24)+be(0)+be(huge))))),
		// ID3 frames: many of one name, and one that claims more than there is.
		"frames.mp3":    id3(strings.Repeat("T00"+"\x00"+be(2)+"\x00\x00\x00a", 40_000)),
		"v22-many.mp3":  "ID3\x02\x00\x00" + syncsafe(40_000*8) + strings.Repeat("T00\x00\x00\x02\x00a", 40_000),
		"long-tag.mp3":  "ID3\x03\x00\x00" + syncsafe(1<<28-1) + "TIT2" + be(1<<28) + "\x00\x00\x00a",
		"picture.mp3":   id3("APIC" + be(huge) + "\x00\x00\x00image/png\x00\x03\x00"),
		"endless.mp3":   id3(strings.Repeat("APIC"+be(1)+"\x00\x00\x00", 20_000)),
		"atoms.m4a":     mp4(strings.Repeat(be(8)+"free", 200_000)),
		"meta.m4b":      mp4(be(huge) + "moov" + be(huge) + "udta" + be(huge) + "meta" + be(0) + be(huge) + "ilst" + be(huge) + "\xa9nam" + be(huge) + "data" + be(1) + be(0)),
		"nested.m4a":    mp4(nestedAtoms(5_000)),
		"zero-size.mp4": mp4(be(0) + "moov" + be(0) + "udta"),
	}
}

func hostileArchives() map[string]string {
	return map[string]string{
		// Books: quadratic work, deep nesting, an archive of many entries, one that unpacks to far more than it is.
		"series.epub":      epubOf(strings.Repeat(`<meta name="calibre:series"/>`, 144_626)),
		"refines.epub":     epubOf(strings.Repeat(`<meta property="belongs-to-collection" id="c"></meta>`, 70_000)),
		"nested.epub":      epubOf(strings.Repeat("<a>", 500_000)),
		"attributes.epub":  epubOf("<meta " + attributes(200_000) + "/>"),
		"description.epub": epubOf("<dc:description>" + strings.Repeat("&lt;p&gt;", 400_000) + "</dc:description>"),
		"bomb.epub":        Zip(map[string]string{"META-INF/container.xml": strings.Repeat(" ", 200<<20)}),
		"entries.cbz":      Zip(manyEntries(20_000)),
		"bomb.cbz":         Zip(map[string]string{"1.png": strings.Repeat("\x00", 200<<20)}),
		"info.cbz":         Zip(map[string]string{"ComicInfo.xml": "<ComicInfo>" + strings.Repeat("<Title>a</Title>", 250_000) + "</ComicInfo>"}),
	}
}

func be(n uint32) string { return string(binary.BigEndian.AppendUint32(nil, n)) }

func le(n uint32) string { return string(binary.LittleEndian.AppendUint32(nil, n)) }

func syncsafe(n int) string {
	return string([]byte{byte(n >> 21 & 127), byte(n >> 14 & 127), byte(n >> 7 & 127), byte(n & 127)})
}

// flac is a stream with one metadata block of a type.
func flac(kind byte, parts ...string) string {
	content := strings.Join(parts, "")
	return "fLaC" + string([]byte{0x80 | kind, byte(len(content) >> 16), byte(len(content) >> 8), byte(len(content))}) + content
}

// Ogg is a stream whose second packet is the comment header.
func Ogg(comment string) string {
	return oggPage(0, "\x01vorbis"+strings.Repeat("\x00", 23)) + oggPage(1, comment)
}

func oggPage(number uint32, packet string) string {
	var page bytes.Buffer
	page.WriteString("OggS\x00\x00" + strings.Repeat("\x00", 8) + le(1) + le(number) + le(0))
	segments := len(packet)/255 + 1
	page.WriteByte(byte(segments))
	page.Write(bytes.Repeat([]byte{255}, segments-1))
	page.WriteByte(byte(len(packet) % 255))
	page.WriteString(packet)
	data := page.Bytes()
	binary.LittleEndian.PutUint32(data[22:], oggSum(data))
	return string(data)
}

// oggSum is the checksum of a page whose own is zero: without the right one, nobody looks at what the page holds.
func oggSum(page []byte) (sum uint32) {
	for _, b := range page {
		sum ^= uint32(b) << 24
		for range 8 {
			carry := sum&(1<<31) != 0
			if sum <<= 1; carry {
				sum ^= 0x04c11db7
			}
		}
	}
	return sum
}

func vorbisComment(comment string) string {
	return le(4) + "test" + le(1) + le(uint32(len(comment))) + comment
}

func id3(frames string) string {
	return "ID3\x03\x00\x00" + syncsafe(len(frames)) + frames + "\xff\xfb\x90\x00"
}

func mp4(atoms string) string { return be(16) + "ftypM4A \x00\x00\x00\x00" + atoms }

func nestedAtoms(depth int) string {
	atom := be(8) + "moov"
	for range depth {
		atom = be(uint32(8+len(atom))) + "moov" + atom
	}
	return atom
}

func epubOf(metadata string) string {
	return Zip(map[string]string{
		"META-INF/container.xml": Container,
		"OEBPS/book.opf": `<package xmlns="http://www.idpf.org/2007/opf" xmlns:dc="http://purl.org/dc/elements/1.1/"><metadata>` +
			metadata + `</metadata></package>`,
	})
}

func attributes(n int) string {
	var text strings.Builder
	for i := range n {
		_, _ = fmt.Fprintf(&text, "a%d='' ", i)
	}
	return text.String()
}

func manyEntries(n int) map[string]string {
	files := make(map[string]string, n)
	for i := range n {
		files[fmt.Sprintf("%06d.png", i)] = ""
	}
	return files
}

package mediafile

import (
	"archive/zip"
	"bytes"
	"cmp"
	"encoding/xml"
	"path"
	"slices"
	"strings"

	"golang.org/x/net/html"
	"golang.org/x/net/html/charset"
)

// maxDocument is how many bytes an XML document in an archive may have, unpacked.
const maxDocument = 4 << 20

// archive is an open zip file whose entries are only ever read into memory, and only so much of them.
type archive struct{ entries map[string]*zip.File }

func openArchive(file *bounded) (archive, error) {
	if file.size > maxArchive {
		return archive{}, errBroken("is too large to look into")
	}
	opened, err := zip.NewReader(file, file.size)
	if err != nil {
		return archive{}, errBroken("is no readable archive")
	}
	found := archive{entries: make(map[string]*zip.File, len(opened.File))}
	for _, entry := range opened.File {
		found.entries[entry.Name] = entry
	}
	return found, nil
}

// read returns what an entry holds, unpacked, if that is no more than limit bytes.
func (a archive) read(name string, limit int64) ([]byte, error) {
	entry, there := a.entries[name]
	if !there {
		return nil, errBroken("lacks " + strings.ToValidUTF8(name, "?"))
	}
	content, err := entry.Open()
	if err != nil {
		return nil, err
	}
	defer func() { _ = content.Close() }()
	// What the entry says about its size is not believed.
	return readUpTo(content, limit)
}

// document reads an entry as XML. No document type is looked at and no entity but HTML's own is known.
func (a archive) document(name string, into any) error {
	data, err := a.read(name, maxDocument)
	if err != nil {
		return err
	}
	decoder := xml.NewDecoder(bytes.NewReader(data))
	decoder.Entity, decoder.CharsetReader = xml.HTMLEntity, charset.NewReaderLabel
	if err := decoder.Decode(into); err != nil {
		return errBroken("holds XML that is not well-formed")
	}
	return nil
}

// picture returns the picture in the entry, or nil.
func (a archive) picture(name string) *Picture {
	data, err := a.read(name, maxPicture)
	if err != nil {
		return nil
	}
	return picture(data)
}

// comicInfo is ComicInfo.xml, which comic programs put into the archive (anansi-project.github.io, ComicInfo 2.0).
type comicInfo struct {
	Title, Series, Number, Summary, Writer, Publisher, LanguageISO string
	Year                                                           int
}

// readComic reads a comic book archive: ComicInfo.xml if there is one, and the first page as the cover.
func readComic(file *bounded) (Facts, error) {
	book, err := openArchive(file)
	if err != nil {
		return Facts{}, err
	}
	var info comicInfo
	if _, there := book.entries["ComicInfo.xml"]; there {
		if err := book.document("ComicInfo.xml", &info); err != nil {
			return Facts{}, err
		}
	}
	var pages []string
	for name := range book.entries {
		if kind, known := TypeOf(name); known && kind.Kind == Image && !strings.HasPrefix(path.Base(name), ".") {
			pages = append(pages, name)
		}
	}
	facts := Facts{
		Title: info.Title, Series: info.Series, SeriesPosition: info.Number, Creator: info.Writer, Year: info.Year,
		Publisher: info.Publisher, Language: info.LanguageISO, Description: info.Summary,
	}
	if len(pages) > 0 {
		facts.Picture = book.picture(slices.MinFunc(pages, cmp.Compare[string]))
	}
	return facts, nil
}

// plain returns the text of a piece of HTML, as descriptions of books often are.
func plain(markup string) string {
	if !strings.Contains(markup, "<") {
		return html.UnescapeString(markup)
	}
	var text strings.Builder
	for tokens := html.NewTokenizer(strings.NewReader(markup)); ; {
		switch tokens.Next() {
		case html.ErrorToken:
			return strings.TrimSpace(text.String())
		case html.TextToken:
			text.Write(tokens.Text())
		case html.EndTagToken, html.SelfClosingTagToken:
			if name, _ := tokens.TagName(); slices.Contains([]string{"p", "br", "div", "li"}, string(name)) {
				text.WriteString("\n")
			}
		}
	}
}

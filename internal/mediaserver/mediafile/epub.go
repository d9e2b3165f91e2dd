package mediafile

import (
	"net/url"
	"path"
	"strings"
)

// container is META-INF/container.xml (EPUB 3.3, section 4.2.6.3.1).
type container struct {
	Rootfiles []struct {
		Path string `xml:"full-path,attr"`
	} `xml:"rootfiles>rootfile"`
}

// opf is an EPUB's package document (EPUB 3.3, section 5), and what Calibre puts into it.
type opf struct {
	UniqueID string `xml:"unique-identifier,attr"`
	Metadata struct {
		Titles      []string  `xml:"http://purl.org/dc/elements/1.1/ title"`
		Creators    []string  `xml:"http://purl.org/dc/elements/1.1/ creator"`
		Languages   []string  `xml:"http://purl.org/dc/elements/1.1/ language"`
		Publishers  []string  `xml:"http://purl.org/dc/elements/1.1/ publisher"`
		Description string    `xml:"http://purl.org/dc/elements/1.1/ description"`
		Dates       []string  `xml:"http://purl.org/dc/elements/1.1/ date"`
		Identifiers []opfText `xml:"http://purl.org/dc/elements/1.1/ identifier"`
		Metas       []opfMeta `xml:"meta"`
	} `xml:"metadata"`
	Manifest []struct {
		ID         string `xml:"id,attr"`
		Href       string `xml:"href,attr"`
		Properties string `xml:"properties,attr"`
	} `xml:"manifest>item"`
}

type opfText struct {
	ID   string `xml:"id,attr"`
	Text string `xml:",chardata"`
}

// opfMeta is a meta element: EPUB 2 has name and content, EPUB 3 property, refines and text.
type opfMeta struct {
	ID       string `xml:"id,attr"`
	Name     string `xml:"name,attr"`
	Content  string `xml:"content,attr"`
	Property string `xml:"property,attr"`
	Refines  string `xml:"refines,attr"`
	Text     string `xml:",chardata"`
}

// readEPUB reads an EPUB's package document and cover.
func readEPUB(file *bounded) (Facts, error) {
	book, err := openArchive(file)
	if err != nil {
		return Facts{}, err
	}
	var box container
	if err := book.document("META-INF/container.xml", &box); err != nil {
		return Facts{}, err
	}
	if len(box.Rootfiles) == 0 {
		return Facts{}, errBroken("names no package document")
	}
	at := box.Rootfiles[0].Path
	var document opf
	if err := book.document(at, &document); err != nil {
		return Facts{}, err
	}
	facts := document.facts()
	if href := document.cover(); href != "" {
		if decoded, err := url.PathUnescape(href); err == nil {
			facts.Picture = book.picture(path.Join(path.Dir(at), decoded))
		}
	}
	return facts, nil
}

func first(texts []string) string {
	if len(texts) == 0 {
		return ""
	}
	return texts[0]
}

func (d *opf) facts() Facts {
	m := &d.Metadata
	facts := Facts{
		Title: first(m.Titles), Creator: list(m.Creators), Language: first(m.Languages), Publisher: first(m.Publishers),
		Description: plain(m.Description), Year: yearOf(first(m.Dates)), Identifier: d.identifier(),
	}
	facts.Series, facts.SeriesPosition = d.series()
	return facts
}

func (d *opf) identifier() string {
	for _, identifier := range d.Metadata.Identifiers {
		if identifier.ID == d.UniqueID {
			return identifier.Text
		}
	}
	return ""
}

// series returns the collection that the book belongs to and its place there: as EPUB 3 says it, or as Calibre does. The
// first that has a name counts. Metas are gone through a fixed number of times, however many there are.
func (d *opf) series() (name, position string) {
	for _, meta := range d.Metadata.Metas {
		switch {
		case meta.Property == "belongs-to-collection" && meta.Text != "":
			return meta.Text, d.refinement(meta.ID, "group-position")
		case meta.Name == "calibre:series" && meta.Content != "":
			return meta.Content, d.named("calibre:series_index")
		}
	}
	return "", ""
}

func (d *opf) refinement(id, property string) string {
	for _, meta := range d.Metadata.Metas {
		if id != "" && meta.Refines == "#"+id && meta.Property == property {
			return meta.Text
		}
	}
	return ""
}

func (d *opf) named(name string) string {
	for _, meta := range d.Metadata.Metas {
		if meta.Name == name {
			return meta.Content
		}
	}
	return ""
}

// cover returns where the manifest says the cover is: EPUB 3 has a property for it, EPUB 2 a meta element.
func (d *opf) cover() string {
	id := d.named("cover")
	old := ""
	for _, item := range d.Manifest {
		if strings.Contains(" "+item.Properties+" ", " cover-image ") {
			return item.Href
		}
		if id != "" && item.ID == id {
			old = item.Href
		}
	}
	return old
}

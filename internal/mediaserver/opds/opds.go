// Package opds writes catalogs for e-reader apps: OPDS 1.2 (https://specs.opds.io/opds-1.2), which is Atom (RFC 4287)
// with links to books, and OpenSearch 1.1 descriptions. It knows nothing of where books and rights come from.
package opds

import (
	"encoding/xml"
	"time"
)

// The media types of the documents (OPDS 1.2, sections 2.2, 2.3 and 3).
const (
	NavigationType  = "application/atom+xml;profile=opds-catalog;kind=navigation"
	AcquisitionType = "application/atom+xml;profile=opds-catalog;kind=acquisition"
	SearchType      = "application/opensearchdescription+xml"
)

// The relations of links (OPDS 1.2, sections 2, 3 and 5).
const (
	Self        = "self"
	Start       = "start"
	Up          = "up"
	Next        = "next"
	Search      = "search"
	Subsection  = "subsection"
	SortNew     = "http://opds-spec.org/sort/new"
	Acquisition = "http://opds-spec.org/acquisition"
	Image       = "http://opds-spec.org/image"
	Thumbnail   = "http://opds-spec.org/image/thumbnail"
)

// ImageTypes are the types of pictures that a catalog may link to (OPDS 1.2, section 5.3).
var ImageTypes = []string{"image/gif", "image/jpeg", "image/png"}

// Feed is a catalog: either of other catalogs (navigation) or of books (acquisition), never of both.
type Feed struct {
	XMLName xml.Name `xml:"http://www.w3.org/2005/Atom feed"`
	// DC declares the prefix that entries use; New sets it.
	DC      string  `xml:"xmlns:dc,attr"`
	ID      string  `xml:"id"`
	Title   string  `xml:"title"`
	Updated Time    `xml:"updated"`
	Author  Person  `xml:"author"`
	Links   []Link  `xml:"link"`
	Entries []Entry `xml:"entry"`
}

// New returns a feed without links and entries.
func New(id, title, author string, updated time.Time) *Feed {
	return &Feed{DC: "http://purl.org/dc/terms/", ID: id, Title: title, Author: Person{Name: author}, Updated: Time(updated)}
}

// Entry is a book or another catalog. Empty fields are left out, where Atom lets them be.
type Entry struct {
	ID         string   `xml:"id"`
	Title      string   `xml:"title"`
	Updated    Time     `xml:"updated"`
	Authors    []Person `xml:"author"`
	Language   string   `xml:"dc:language,omitempty"`
	Publisher  string   `xml:"dc:publisher,omitempty"`
	Issued     string   `xml:"dc:issued,omitempty"`
	Identifier string   `xml:"dc:identifier,omitempty"`
	Summary    *Text    `xml:"summary"`
	Content    *Text    `xml:"content"`
	Links      []Link   `xml:"link"`
}

// Person is an author.
type Person struct {
	Name string `xml:"name"`
}

// Text is plain text.
type Text struct {
	Type string `xml:"type,attr"`
	Text string `xml:",chardata"`
}

// Plain returns the text, or nil for none.
func Plain(text string) *Text {
	if text == "" {
		return nil
	}
	return &Text{Type: "text", Text: text}
}

// Link leads to another document. Href may be relative to the feed's own address.
type Link struct {
	Rel   string `xml:"rel,attr"`
	Href  string `xml:"href,attr"`
	Type  string `xml:"type,attr"`
	Title string `xml:"title,attr,omitempty"`
	// Length is in bytes; 0 leaves it out.
	Length int64 `xml:"length,attr,omitempty"`
}

// Time is a time as Atom writes it (RFC 3339, in UTC).
type Time time.Time

// MarshalText never fails.
func (t Time) MarshalText() ([]byte, error) {
	return []byte(time.Time(t).UTC().Format(time.RFC3339)), nil
}

// Description tells an app how to search (OpenSearch 1.1).
type Description struct {
	XMLName     xml.Name `xml:"http://a9.com/-/spec/opensearch/1.1/ OpenSearchDescription"`
	ShortName   string   `xml:"ShortName"`
	Description string   `xml:"Description"`
	InputEnc    string   `xml:"InputEncoding"`
	OutputEnc   string   `xml:"OutputEncoding"`
	URL         struct {
		Type     string `xml:"type,attr"`
		Template string `xml:"template,attr"`
	} `xml:"Url"`
}

// shortName is how many characters OpenSearch 1.1 allows in a short name.
const shortName = 16

// NewDescription describes a search at the template, which holds {searchTerms}.
func NewDescription(name, template string) *Description {
	d := &Description{ShortName: name, Description: "Search the books of " + name, InputEnc: "UTF-8", OutputEnc: "UTF-8"}
	if runes := []rune(name); len(runes) > shortName {
		d.ShortName = string(runes[:shortName])
	}
	d.URL.Type, d.URL.Template = AcquisitionType, template
	return d
}

// Marshal returns the document as XML.
func Marshal(document any) ([]byte, error) {
	data, err := xml.Marshal(document)
	return append([]byte(xml.Header), data...), err
}

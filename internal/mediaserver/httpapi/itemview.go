package httpapi

import (
	"time"

	"github.com/usher-media/usher/internal/mediaserver/mediafile"
	"github.com/usher-media/usher/internal/mediaserver/store"
)

// Item is one media file in a library.
type Item struct {
	ID         string         `json:"id"`
	LibraryID  string         `json:"libraryId"`
	Title      string         `json:"title" doc:"As the file says; else its name"`
	Path       string         `json:"path" doc:"Relative to the library's directory, with slashes"`
	Type       mediafile.Kind `json:"type" enum:"video,audio,book,image,text"`
	MIMEType   string         `json:"mimeType"`
	Size       int64          `json:"size" doc:"In bytes"`
	ModifiedAt time.Time      `json:"modifiedAt"`
	AddedAt    time.Time      `json:"addedAt" doc:"When a scan found it"`

	Creator        string `json:"creator,omitempty" doc:"Author, artist or director"`
	Series         string `json:"series,omitempty"`
	SeriesPosition string `json:"seriesPosition,omitempty" doc:"A text, for example 1.5"`
	Album          string `json:"album,omitempty"`
	Disc           int    `json:"disc,omitempty"`
	Track          int    `json:"track,omitempty"`
	Year           int    `json:"year,omitempty"`
	Language       string `json:"language,omitempty"`
	Publisher      string `json:"publisher,omitempty"`
	Description    string `json:"description,omitempty" doc:"Plain text"`
	Identifier     string `json:"identifier,omitempty" doc:"An ISBN, UUID or the like, as the file gives it"`
	HasArtwork     bool   `json:"hasArtwork" doc:"Whether the item has a picture"`
	Problem        string `json:"problem,omitempty" doc:"Why the file's metadata could not be read"`
}

func itemView(i *store.Item) Item {
	return Item{
		ID: i.ID, LibraryID: i.LibraryID, Title: i.Title, Path: i.Path, Type: i.Kind, MIMEType: i.MIMEType,
		Size: i.Size, ModifiedAt: i.ModifiedAt.Time(), AddedAt: i.AddedAt.Time(),
		Creator: i.Creator, Series: i.Series, SeriesPosition: i.SeriesPosition, Album: i.Album, Disc: i.Disc, Track: i.Track,
		Year: i.Year, Language: i.Language, Publisher: i.Publisher, Description: i.Description, Identifier: i.Identifier,
		HasArtwork: i.ArtworkID != "", Problem: i.Problem,
	}
}

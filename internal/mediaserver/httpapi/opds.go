package httpapi

import (
	"context"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"github.com/usher-media/usher/internal/mediaserver/mediafile"
	"github.com/usher-media/usher/internal/mediaserver/opds"
	"github.com/usher-media/usher/internal/mediaserver/rules"
	"github.com/usher-media/usher/internal/mediaserver/store"
)

// opdsPath begins the paths of the catalog.
const opdsPath = "/opds/v1.2"

type (
	// xmlAnswer is an answer with an XML document.
	xmlAnswer struct {
		ContentType string `header:"Content-Type"`
		Body        []byte
	}
	catalogLibraryPage struct {
		ID string `path:"id"`
		PageQuery
	}
	catalogSearchPage struct {
		Query string `query:"q" maxLength:"200" doc:"Part of a title, creator or series"`
		PageQuery
	}
)

// catalogRoutes serve books to e-reader apps: the same rules as everywhere, with HTTP Basic (Shisho seed, line 43).
func (a *api) catalogRoutes() {
	r := route{tag: "opds", needs: rules.ReadBooks, basic: true}
	add(a, r.at(opdsPath).with(http.MethodGet, "opds-root", "The catalog: libraries with books that one may see", 0), a.catalogRoot)
	add(a, r.at(opdsPath+"/libraries/{id}").with(http.MethodGet, "opds-library", "The books of a library", 0), a.catalogLibrary)
	add(a, r.at(opdsPath+"/recent").with(http.MethodGet, "opds-recent", "The latest books", 0), a.catalogRecent)
	add(a, r.at(opdsPath+"/search").with(http.MethodGet, "opds-search", "Books by title, creator or series", 0), a.catalogSearch)
	add(a, r.at(opdsPath+"/search.xml").with(http.MethodGet, "opds-search-description", "How to search, as OpenSearch 1.1", 0),
		a.catalogDescription)
	file := r.at(opdsPath + "/items/{id}/file")
	add(a, file.with(http.MethodGet, "opds-file", "The book itself, whole or in byte ranges", 0), a.catalogFile)
	add(a, file.with(http.MethodHead, "opds-head-file", "Size, type and validators of the book", 0), a.catalogFile)
	cover := r.at(opdsPath + "/items/{id}/cover")
	add(a, cover.with(http.MethodGet, "opds-cover", "The book's cover", 0), a.catalogCover)
}

// catalog is a feed in the making.
type catalog struct {
	*opds.Feed
	kind string
}

// catalogFeed begins a feed that is found at the path and query.
func (a *api) catalogFeed(ctx context.Context, kind, id, title, path string, query url.Values) (catalog, error) {
	settings, _, err := a.store.Settings(ctx)
	if title == "" {
		title = settings.Name
	}
	feed := opds.New("tag:usher.media,2026:"+settings.ID+"/"+id, title, settings.Name, a.now())
	feed.Links = []opds.Link{
		{Rel: opds.Self, Href: address(path, query), Type: kind},
		{Rel: opds.Start, Href: opdsPath, Type: opds.NavigationType},
		{Rel: opds.Search, Href: opdsPath + "/search.xml", Type: opds.SearchType},
	}
	if path != opdsPath {
		feed.Links = append(feed.Links, opds.Link{Rel: opds.Up, Href: opdsPath, Type: opds.NavigationType})
	}
	return catalog{Feed: feed, kind: kind}, err
}

func address(path string, query url.Values) string {
	if len(query) == 0 {
		return path
	}
	return path + "?" + query.Encode()
}

// next links to the page that begins at the cursor, if there is one.
func (c *catalog) next(cursor, path string, query url.Values, page PageQuery) {
	if cursor == "" {
		return
	}
	if query == nil {
		query = url.Values{}
	}
	query.Set("cursor", cursor)
	query.Set("limit", strconv.Itoa(page.Limit))
	c.Links = append(c.Links, opds.Link{Rel: opds.Next, Href: address(path, query), Type: c.kind})
}

func (c *catalog) answer() (*xmlAnswer, error) {
	data, err := opds.Marshal(c.Feed)
	return &xmlAnswer{ContentType: c.kind, Body: data}, err
}

func (a *api) catalogRoot(ctx context.Context, in *PageQuery) (*xmlAnswer, error) {
	feed, err := a.catalogFeed(ctx, opds.NavigationType, "root", "", opdsPath, nil)
	if err != nil {
		return nil, err
	}
	list, err := a.store.Libraries(ctx, callerOf(ctx).account.Viewer(), in.page())
	if err != nil {
		return nil, err
	}
	section := func(id, title, about, rel, path string, updated time.Time) {
		feed.Entries = append(feed.Entries, opds.Entry{
			ID: "tag:usher.media,2026:" + id, Title: title, Updated: opds.Time(updated), Content: opds.Plain(about),
			Links: []opds.Link{{Rel: rel, Href: opdsPath + path, Type: opds.AcquisitionType}},
		})
	}
	if in.Cursor == "" {
		section("recent", "Recently added", "The latest books", opds.SortNew, "/recent", a.now())
	}
	for _, library := range list.Items {
		section("library/"+library.ID, library.Name, "The books of this library", opds.Subsection, "/libraries/"+library.ID,
			library.UpdatedAt.Time())
	}
	feed.next(list.Next, opdsPath, nil, *in)
	return feed.answer()
}

func (a *api) catalogLibrary(ctx context.Context, in *catalogLibraryPage) (*xmlAnswer, error) {
	viewer := callerOf(ctx).account.Viewer()
	library, err := a.store.Library(ctx, viewer, in.ID)
	if err != nil {
		return nil, err
	}
	list, err := a.store.Items(ctx, viewer, store.ItemFilter{LibraryID: library.ID, Kind: mediafile.Book}, in.page())
	if err != nil {
		return nil, err
	}
	return a.books(ctx, "library/"+library.ID, library.Name, opdsPath+"/libraries/"+library.ID, nil, list, in.PageQuery)
}

func (a *api) catalogRecent(ctx context.Context, in *PageQuery) (*xmlAnswer, error) {
	list, err := a.store.RecentItems(ctx, callerOf(ctx).account.Viewer(), mediafile.Book, in.page())
	if err != nil {
		return nil, err
	}
	return a.books(ctx, "recent", "Recently added", opdsPath+"/recent", nil, list, *in)
}

func (a *api) catalogSearch(ctx context.Context, in *catalogSearchPage) (*xmlAnswer, error) {
	list, err := a.store.Items(ctx, callerOf(ctx).account.Viewer(), store.ItemFilter{Search: in.Query, Kind: mediafile.Book}, in.page())
	if err != nil {
		return nil, err
	}
	return a.books(ctx, "search", "Search results", opdsPath+"/search", url.Values{"q": {in.Query}}, list, in.PageQuery)
}

// books answers with a feed of the listed books.
func (a *api) books(
	ctx context.Context, id, title, path string, query url.Values, list store.List[*store.Item], page PageQuery,
) (*xmlAnswer, error) {
	feed, err := a.catalogFeed(ctx, opds.AcquisitionType, id, title, path, query)
	if err != nil {
		return nil, err
	}
	types, err := a.store.ArtworkTypes(ctx, list.Items)
	if err != nil {
		return nil, err
	}
	for _, item := range list.Items {
		feed.Entries = append(feed.Entries, bookEntry(item, types[item.ArtworkID]))
	}
	feed.next(list.Next, path, query, page)
	return feed.answer()
}

// bookEntry shows a book whose cover, if any, has that media type.
func bookEntry(item *store.Item, coverType string) opds.Entry {
	path := opdsPath + "/items/" + item.ID
	entry := opds.Entry{
		ID: "tag:usher.media,2026:item/" + item.ID, Title: item.Title, Updated: opds.Time(item.ModifiedAt.Time()),
		Language: item.Language, Publisher: item.Publisher, Identifier: item.Identifier, Summary: opds.Plain(item.Description),
		Links: []opds.Link{{Rel: opds.Acquisition, Href: path + "/file", Type: item.MIMEType, Length: item.Size}},
	}
	if item.Creator != "" {
		entry.Authors = []opds.Person{{Name: item.Creator}}
	}
	if item.Year > 0 {
		entry.Issued = strconv.Itoa(item.Year)
	}
	if slices.Contains(opds.ImageTypes, coverType) {
		entry.Links = append(entry.Links, opds.Link{Rel: opds.Image, Href: path + "/cover", Type: coverType},
			opds.Link{Rel: opds.Thumbnail, Href: path + "/cover", Type: coverType})
	}
	return entry
}

func (a *api) catalogDescription(ctx context.Context, _ *none) (*xmlAnswer, error) {
	settings, _, err := a.store.Settings(ctx)
	if err != nil {
		return nil, err
	}
	data, err := opds.Marshal(opds.NewDescription(settings.Name, opdsPath+"/search?q={searchTerms}"))
	return &xmlAnswer{ContentType: opds.SearchType, Body: data}, err
}

// catalogFile sends a book. Other media are no part of the catalog, so that they do not exist here.
func (a *api) catalogFile(ctx context.Context, in *byID) (*huma.StreamResponse, error) {
	if err := a.checkBook(ctx, in.ID); err != nil {
		return nil, err
	}
	return a.stream(ctx, in)
}

func (a *api) catalogCover(ctx context.Context, in *byID) (*huma.StreamResponse, error) {
	if err := a.checkBook(ctx, in.ID); err != nil {
		return nil, err
	}
	return a.getArtwork(ctx, in)
}

func (a *api) checkBook(ctx context.Context, id string) error {
	item, err := a.store.Item(ctx, callerOf(ctx).account.Viewer(), id)
	if err == nil && item.Kind != mediafile.Book {
		err = store.ErrItemNotFound
	}
	return err
}

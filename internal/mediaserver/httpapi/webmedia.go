package httpapi

import (
	"errors"
	"io/fs"
	"net/http"
	"net/url"
	"path"
	"strconv"
	"strings"

	"github.com/usher-media/usher/internal/mediaserver/mediafile"
	"github.com/usher-media/usher/internal/mediaserver/rules"
	"github.com/usher-media/usher/internal/mediaserver/store"
	"github.com/usher-media/usher/internal/mediaserver/web"
)

// How many cards a page and a shelf of the first page hold.
const (
	webPageSize  = 60
	webShelfSize = 12
)

// kindEmoji stands in for pictures.
var kindEmoji = map[mediafile.Kind]string{mediafile.Video: "🎬", mediafile.Audio: "🎵", mediafile.Book: "📖", mediafile.Image: "🖼️", mediafile.Text: "📄"}

func itemCard(item *store.Item) web.Card {
	card := web.Card{URL: webPath + "items/" + item.ID, Title: item.Title, Note: item.Creator, Emoji: kindEmoji[item.Kind]}
	switch {
	case item.ArtworkID != "":
		card.Picture = card.URL + "/artwork"
	case item.Kind == mediafile.Image:
		card.Picture = card.URL + "/file"
	}
	return card
}

func cards(items []*store.Item) []web.Card {
	var all []web.Card
	for _, item := range items {
		all = append(all, itemCard(item))
	}
	return all
}

// begunCard shows how much of an item is over: a little, where nobody knows how long it is.
func begunCard(begun store.Begun) web.Card {
	card := itemCard(begun.Item)
	if begun.Progress.PositionMS > 0 {
		card.Percent = 1
	}
	if begun.Progress.DurationMS > 0 {
		card.Percent = int(min(100, max(int64(card.Percent), begun.Progress.PositionMS*100/begun.Progress.DurationMS)))
	}
	return card
}

func (a *api) webHome(b *browsing) (turn, error) {
	if b.who == nil {
		return b.show(http.StatusOK, "signin", b.page.Site, web.SignIn{Fresh: b.fresh}), nil
	}
	account := b.who.account
	if account.MustChangePassword {
		return turn{location: webPath + "account"}, nil
	}
	var shelves []web.Shelf
	if account.Actor().Can(rules.ReadBooks) {
		found, err := a.shelves(b)
		if err != nil {
			return turn{}, err
		}
		shelves = found
	}
	if !account.Actor().Can(rules.BrowseMedia) {
		return b.show(http.StatusOK, "home", b.page.Site, web.Home{Shelves: shelves}), nil
	}
	libraries, err := a.webLibraries(b)
	if err != nil {
		return turn{}, err
	}
	at := min(1, len(shelves))
	shelves = append(shelves[:at:at], append([]web.Shelf{libraries}, shelves[at:]...)...)
	return b.show(http.StatusOK, "home", b.page.Site, web.Home{Shelves: shelves}), nil
}

// shelves are what to continue, what is new and what else there may be to like.
func (a *api) shelves(b *browsing) ([]web.Shelf, error) {
	ctx, viewer, first := b.r.Context(), b.who.account.Viewer(), store.Page{Limit: webShelfSize}
	unfinished, err := a.store.Unfinished(ctx, viewer, first)
	if err != nil {
		return nil, err
	}
	begun := web.Shelf{Heading: "Continue"}
	for _, item := range unfinished.Items {
		begun.Cards = append(begun.Cards, begunCard(item))
	}
	recent, err := a.store.RecentItems(ctx, viewer, "", first)
	if err != nil {
		return nil, err
	}
	latest := web.Shelf{Heading: "Recently added", Cards: cards(recent.Items), Empty: "Nothing yet."}
	if recent.Next != "" {
		latest.More = webPath + "recent"
	}
	recommended, err := a.store.Recommended(ctx, viewer, first)
	return []web.Shelf{begun, latest, {Heading: "You may like", Cards: cards(recommended.Items)}}, err
}

func (a *api) webLibraries(b *browsing) (web.Shelf, error) {
	shelf := web.Shelf{Heading: "Libraries", Low: true, Empty: "You see no library yet. Whoever runs this server can give you one."}
	page := store.Page{Limit: webPageSize}
	for {
		list, err := a.store.Libraries(b.r.Context(), b.who.account.Viewer(), page)
		if err == nil {
			err = a.store.CountItems(b.r.Context(), list.Items...)
		}
		if err != nil {
			return shelf, err
		}
		for _, library := range list.Items {
			note := strconv.Itoa(library.ItemCount) + " items"
			if library.ItemCount == 1 {
				note = "1 item"
			}
			card := web.Card{URL: webPath + "libraries/" + library.ID, Title: library.Name, Note: note, Emoji: library.Emoji}
			if card.Emoji == "" {
				card.Emoji = "📚"
			}
			shelf.Cards = append(shelf.Cards, card)
		}
		if page.Cursor = list.Next; page.Cursor == "" {
			return shelf, nil
		}
	}
}

func (b *browsing) cursor() store.Page {
	return store.Page{Cursor: b.r.URL.Query().Get("cursor"), Limit: webPageSize}
}

// list shows a page of items; query is what leads to it, besides the cursor.
func (b *browsing) list(title, empty string, list store.List[*store.Item], query url.Values) turn {
	shelf := web.Shelf{Cards: cards(list.Items), Empty: empty}
	if list.Next != "" {
		query.Set("cursor", list.Next)
		shelf.More = b.r.URL.EscapedPath() + "?" + query.Encode()
	}
	return b.show(http.StatusOK, "home", title, web.Home{Shelves: []web.Shelf{shelf}})
}

func (a *api) webLibrary(b *browsing) (turn, error) {
	library, err := a.libraryFor(b.r.Context(), b.r.PathValue("id"), rules.ReadBooks)
	if err != nil {
		return turn{}, err
	}
	list, err := a.store.Items(b.r.Context(), b.who.account.Viewer(), store.ItemFilter{LibraryID: library.ID}, b.cursor())
	if err != nil {
		return turn{}, err
	}
	empty := "This library is empty."
	if library.ScanState == store.ScanRunning {
		empty = "This library is being scanned. Come back in a while."
	}
	return b.list(strings.TrimSpace(library.Emoji+" "+library.Name), empty, list, url.Values{}), nil
}

func (a *api) webRecent(b *browsing) (turn, error) {
	list, err := a.store.RecentItems(b.r.Context(), b.who.account.Viewer(), "", b.cursor())
	if err != nil {
		return turn{}, err
	}
	return b.list("Recently added", "Nothing yet.", list, url.Values{}), nil
}

func (a *api) webSearch(b *browsing) (turn, error) {
	query := strings.TrimSpace(b.r.URL.Query().Get("q"))
	b.page.Query = query
	if query == "" {
		return turn{location: "/"}, nil
	}
	if rules.CheckText(query, false) != "" {
		return b.list("Search", "Nothing is called that.", store.List[*store.Item]{}, nil), nil
	}
	list, err := a.store.Items(b.r.Context(), b.who.account.Viewer(), store.ItemFilter{Search: query}, b.cursor())
	if err != nil {
		return turn{}, err
	}
	return b.list("“"+query+"”", "Nothing that you may see is called that.", list, url.Values{"q": {query}}), nil
}

func (a *api) webItem(b *browsing) (turn, error) {
	item, library, err := a.store.ItemInLibrary(b.r.Context(), b.who.account.Viewer(), b.r.PathValue("id"))
	if err == nil && !item.TrashedAt.IsZero() {
		err = store.ErrItemNotFound
	}
	if err != nil {
		return turn{}, err
	}
	progress, err := a.store.Progress(b.r.Context(), b.who.account.Viewer(), item.ID)
	if err != nil {
		return turn{}, err
	}
	card := itemCard(item)
	view := web.Item{
		ID: item.ID, Title: item.Title, Creator: item.Creator, Description: item.Description, Picture: card.Picture,
		File: card.URL + "/file", FileName: path.Base(item.Path), Kind: item.Kind, MIME: item.MIMEType, Size: web.Size(item.Size),
		LibraryURL: webPath + "libraries/" + library.ID, LibraryName: library.Name,
		PositionMS: progress.PositionMS, Finished: progress.Finished, Begun: !progress.UpdatedAt.IsZero(),
	}
	if progress.Finished {
		view.PositionMS = 0
	}
	for _, fact := range []web.Fact{
		{Name: "Series", Value: strings.TrimSpace(item.Series + " " + item.SeriesPosition)}, {Name: "Album", Value: item.Album},
		{Name: "Track", Value: number(item.Track)}, {Name: "Year", Value: number(item.Year)}, {Name: "Language", Value: item.Language},
		{Name: "Publisher", Value: item.Publisher}, {Name: "File", Value: path.Base(item.Path)},
	} {
		if fact.Value != "" {
			view.Facts = append(view.Facts, fact)
		}
	}
	return b.show(http.StatusOK, "item", item.Title, view), nil
}

// number is a number as text; 0 is none.
func number(n int) string {
	if n == 0 {
		return ""
	}
	return strconv.Itoa(n)
}

func (a *api) webFile(b *browsing) (turn, error) {
	item, err := a.store.Item(b.r.Context(), b.who.account.Viewer(), b.r.PathValue("id"))
	if err != nil {
		return turn{}, err
	}
	file, err := a.roots.Open(item.Root, item.Path)
	if errors.Is(err, fs.ErrNotExist) {
		err = store.ErrItemNotFound
	}
	if err != nil {
		return turn{}, err
	}
	defer func() { _ = file.Close() }()
	a.serveFile(b.w, b.r, item, file, a.stillSees(b.who, item.ID))
	return turn{}, nil
}

func (a *api) webArtwork(b *browsing) (turn, error) {
	artwork, err := a.artworkOf(b.r.Context(), b.r.PathValue("id"))
	if err != nil {
		return turn{}, err
	}
	a.serveArtwork(b.w, b.r, artwork, a.stillSees(b.who, b.r.PathValue("id")))
	return turn{}, nil
}

// webProgress notes where a player is, which its script tells, or what somebody says with a button.
func (a *api) webProgress(b *browsing) (turn, error) {
	ctx, form := b.r.Context(), b.r.PostForm
	change := &progressChange{ID: b.r.PathValue("id")}
	finished := true
	switch form.Get("action") {
	case "note":
		for field, into := range map[string]*int64{"positionMs": &change.Body.PositionMS, "durationMs": &change.Body.DurationMS} {
			value, err := strconv.ParseInt(form.Get(field), 10, 64)
			if err != nil || value < 0 || value > maxPosition {
				return turn{}, invalidField(field, "must be a number of milliseconds")
			}
			*into = value
		}
	case "finish":
		change.Body.Finished = &finished
	case "forget":
		_, err := a.deleteProgress(ctx, &byID{ID: change.ID})
		return turn{location: webPath + "items/" + url.PathEscape(change.ID)}, err
	}
	if _, err := a.setProgress(ctx, change); err != nil {
		return turn{}, err
	}
	if form.Get("action") == "note" {
		b.w.WriteHeader(http.StatusNoContent)
		return turn{}, nil
	}
	return turn{location: webPath + "items/" + url.PathEscape(change.ID)}, nil
}

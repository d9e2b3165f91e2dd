package httpapi

import (
	"context"
	"net/http"
	"net/url"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"github.com/usher-media/usher/internal/mediaserver/auth"
	"github.com/usher-media/usher/internal/mediaserver/mediafile"
	"github.com/usher-media/usher/internal/mediaserver/rules"
	"github.com/usher-media/usher/internal/mediaserver/store"
	"github.com/usher-media/usher/internal/mediaserver/web"
)

// sharedPath begins the path of the page of each public link. What follows is the token, so no path below it is ever logged.
const sharedPath = "/shared/"

// ShareLink is a public link to one item.
type ShareLink struct {
	ID        string     `json:"id"`
	ItemID    string     `json:"itemId"`
	CreatedAt time.Time  `json:"createdAt"`
	ExpiresAt *time.Time `json:"expiresAt" nullable:"true" doc:"Null: never"`
}

// CreatedShareLink is a new share link.
type CreatedShareLink struct {
	ShareLink
	Token string `json:"token" doc:"Only this once. /v1/shared/TOKEN/stream is the file"`
	URL   string `json:"url" doc:"The whole link to the page that plays it, under the address that the caller reached; only this once"`
}

// SharedItem is all that a share link tells.
type SharedItem struct {
	Title    string         `json:"title"`
	Type     mediafile.Kind `json:"type" enum:"video,audio,book,image,text"`
	MIMEType string         `json:"mimeType"`
	Size     int64          `json:"size" doc:"In bytes"`
}

type (
	newShareLink struct {
		ID   string `path:"id"`
		Body struct {
			ExpiresAt Optional[time.Time] `json:"expiresAt,omitempty" doc:"Absent or null: never"`
		}
	}
	oneShareLink struct {
		ID     string `path:"id"`
		LinkID string `path:"linkId"`
	}
	itemLinksPage struct {
		ID string `path:"id"`
		PageQuery
	}
	byToken struct {
		Token string `path:"token"`
	}
)

// shareRoutes are the public links (Alcoves seed, line 76: "single-purpose URLs that expose one clip to the internet
// without requiring login").
func (a *api) shareRoutes() {
	r := route{path: "/v1/items/{id}/share-links", tag: "sharing", needs: rules.ReadBooks}
	add(a, r.with(http.MethodGet, "list-share-links", "The public links to an item", 0), a.listShareLinks)
	add(a, r.with(http.MethodPost, "create-share-link", "Make a public link to an item", http.StatusCreated), a.createShareLink)
	add(a, r.at(r.path+"/{linkId}").with(http.MethodDelete, "delete-share-link", "End a public link", http.StatusNoContent),
		a.deleteShareLink)
	shared := route{path: "/v1/shared/{token}", tag: "sharing", public: true}
	add(a, shared.with(http.MethodGet, "get-shared", "What a public link shows", 0), a.getShared)
	stream := shared.at(shared.path + "/stream")
	add(a, stream.with(http.MethodGet, "stream-shared", "The file that a public link shows", 0), a.streamShared)
	add(a, stream.with(http.MethodHead, "head-shared", "Size, type and validators of that file", 0), a.streamShared)
}

func shareView(l *store.ShareLink) ShareLink {
	view := ShareLink{ID: l.ID, ItemID: l.ItemID, CreatedAt: l.CreatedAt.Time()}
	if l.ExpiresAt != nil {
		expiry := l.ExpiresAt.Time()
		view.ExpiresAt = &expiry
	}
	return view
}

// mayShare asks whether the caller may write to the library: making something public is no reading.
func mayShare(account *store.Account) func(*store.Library) error {
	return func(library *store.Library) error { return library.In(account).CheckWrite(rules.ShareLibraries) }
}

func (a *api) listShareLinks(ctx context.Context, in *itemLinksPage) (*body[Page[ShareLink]], error) {
	account := callerOf(ctx).account
	item, library, err := a.store.ItemInLibrary(ctx, account.Viewer(), in.ID)
	if err != nil {
		return nil, err
	}
	if err := mayShare(account)(library); err != nil {
		return nil, err
	}
	list, err := a.store.ShareLinks(ctx, item.ID, in.page())
	return pageOf(list, shareView), err
}

func (a *api) createShareLink(ctx context.Context, in *newShareLink) (*body[CreatedShareLink], error) {
	account, token := callerOf(ctx).account, auth.NewToken()
	link := &store.ShareLink{
		ID: auth.NewID(), TokenSHA256: auth.TokenHash(token), ItemID: in.ID, CreatedBy: account.ID,
		ExpiresAt: instantOf(in.Body.ExpiresAt.Value),
	}
	if expiry := in.Body.ExpiresAt.Value; expiry != nil {
		if err := invalidField("expiresAt", rules.CheckExpiry(*expiry)); err != nil {
			return nil, err
		}
	}
	if err := a.store.CreateShareLink(ctx, account.Viewer(), link, mayShare(account)); err != nil {
		return nil, err
	}
	return &body[CreatedShareLink]{Body: CreatedShareLink{ShareLink: shareView(link), Token: token, URL: linkTo(ctx, sharedPath, token)}}, nil
}

func (a *api) deleteShareLink(ctx context.Context, in *oneShareLink) (*none, error) {
	account := callerOf(ctx).account
	return nil, a.store.DeleteShareLink(ctx, account.Viewer(), in.ID, in.LinkID, mayShare(account))
}

func (a *api) getShared(ctx context.Context, in *byToken) (*body[SharedItem], error) {
	item, _, err := a.store.SharedItem(ctx, auth.TokenHash(in.Token))
	if err != nil {
		return nil, err
	}
	return &body[SharedItem]{Body: SharedItem{Title: item.Title, Type: item.Kind, MIMEType: item.MIMEType, Size: item.Size}}, nil
}

func (a *api) streamShared(ctx context.Context, in *byToken) (*huma.StreamResponse, error) {
	token := auth.TokenHash(in.Token)
	item, _, err := a.store.SharedItem(ctx, token)
	if err != nil {
		return nil, err
	}
	stranger := "client " + network(clientOf(ctx))
	return a.sendFile(item, store.ErrShareNotFound, permission{to: stranger, key: "link " + token, ask: func(ctx context.Context) (store.Instant, error) {
		_, until, err := a.watching.SharedItem(ctx, token)
		return until, err
	}})
}

// webShared is the page of a public link: it shows what getShared tells, and plays the file.
func (a *api) webShared(b *browsing) (turn, error) {
	token := b.r.PathValue("token")
	item, _, err := a.store.SharedItem(b.r.Context(), auth.TokenHash(token))
	if err != nil {
		return turn{}, err
	}
	return b.show(http.StatusOK, "shared", item.Title, web.Shared{
		Title: item.Title, Kind: item.Kind, MIME: item.MIMEType, Size: web.Size(item.Size),
		File: "/v1/shared/" + url.PathEscape(token) + "/stream",
	}), nil
}

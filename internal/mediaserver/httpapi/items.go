package httpapi

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"mime"
	"net/http"
	"path"

	"github.com/danielgtaylor/huma/v2"
	"github.com/danielgtaylor/huma/v2/adapters/humago"
	"github.com/felixge/httpsnoop"

	"github.com/usher-media/usher/internal/mediaserver/mediafile"
	"github.com/usher-media/usher/internal/mediaserver/rules"
	"github.com/usher-media/usher/internal/mediaserver/store"
)

type (
	itemPage struct {
		ID   string         `path:"id"`
		Type mediafile.Kind `query:"type" enum:"video,audio,book,image,text"`
		PageQuery
	}
	searchPage struct {
		Query string         `query:"q" required:"true" minLength:"1" maxLength:"200" doc:"Part of a title, creator or series, in any letter case"`
		Type  mediafile.Kind `query:"type" enum:"video,audio,book,image,text"`
		PageQuery
	}
)

func (a *api) itemRoutes() {
	r := route{tag: "items", needs: rules.ReadBooks}
	add(a, r.at("/v1/libraries/{id}/items").with(http.MethodGet, "list-items", "What a library holds", 0), a.listItems)
	add(a, r.at("/v1/items/{id}").with(http.MethodGet, "get-item", "One media file", 0), a.getItem)
	add(a, r.at("/v1/search").with(http.MethodGet, "search", "Find items by title, creator or series, in all libraries that one may see", 0),
		a.search)
	stream := r.at("/v1/items/{id}/stream")
	add(a, stream.with(http.MethodGet, "stream-item", "The file itself, whole or in byte ranges", 0), a.stream)
	add(a, stream.with(http.MethodHead, "head-item", "Size, type and validators of the file", 0), a.stream)
}

// at returns the route for another path.
func (r route) at(path string) route {
	r.path = path
	return r
}

func (a *api) listItems(ctx context.Context, in *itemPage) (*body[Page[Item]], error) {
	if _, err := a.libraryFor(ctx, in.ID, rules.ReadBooks); err != nil {
		return nil, err
	}
	return a.items(ctx, store.ItemFilter{LibraryID: in.ID, Kind: in.Type}, in.page())
}

func (a *api) search(ctx context.Context, in *searchPage) (*body[Page[Item]], error) {
	return a.items(ctx, store.ItemFilter{Search: in.Query, Kind: in.Type}, in.page())
}

func (a *api) items(ctx context.Context, filter store.ItemFilter, page store.Page) (*body[Page[Item]], error) {
	list, err := a.store.Items(ctx, callerOf(ctx).account.Viewer(), filter, page)
	return pageOf(list, itemView), err
}

func (a *api) getItem(ctx context.Context, in *byID) (*body[Item], error) {
	item, err := a.store.Item(ctx, callerOf(ctx).account.Viewer(), in.ID)
	if err != nil {
		return nil, err
	}
	return &body[Item]{Body: itemView(item)}, nil
}

// stream answers with the file. A file that is gone since the last scan, or that a link now leads away from the
// library, is an item that does not exist.
func (a *api) stream(ctx context.Context, in *byID) (*huma.StreamResponse, error) {
	item, err := a.store.Item(ctx, callerOf(ctx).account.Viewer(), in.ID)
	if err != nil {
		return nil, err
	}
	return a.sendFile(item, store.ErrItemNotFound, a.stillSees(callerOf(ctx), item.ID))
}

// sendFile answers with the item's file, as long as that is allowed, or with missing where there is none any longer.
func (a *api) sendFile(item *store.Item, missing error, allowed permission) (*huma.StreamResponse, error) {
	file, err := a.roots.Open(item.Root, item.Path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, missing
	}
	if err != nil {
		return nil, err
	}
	return &huma.StreamResponse{Body: func(ctx huma.Context) {
		defer func() { _ = file.Close() }()
		r, w := humago.Unwrap(ctx)
		a.serveFile(w, r, item, file, allowed)
	}}, nil
}

// serveFile sends the open file, as long as that is allowed. The validators are made from the file as it is now, not as the last scan found it, so
// that a resumed download never joins two versions.
func (a *api) serveFile(w http.ResponseWriter, r *http.Request, item *store.Item, file *mediafile.File, allowed permission) {
	a.streams.send(w, file, allowed, func(content io.ReadSeeker) {
		modified := file.Info.ModTime()
		describeFile(w.Header(), item, file)
		http.ServeContent(inOurForm(w), r, "", modified, content)
	})
}

func describeFile(header http.Header, item *store.Item, file *mediafile.File) {
	header.Set("Content-Type", item.MIMEType)
	header.Set("Content-Disposition", mime.FormatMediaType("inline", map[string]string{"filename": path.Base(item.Path)}))
	header.Set("ETag", fmt.Sprintf(`"%x-%x"`, file.Info.Size(), file.Info.ModTime().UnixNano()))
	header.Set("Cache-Control", "private, no-cache")
	// A file is data, whatever it contains: no scripts, no frames, no forms. Browsers show no PDF in a sandbox, and run
	// none of its scripts as this server's.
	if item.MIMEType != "application/pdf" {
		header.Set("Content-Security-Policy", "sandbox; default-src 'none'")
	}
	// What a proxy in front has taken in before it is asked for would be delivered after the access has ended.
	header.Set("X-Accel-Buffering", "no")
}

// inOurForm gives the standard library's refusal of a range, which is plain text, the form of this server's errors.
func inOurForm(w http.ResponseWriter) http.ResponseWriter {
	refused := false
	return httpsnoop.Wrap(w, httpsnoop.Hooks{
		WriteHeader: func(next httpsnoop.WriteHeaderFunc) httpsnoop.WriteHeaderFunc {
			return func(status int) {
				if refused = status == http.StatusRequestedRangeNotSatisfiable; !refused {
					next(status)
					return
				}
				w.Header().Del("Content-Disposition")
				answer(w, status, "The file has no such bytes")
			}
		},
		Write: func(next httpsnoop.WriteFunc) httpsnoop.WriteFunc {
			return func(b []byte) (int, error) {
				if refused {
					return len(b), nil
				}
				return next(b)
			}
		},
	})
}

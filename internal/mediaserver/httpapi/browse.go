package httpapi

import (
	"bytes"
	"context"
	"io"
	"net/http"
	"time"

	"github.com/danielgtaylor/huma/v2"
	"github.com/danielgtaylor/huma/v2/adapters/humago"

	"github.com/usher-media/usher/internal/mediaserver/mediafile"
	"github.com/usher-media/usher/internal/mediaserver/rules"
	"github.com/usher-media/usher/internal/mediaserver/store"
)

// maxPosition is the longest position and duration, in milliseconds: a thousand hours. The tags below repeat it.
const maxPosition = 3_600_000_000

// finishedPercent of an item played is all of it: what is left are the credits.
const finishedPercent = 95

// Progress is how far the caller has come with an item.
type Progress struct {
	PositionMS int64      `json:"positionMs" doc:"In milliseconds"`
	DurationMS int64      `json:"durationMs" doc:"In milliseconds, as the player measured it; 0: unknown"`
	Finished   bool       `json:"finished"`
	UpdatedAt  *time.Time `json:"updatedAt" nullable:"true" doc:"Null: never begun"`
}

// Unfinished is an item that the caller has begun.
type Unfinished struct {
	Item     Item     `json:"item"`
	Progress Progress `json:"progress"`
}

func progressView(p store.Progress) Progress {
	return Progress{PositionMS: p.PositionMS, DurationMS: p.DurationMS, Finished: p.Finished, UpdatedAt: timeView(p.UpdatedAt)}
}

type (
	recentPage struct {
		Type mediafile.Kind `query:"type" enum:"video,audio,book,image,text"`
		PageQuery
	}
	progressChange struct {
		ID   string `path:"id"`
		Body struct {
			PositionMS int64 `json:"positionMs" minimum:"0" maximum:"3600000000" doc:"0 puts the item into what to continue"`
			DurationMS int64 `json:"durationMs,omitempty" minimum:"0" maximum:"3600000000"`
			Finished   *bool `json:"finished,omitempty" doc:"Absent: whether 95 % of the duration are over"`
		}
	}
)

// browseRoutes are the ways to find something, all of them through what the caller may see (Dubby access seed, lines 35
// to 45).
func (a *api) browseRoutes() {
	r := route{tag: "items", needs: rules.ReadBooks}
	add(a, r.at("/v1/recently-added").with(http.MethodGet, "list-recent", "The latest additions to all libraries that one may see", 0),
		a.listRecent)
	add(a, r.at("/v1/continue-watching").with(http.MethodGet, "list-unfinished", "What one has begun and not finished", 0),
		a.listUnfinished)
	add(a, r.at("/v1/recommendations").with(http.MethodGet, "list-recommended",
		"More by the makers and of the series of what one has begun", 0), a.listRecommended)
	progress := r.at("/v1/items/{id}/progress")
	add(a, progress.with(http.MethodGet, "get-progress", "How far one has come with an item", 0), a.getProgress)
	add(a, progress.with(http.MethodPut, "set-progress", "Note how far one has come with an item", 0), a.setProgress)
	add(a, progress.with(http.MethodDelete, "delete-progress", "Forget that one has begun an item", http.StatusNoContent), a.deleteProgress)
	artwork := r.at("/v1/items/{id}/artwork")
	add(a, artwork.with(http.MethodGet, "get-artwork", "The item's picture", 0), a.getArtwork)
	add(a, artwork.with(http.MethodHead, "head-artwork", "Size, type and validator of the picture", 0), a.getArtwork)
}

func (a *api) listRecent(ctx context.Context, in *recentPage) (*body[Page[Item]], error) {
	list, err := a.store.RecentItems(ctx, callerOf(ctx).account.Viewer(), in.Type, in.page())
	return pageOf(list, itemView), err
}

func (a *api) listRecommended(ctx context.Context, in *PageQuery) (*body[Page[Item]], error) {
	list, err := a.store.Recommended(ctx, callerOf(ctx).account.Viewer(), in.page())
	return pageOf(list, itemView), err
}

func (a *api) listUnfinished(ctx context.Context, in *PageQuery) (*body[Page[Unfinished]], error) {
	list, err := a.store.Unfinished(ctx, callerOf(ctx).account.Viewer(), in.page())
	return pageOf(list, func(b store.Begun) Unfinished {
		return Unfinished{Item: itemView(b.Item), Progress: progressView(b.Progress)}
	}), err
}

func (a *api) getProgress(ctx context.Context, in *byID) (*body[Progress], error) {
	progress, err := a.store.Progress(ctx, callerOf(ctx).account.Viewer(), in.ID)
	return &body[Progress]{Body: progressView(progress)}, err
}

func (a *api) setProgress(ctx context.Context, in *progressChange) (*body[Progress], error) {
	finished := in.Body.DurationMS > 0 && in.Body.PositionMS*100 >= in.Body.DurationMS*finishedPercent
	set(&finished, in.Body.Finished)
	progress, err := a.store.SaveProgress(ctx, callerOf(ctx).account.Viewer(), store.Progress{
		ItemID: in.ID, PositionMS: in.Body.PositionMS, DurationMS: in.Body.DurationMS, Finished: finished,
	})
	return &body[Progress]{Body: progressView(progress)}, err
}

func (a *api) deleteProgress(ctx context.Context, in *byID) (*none, error) {
	return nil, a.store.ForgetProgress(ctx, callerOf(ctx).account.Viewer(), in.ID)
}

func (a *api) getArtwork(ctx context.Context, in *byID) (*huma.StreamResponse, error) {
	artwork, err := a.artworkOf(ctx, in.ID)
	if err != nil {
		return nil, err
	}
	allowed := a.stillSees(callerOf(ctx), in.ID)
	return &huma.StreamResponse{Body: func(ctx huma.Context) {
		r, w := humago.Unwrap(ctx)
		a.serveArtwork(w, r, artwork, allowed)
	}}, nil
}

// artworkOf returns the item's picture. Errors: store.ErrItemNotFound, store.ErrArtworkNotFound for an item without one.
func (a *api) artworkOf(ctx context.Context, itemID string) (*store.Artwork, error) {
	item, err := a.store.Item(ctx, callerOf(ctx).account.Viewer(), itemID)
	if err != nil {
		return nil, err
	}
	return a.store.Artwork(ctx, item.ArtworkID)
}

// serveArtwork sends the picture, as long as that is allowed. Browsers keep it and ask each time whether it is still theirs to see.
func (a *api) serveArtwork(w http.ResponseWriter, r *http.Request, artwork *store.Artwork, allowed permission) {
	a.streams.send(w, bytes.NewReader(artwork.Data), allowed, func(content io.ReadSeeker) {
		header := w.Header()
		header.Set("Content-Type", artwork.MIMEType)
		header.Set("ETag", `"`+artwork.ID+`"`)
		header.Set("Cache-Control", "private, no-cache")
		header.Set("Content-Security-Policy", "sandbox; default-src 'none'")
		http.ServeContent(inOurForm(w), r, "", time.Time{}, content)
	})
}

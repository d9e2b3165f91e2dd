package httpapi

import (
	"context"
	"net/http"
	"slices"

	"github.com/usher-media/usher/internal/mediaserver/rules"
	"github.com/usher-media/usher/internal/mediaserver/store"
)

type itemChange struct {
	ID   string `path:"id"`
	Body struct {
		Title          *string `json:"title,omitempty" minLength:"1" maxLength:"500"`
		Description    *string `json:"description,omitempty" maxLength:"20000"`
		Creator        *string `json:"creator,omitempty" maxLength:"500"`
		Series         *string `json:"series,omitempty" maxLength:"500"`
		SeriesPosition *string `json:"seriesPosition,omitempty" maxLength:"20"`
	}
}

// contentRoutes are the writes to what a library holds. No file is ever changed.
func (a *api) contentRoutes() {
	r := route{path: "/v1/items/{id}", tag: "items", needs: rules.ReadBooks}
	add(a, r.with(http.MethodPatch, "update-item", "Write an item's metadata; scans leave it alone then", 0), a.patchItem)
	add(a, r.with(http.MethodDelete, "trash-item", "Put an item into its library's trash; the file stays", http.StatusNoContent),
		a.trashItem)
	add(a, r.at("/v1/items/{id}/restore").with(http.MethodPost, "restore-item", "Take an item out of the trash", 0), a.restoreItem)
	add(a, r.at("/v1/libraries/{id}/trash").with(http.MethodGet, "list-trash", "What is in a library's trash", 0), a.listTrash)
}

func (a *api) listTrash(ctx context.Context, in *libraryPage) (*body[Page[Item]], error) {
	if _, err := a.libraryToWrite(ctx, in.ID, rules.ManageMetadata); err != nil {
		return nil, err
	}
	return a.items(ctx, store.ItemFilter{LibraryID: in.ID, Trash: true}, in.page())
}

// updateItem lets change edit an item whose library the caller may write to, by its role there or by one of the
// capabilities. Something in the trash exists only for who may write.
func (a *api) updateItem(
	ctx context.Context, id, action string, change func(*store.Item, rules.InLibrary) error, by ...rules.Capability,
) (*store.Item, error) {
	account := callerOf(ctx).account
	return a.store.UpdateItem(ctx, account.Viewer(), id, action, func(item *store.Item, library *store.Library) error {
		in := library.In(account)
		if slices.ContainsFunc(by, func(c rules.Capability) bool { return in.CheckWrite(c) == nil }) {
			return change(item, in)
		}
		if !item.TrashedAt.IsZero() {
			return store.ErrItemNotFound
		}
		return rules.ErrForbidden
	})
}

func (a *api) patchItem(ctx context.Context, in *itemChange) (*body[Item], error) {
	item, err := a.updateItem(ctx, in.ID, "item.update", func(item *store.Item, at rules.InLibrary) error {
		if !item.TrashedAt.IsZero() {
			return store.ErrItemNotFound
		}
		if err := in.check(at); err != nil {
			return err
		}
		set(&item.Title, in.Body.Title)
		set(&item.Description, in.Body.Description)
		set(&item.Creator, in.Body.Creator)
		set(&item.Series, in.Body.Series)
		set(&item.SeriesPosition, in.Body.SeriesPosition)
		item.Edited = true
		return nil
	}, rules.ManageMetadata, rules.EditSeries, rules.EditPeople)
	if err != nil {
		return nil, err
	}
	return &body[Item]{Body: itemView(item)}, nil
}

// check asks for the pairs of the Shisho seed that series and people take besides, and for text that can be stored.
func (in *itemChange) check(at rules.InLibrary) error {
	check := new(rules.Check)
	for _, field := range []struct {
		path  string
		value *string
		needs rules.Capability
	}{
		{"title", in.Body.Title, rules.ManageMetadata}, {"description", in.Body.Description, rules.ManageMetadata},
		{"creator", in.Body.Creator, rules.EditPeople}, {"series", in.Body.Series, rules.EditSeries},
		{"seriesPosition", in.Body.SeriesPosition, rules.EditSeries},
	} {
		if field.value == nil {
			continue
		}
		if err := at.CheckWrite(field.needs); err != nil {
			return err
		}
		check.Field(field.path, rules.CheckText(*field.value, field.path == "description"))
	}
	return check.Err()
}

func (a *api) trashItem(ctx context.Context, in *byID) (*none, error) {
	_, err := a.updateItem(ctx, in.ID, "item.trash", func(item *store.Item, _ rules.InLibrary) error {
		if !item.TrashedAt.IsZero() {
			return store.ErrItemNotFound
		}
		item.TrashedAt = store.At(a.now())
		return nil
	}, rules.ManageMetadata)
	return nil, err
}

func (a *api) restoreItem(ctx context.Context, in *byID) (*body[Item], error) {
	item, err := a.updateItem(ctx, in.ID, "item.restore", func(item *store.Item, _ rules.InLibrary) error {
		item.TrashedAt = 0
		return nil
	}, rules.ManageMetadata)
	if err != nil {
		return nil, err
	}
	return &body[Item]{Body: itemView(item)}, nil
}

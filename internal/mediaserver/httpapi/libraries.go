package httpapi

import (
	"context"
	"fmt"
	"net/http"
	"slices"

	"github.com/usher-media/usher/internal/mediaserver/auth"
	"github.com/usher-media/usher/internal/mediaserver/rules"
	"github.com/usher-media/usher/internal/mediaserver/store"
)

// Flags are a library's features, all off at first (Alcoves seed, line 27). It is exported because the framework fills in
// embedded fields only then.
type Flags struct {
	SharingEnabled  *bool `json:"sharingEnabled,omitempty" doc:"Whether public share links can be made and work"`
	FaceRecognition *bool `json:"faceRecognition,omitempty"`
	ObjectDetection *bool `json:"objectDetection,omitempty"`
}

func (f Flags) apply(library *store.Library) {
	set(&library.SharingEnabled, f.SharingEnabled)
	set(&library.FaceRecognition, f.FaceRecognition)
	set(&library.ObjectDetection, f.ObjectDetection)
}

type (
	newLibrary struct {
		Body struct {
			Name  string            `json:"name" minLength:"1" maxLength:"100"`
			Type  rules.LibraryType `json:"type" enum:"movies,shows,music,books,audiobooks,comics,podcasts,photos,mixed"`
			Paths []string          `json:"paths" minItems:"1" maxItems:"100" nullable:"false"`
			Emoji OptionalText      `json:"emoji,omitempty"`
			Flags
		}
	}
	libraryChange struct {
		ID   string `path:"id"`
		Body struct {
			Name  *string            `json:"name,omitempty" minLength:"1" maxLength:"100"`
			Type  *rules.LibraryType `json:"type,omitempty" doc:"Cannot change"`
			Paths []string           `json:"paths,omitempty" minItems:"1" maxItems:"100" nullable:"false"`
			Emoji OptionalText       `json:"emoji,omitempty" doc:"Null or empty clears it"`
			Flags
		}
	}
)

func (a *api) libraryRoutes() {
	r := route{path: "/v1/libraries", tag: "libraries"}
	r.needs = rules.BrowseMedia
	create, one := r, r
	create.needs = rules.CreateLibraries
	one.path += "/{id}"
	again := one
	again.path += "/scan"
	add(a, r.with(http.MethodGet, "list-libraries", "The libraries that one may see", 0), a.listLibraries)
	add(a, create.with(http.MethodPost, "create-library", "Make a library and scan it", http.StatusCreated), a.createLibrary)
	add(a, one.with(http.MethodGet, "get-library", "One library", 0), a.getLibrary)
	add(a, one.with(http.MethodPatch, "update-library", "Change a library", 0), a.patchLibrary)
	add(a, one.with(http.MethodDelete, "delete-library", "Delete an empty library", http.StatusNoContent), a.deleteLibrary)
	add(a, again.with(http.MethodPost, "scan-library", "Look for new and gone files", http.StatusAccepted), a.scanLibrary)
}

// libraryFor returns a library that the caller may see and for which it has the capability. What it may not see gives
// store.ErrLibraryNotFound, before anything else is looked at: 404 for reads and writes alike.
func (a *api) libraryFor(ctx context.Context, id string, needs rules.Capability) (*store.Library, error) {
	account := callerOf(ctx).account
	library, err := a.store.Library(ctx, account.Viewer(), id)
	if err != nil {
		return nil, err
	}
	if !account.Actor().Can(needs) {
		return nil, rules.ErrForbidden
	}
	return library, nil
}

// libraryToWrite returns a library that the caller may see and write to, by its role in it or by a capability.
func (a *api) libraryToWrite(ctx context.Context, id string, by rules.Capability) (*store.Library, error) {
	account := callerOf(ctx).account
	library, err := a.store.Library(ctx, account.Viewer(), id)
	if err != nil {
		return nil, err
	}
	return library, library.In(account).CheckWrite(by)
}

func (a *api) libraryBody(ctx context.Context, library *store.Library, err error) (*body[Library], error) {
	if err != nil {
		return nil, err
	}
	if err := a.store.CountItems(ctx, library); err != nil {
		return nil, err
	}
	return &body[Library]{Body: libraryView(library, callerOf(ctx).account)}, nil
}

func (a *api) listLibraries(ctx context.Context, in *PageQuery) (*body[Page[Library]], error) {
	account := callerOf(ctx).account
	list, err := a.store.Libraries(ctx, account.Viewer(), in.page())
	if err == nil {
		err = a.store.CountItems(ctx, list.Items...)
	}
	return pageOf(list, func(l *store.Library) Library { return libraryView(l, account) }), err
}

func (a *api) getLibrary(ctx context.Context, in *byID) (*body[Library], error) {
	library, err := a.libraryFor(ctx, in.ID, rules.BrowseMedia)
	return a.libraryBody(ctx, library, err)
}

func (a *api) createLibrary(ctx context.Context, in *newLibrary) (*body[Library], error) {
	account := callerOf(ctx).account
	library := &store.Library{
		ID: auth.NewID(), Name: in.Body.Name, Type: in.Body.Type, Paths: in.Body.Paths, Emoji: in.Body.Emoji.Value,
		CreatedBy: account.ID,
	}
	in.Body.Flags.apply(library)
	check := new(rules.Check)
	check.Field("type", rules.CheckLibraryType(library.Type))
	checkLibrary(check, library)
	a.checkPaths(check, nil, library.Paths)
	if err := check.Err(); err != nil {
		return nil, err
	}
	if err := a.store.CreateLibrary(ctx, library); err != nil {
		return nil, err
	}
	return a.rescan(ctx, library.ID)
}

func checkLibrary(check *rules.Check, library *store.Library) {
	check.Field("name", rules.CheckLibraryName(library.Name))
	if library.Emoji != "" {
		check.Field("emoji", rules.CheckEmoji(library.Emoji))
	}
}

// checkPaths looks at the directories that the library does not have yet: one that it has may be unreachable for now.
func (a *api) checkPaths(check *rules.Check, have, wanted []string) {
	for i, path := range wanted {
		field := fmt.Sprintf("paths[%d]", i)
		if slices.Contains(wanted[:i], path) {
			check.Field(field, "names a directory for the second time")
			continue
		}
		if slices.Contains(have, path) {
			continue
		}
		if message := rules.CheckPath(path); message != "" {
			check.Field(field, message)
		} else if err := a.roots.Check(path); err != nil {
			check.Field(field, err.Error())
		}
	}
}

// rescan starts a scan and returns the library with its running state.
func (a *api) rescan(ctx context.Context, id string) (*body[Library], error) {
	if err := a.scans.Start(ctx, id); err != nil {
		return nil, err
	}
	library, err := a.store.Library(ctx, callerOf(ctx).account.Viewer(), id)
	return a.libraryBody(ctx, library, err)
}

func (a *api) patchLibrary(ctx context.Context, in *libraryChange) (*body[Library], error) {
	library, err := a.libraryToWrite(ctx, in.ID, rules.EditLibraries)
	if err != nil {
		return nil, err
	}
	account := callerOf(ctx).account
	moved := in.Body.Paths != nil && !slices.Equal(in.Body.Paths, library.Paths)
	if moved {
		if err := mayMove(account, library); err != nil {
			return nil, err
		}
	}
	if err := a.checkLibraryChange(library, in); err != nil {
		return nil, err
	}
	library, err = a.store.UpdateLibrary(ctx, account.Viewer(), in.ID, func(library *store.Library) error {
		shared := library.SharingEnabled
		in.apply(library)
		if err := library.In(account).CheckSharing(shared, library.SharingEnabled); err != nil {
			return err
		}
		return library.In(account).CheckWrite(rules.EditLibraries)
	})
	if err != nil || !moved {
		return a.libraryBody(ctx, library, err)
	}
	return a.rescan(ctx, in.ID)
}

// mayMove reports whether the account may choose the library's directories: whoever does can read everything below the
// root folders, so this is no matter for editors and a library's admins.
func mayMove(account *store.Account, library *store.Library) error {
	switch {
	case library.Personal:
		return rules.ErrPersonalMoved
	case !account.Actor().Can(rules.CreateLibraries):
		return rules.ErrForbidden
	}
	return nil
}

func (in *libraryChange) apply(library *store.Library) {
	set(&library.Name, in.Body.Name)
	in.Body.Flags.apply(library)
	in.Body.Emoji.apply(&library.Emoji)
	if in.Body.Paths != nil {
		library.Paths = in.Body.Paths
	}
}

func (a *api) checkLibraryChange(library *store.Library, in *libraryChange) error {
	changed, check := *library, new(rules.Check)
	in.apply(&changed)
	if in.Body.Type != nil && *in.Body.Type != library.Type {
		check.Field("type", "cannot change; make another library instead")
	}
	checkLibrary(check, &changed)
	a.checkPaths(check, library.Paths, changed.Paths)
	return check.Err()
}

func (a *api) deleteLibrary(ctx context.Context, in *byID) (*none, error) {
	account := callerOf(ctx).account
	return nil, a.store.DeleteLibrary(ctx, account.Viewer(), in.ID, func(library *store.Library) error {
		return library.In(account).CheckDelete()
	})
}

func (a *api) scanLibrary(ctx context.Context, in *byID) (*body[Library], error) {
	library, err := a.libraryToWrite(ctx, in.ID, rules.ScanLibraries)
	if err != nil {
		return nil, err
	}
	if err := a.store.NoteScan(ctx, library); err != nil {
		return nil, err
	}
	return a.rescan(ctx, in.ID)
}

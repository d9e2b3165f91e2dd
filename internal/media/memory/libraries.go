package memory

import (
	"context"
	"maps"
	"slices"

	"github.com/usher-media/usher/internal/media"
	"github.com/usher-media/usher/internal/media/fold"
)

// Library reads one library.
func (d *driver) Library(ctx context.Context, id media.LibraryID) (media.Library, error) {
	return d.onLibrary(ctx, Call{Op: Library, Library: id}, func(*media.Library) error { return nil })
}

// onLibrary runs one call about a library and returns the library as it is after it.
func (d *driver) onLibrary(ctx context.Context, call Call, act func(*media.Library) error) (read media.Library, err error) {
	err = d.signed(ctx, call, func(_ *account, call *Call) error {
		l := d.store.library(call.Library)
		if l == nil {
			return media.Errorf(media.NotFound, "there is no such library")
		}
		if err := act(l); err != nil {
			return err
		}
		read = copyLibrary(l)
		return nil
	})
	if err != nil {
		return media.Library{}, err
	}
	return read, nil
}

// CreateLibrary makes an empty library that is in nobody's list.
func (d *driver) CreateLibrary(ctx context.Context, want media.NewLibrary) (created media.Library, err error) {
	err = d.signed(ctx, Call{Op: CreateLibrary, Name: want.Name}, func(_ *account, call *Call) error {
		s := d.store
		if err := s.checkNewLibrary(want); err != nil {
			return err
		}
		made := &media.Library{
			ID: media.LibraryID(s.newID("library")), Name: want.Name, MediaType: want.MediaType,
			Paths: slices.Clone(want.Paths), Settings: s.defaultSettings(), Created: s.created(),
		}
		maps.Copy(made.Settings, want.Settings)
		s.addLibrary(made)
		created, call.Library = copyLibrary(made), made.ID
		return nil
	})
	if err != nil {
		return media.Library{}, err
	}
	return created, nil
}

func (s *Store) defaultSettings() map[string]string {
	settings := map[string]string{}
	for _, name := range s.capabilities.LibrarySettings {
		settings[name] = ""
		if name == publicSharing {
			settings[name] = "false"
		}
	}
	return settings
}

// UpdateLibrary changes the named fields, all or none.
func (d *driver) UpdateLibrary(ctx context.Context, id media.LibraryID, change media.LibraryChange) (media.Library, error) {
	call := Call{Op: UpdateLibrary, Library: id, Fields: libraryFields(change)}
	return d.onLibrary(ctx, call, func(l *media.Library) error {
		if err := d.store.checkLibraryChange(l, change); err != nil {
			return err
		}
		edited := copyLibrary(l)
		if change.Name != nil {
			edited.Name = *change.Name
		}
		if change.Paths != nil {
			edited.Paths = slices.Clone(change.Paths)
		}
		if edited.Settings == nil {
			edited.Settings = map[string]string{}
		}
		maps.Copy(edited.Settings, change.Settings)
		*l = edited
		return nil
	})
}

func libraryFields(change media.LibraryChange) []string {
	var fields []string
	if change.Name != nil {
		fields = append(fields, "name")
	}
	if change.Paths != nil {
		fields = append(fields, "paths")
	}
	for name := range change.Settings {
		fields = append(fields, "settings."+name)
	}
	slices.Sort(fields)
	return fields
}

// DeleteLibrary deletes an empty library and all access to it.
func (d *driver) DeleteLibrary(ctx context.Context, id media.LibraryID) error {
	_, err := d.onLibrary(ctx, Call{Op: DeleteLibrary, Library: id}, func(l *media.Library) error {
		switch {
		case !d.store.capabilities.DeleteLibrary:
			return unsupported("delete a library")
		case l.Items > 0:
			return media.Errorf(media.Conflict, "the library is not empty")
		}
		d.store.removeLibrary(id)
		return nil
	})
	return err
}

// nameTaken says whether another library has the name, where names are unique.
func (s *Store) nameTaken(name string, except media.LibraryID) bool {
	return s.options.UniqueLibraryNames && slices.ContainsFunc(s.libraries, func(l *media.Library) bool {
		return l.ID != except && fold.Unicode(l.Name) == fold.Unicode(name)
	})
}

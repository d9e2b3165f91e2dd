package media

import (
	"context"
	"errors"
	"strconv"
)

// ReadLibrary reads a library live.
func (s *Server) ReadLibrary(ctx context.Context, id LibraryID) (library Library, err error) {
	ticket := s.inventory.begin(s.now())
	err = s.read(ctx, "GetLibrary", func(ctx context.Context) error {
		library, err = s.driver.Library(ctx, id)
		return aboutLibrary(id, library, err, Unavailable)
	})
	if err == nil {
		s.inventory.observeLibrary(ticket, library)
	}
	return library, err
}

// CreateLibrary makes a library. One creation runs at a time, so that each sees what the one before made.
func (s *Server) CreateLibrary(ctx context.Context, want NewLibrary) (library Library, err error) {
	if want.Name == "" {
		return Library{}, classify("CreateLibrary", Errorf(Invalid, "a library needs a name"))
	}
	leave, err := s.turn(ctx, s.creating, "CreateLibrary")
	if err != nil {
		return Library{}, err
	}
	defer leave()
	return s.writeLibrary(ctx, "CreateLibrary", want.Name, func(ctx context.Context) (Library, error) {
		library, err := s.driver.CreateLibrary(ctx, want)
		return library, aboutLibrary(library.ID, library, err, Ambiguous)
	})
}

// ErrNotTheSame is the cause of a Conflict: the library, read live, is not the one that the caller means.
var ErrNotTheSame = errors.New("not the same library")

// UpdateLibrary changes those of the named fields that differ, if the library, read live, is the one that is meant.
func (s *Server) UpdateLibrary(ctx context.Context, id LibraryID, meant func(Library) bool, change LibraryChange) (Library, error) {
	current, err := s.readMeant(ctx, "UpdateLibrary", id, meant)
	if err != nil {
		return Library{}, err
	}
	if change = change.from(current); change.IsZero() {
		return current, nil
	}
	return s.writeLibrary(ctx, "UpdateLibrary", current.Name, func(ctx context.Context) (Library, error) {
		library, err := s.driver.UpdateLibrary(ctx, id, change)
		return library, aboutLibrary(id, library, err, Ambiguous)
	})
}

// readMeant reads a library live, and answers Conflict for one that is not the one that is meant.
func (s *Server) readMeant(ctx context.Context, operation string, id LibraryID, meant func(Library) bool) (Library, error) {
	current, err := s.ReadLibrary(ctx, id)
	if err == nil && !meant(current) {
		err = &Error{Code: Conflict, Op: operation, Message: presentable("the library is now "+strconv.Quote(current.Name)+", and is not the one that was meant", nil), cause: ErrNotTheSame}
	}
	return current, err
}

// DeleteLibrary deletes an empty library, if it is, read live, the one that is meant; Conflict when it is not, or not
// empty. One that is gone already is no error.
func (s *Server) DeleteLibrary(ctx context.Context, id LibraryID, meant func(Library) bool) error {
	current, err := s.readMeant(ctx, "DeleteLibrary", id, meant)
	if err == nil {
		err = s.write(ctx, "DeleteLibrary", current.Name, func(ctx context.Context) error {
			if able, ok := s.driver.(LibraryDeleter); ok {
				return able.DeleteLibrary(ctx, id)
			}
			return unsupported("delete a library")
		})
	}
	if err == nil || CodeOf(err) == NotFound {
		s.inventory.removeLibrary(id)
		return nil
	}
	return err
}

func (s *Server) writeLibrary(ctx context.Context, operation, name string, write func(context.Context) (Library, error)) (library Library, err error) {
	err = s.write(ctx, operation, name, func(ctx context.Context) error {
		library, err = write(ctx)
		return err
	})
	if err == nil {
		s.inventory.recordLibrary(library)
	}
	return library, err
}

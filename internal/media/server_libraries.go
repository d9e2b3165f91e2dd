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

// CreateLibrary makes a library. One creation runs at a time, so that each sees what the one before made. Where names are
// not unique, the libraries are listed first: AlreadyExists when one has the name by now, which is then in the Inventory.
func (s *Server) CreateLibrary(ctx context.Context, want NewLibrary) (library Library, err error) {
	if want.Name == "" {
		return Library{}, classify("CreateLibrary", Errorf(Invalid, "a library needs a name"))
	}
	leave, err := s.turn(ctx, s.creating, "CreateLibrary")
	if err != nil {
		return Library{}, err
	}
	defer leave()
	if err := s.nameFree(ctx, want.Name); err != nil {
		return Library{}, err
	}
	return s.writeLibrary(ctx, "CreateLibrary", want.Name, func(ctx context.Context) (Library, error) {
		library, err := s.driver.CreateLibrary(ctx, want)
		return library, aboutLibrary(library.ID, library, err, Ambiguous)
	})
}

func (s *Server) nameFree(ctx context.Context, name string) error {
	if s.traits.LibraryNamesUnique {
		return nil
	}
	ticket := s.inventory.begin(s.now())
	var libraries []Library
	err := s.read(ctx, "ListLibraries", func(ctx context.Context) (err error) {
		if able, ok := s.driver.(LibraryLister); ok {
			libraries, err = able.Libraries(ctx)
			return err
		}
		listing, err := s.driver.List(ctx)
		libraries = listing.Libraries
		return err
	})
	if e, ok := err.(*Error); ok {
		e.Unsent = e.Code == Unavailable // nothing but reads was sent
		return e
	}
	for _, library := range libraries {
		if library.Name == name {
			s.inventory.observeLibrary(ticket, library)
			err = &Error{Code: AlreadyExists, Op: "CreateLibrary", Message: "somebody made a library of that name meanwhile"}
		}
	}
	return err
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

package media

import "context"

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

// UpdateLibrary changes those of the named fields that differ, after reading the library live.
func (s *Server) UpdateLibrary(ctx context.Context, id LibraryID, change LibraryChange) (Library, error) {
	current, err := s.ReadLibrary(ctx, id)
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

// DeleteLibrary deletes an empty library whose name, read live, is still the expected one; Conflict when it is
// not empty or named otherwise. One that is gone already is no error.
func (s *Server) DeleteLibrary(ctx context.Context, id LibraryID, name string) error {
	current, err := s.ReadLibrary(ctx, id)
	if err == nil && current.Name != name {
		return &Error{Code: Conflict, Op: "DeleteLibrary", Message: presentable("the library is now named "+current.Name, nil)}
	}
	if err == nil {
		err = s.write(ctx, "DeleteLibrary", name, func(ctx context.Context) error {
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

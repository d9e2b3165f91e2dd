package memory

import (
	"slices"
	"strconv"
	"strings"

	"github.com/usher-media/usher/internal/media"
)

// publicSharing is the library setting that is a truth value.
const publicSharing = "publicSharing"

func unsupported(what string) error {
	return media.Errorf(media.Unsupported, "this server cannot %s", what)
}

func invalid(what string) error {
	return media.Errorf(media.Invalid, "the server refuses the %s", what)
}

// first returns the first error there is.
func first(checks ...func() error) error {
	for _, check := range checks {
		if err := check(); err != nil {
			return err
		}
	}
	return nil
}

func (s *Store) checkNewAccount(self *account, want media.NewAccount) error {
	return first(
		func() error { return s.checkRole(self, want.Role) },
		func() error { return s.checkAccess(want.Role, want.Access) },
		func() error { return s.checkPassword(want.Password, want.MustChangePassword) },
		func() error { return s.checkUsername(want.Username) },
		func() error { return s.checkEmail(want.Email, "") },
		func() error {
			switch {
			case want.Disabled && !s.capabilities.Disable:
				return unsupported("disable an account")
			case want.ID != "" && !s.capabilities.ChosenIDs:
				return unsupported("give an account the id that it is to have")
			case want.ID != "" && s.find(want.ID) != nil:
				return media.Errorf(media.AlreadyExists, "the id is taken")
			case want.DisplayName != "" && !s.capabilities.DisplayName:
				return unsupported("keep a display name")
			}
			return nil
		},
	)
}

func (s *Store) checkUsername(username string) error {
	switch {
	case username == "" || len(username) > 256 || strings.TrimSpace(username) != username:
		return invalid("username")
	case s.named(username) != nil:
		return media.Errorf(media.AlreadyExists, "the username is taken")
	}
	return nil
}

// checkEmail checks an address for the account with that id, or for a new one.
func (s *Store) checkEmail(email string, holder media.AccountID) error {
	switch {
	case email == "" && s.traits.KeyedByEmail:
		return invalid("email: every account needs one")
	case email == "":
		return nil
	case !s.capabilities.Email:
		return unsupported("keep an email address")
	case !strings.Contains(email, "@"):
		return invalid("email")
	}
	if a := s.mailed(email); a != nil && a.ID != holder {
		return media.Errorf(media.AlreadyExists, "the email address is taken")
	}
	return nil
}

func (s *Store) checkPassword(password string, mustChange bool) error {
	switch {
	case mustChange && !s.capabilities.RequirePasswordChange:
		return unsupported("make a person choose another password")
	case len(password) < s.traits.MinPassword || len(password) > s.traits.MaxPassword:
		return invalid("password: its length")
	}
	return nil
}

// checkRole says whether self may give the role.
func (s *Store) checkRole(self *account, role media.Role) error {
	info, known := s.capabilities.Roles[role]
	switch {
	case !known:
		return unsupported("give that role")
	case role == media.RoleOwner:
		return invalid("role: there is exactly one owner")
	case !info.Assignable, info.Administers && self.Role != media.RoleOwner:
		return media.Errorf(media.PermissionDenied, "the account may not give that role")
	}
	return nil
}

// checkAccess says whether the server can keep the access for an account of that role.
func (s *Store) checkAccess(role media.Role, want media.Access) error {
	switch {
	case want.All && !s.capabilities.AccessAll:
		return unsupported("give access to all libraries")
	case !want.All && len(want.Libraries) == 0 && !s.capabilities.ZeroAccess && !s.capabilities.Roles[role].SeesAll:
		return unsupported("give access to no library")
	}
	for id, libraryRole := range want.Libraries {
		switch {
		case !s.capabilities.HasLibraryRole(libraryRole):
			return unsupported("give that role in a library")
		case s.library(id) == nil:
			return invalid("access: there is no such library")
		}
	}
	return nil
}

func (s *Store) checkAccountChange(self, subject *account, change media.AccountChange) error {
	if change.Email != nil {
		if err := s.checkEmail(*change.Email, subject.ID); err != nil {
			return err
		}
	}
	if change.DisplayName != nil && !s.capabilities.DisplayName {
		return unsupported("keep a display name")
	}
	if change.Role == nil || *change.Role == subject.Role {
		return nil
	}
	if err := s.checkTouch(self, subject); err != nil {
		return err
	}
	return s.checkRole(self, *change.Role)
}

// checkTouch guards the owner and Usher's own account, and keeps administrators from each other.
func (s *Store) checkTouch(self, subject *account) error {
	switch {
	case subject.Role == media.RoleOwner:
		return media.Errorf(media.Conflict, "the owner cannot be changed")
	case subject == self:
		return media.Errorf(media.Conflict, "an account cannot do this to itself")
	}
	return s.checkRank(self, subject)
}

// checkRank lets only the owner touch another administrator.
func (s *Store) checkRank(self, subject *account) error {
	if subject != self && self.Role != media.RoleOwner && s.capabilities.Roles[subject.Role].Administers {
		return media.Errorf(media.PermissionDenied, "the account may not do this to an administrator")
	}
	return nil
}

func (s *Store) checkNewLibrary(want media.NewLibrary) error {
	return first(
		func() error { return s.checkLibraryName(want.Name, "") },
		func() error { return checkPaths(want.Paths) },
		func() error { return s.checkSettings(want.Settings) },
		func() error {
			if !s.capabilities.HasMediaType(want.MediaType) {
				return unsupported("keep a library of that media type")
			}
			return nil
		},
	)
}

func (s *Store) checkLibraryChange(l *media.Library, change media.LibraryChange) error {
	if change.Name != nil {
		if err := s.checkLibraryName(*change.Name, l.ID); err != nil {
			return err
		}
	}
	if change.Paths != nil {
		if err := checkPaths(change.Paths); err != nil {
			return err
		}
	}
	return s.checkSettings(change.Settings)
}

func (s *Store) checkLibraryName(name string, holder media.LibraryID) error {
	switch {
	case name == "" || len(name) > 400:
		return invalid("name")
	case s.nameTaken(name, holder):
		return media.Errorf(media.AlreadyExists, "the name is taken")
	}
	return nil
}

func checkPaths(paths []string) error {
	relative := func(path string) bool { return !strings.HasPrefix(path, "/") }
	if len(paths) == 0 || slices.ContainsFunc(paths, relative) {
		return invalid("paths")
	}
	return nil
}

func (s *Store) checkSettings(settings map[string]string) error {
	for name, value := range settings {
		if !slices.Contains(s.capabilities.LibrarySettings, name) {
			return unsupported("keep that setting of a library")
		}
		if _, err := strconv.ParseBool(value); name == publicSharing && err != nil {
			return invalid("setting " + publicSharing)
		}
	}
	return nil
}

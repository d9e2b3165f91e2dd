package media

import "unicode/utf8"

// What is checked once for all drivers: what is asked before anything is sent, and that an answer is about what was
// asked.

func (s *Server) checkNewAccount(want NewAccount) error {
	switch {
	case want.Username == "":
		return Errorf(Invalid, "an account needs a username")
	case !s.traits.AllowsUsername(want.Username):
		return Errorf(Invalid, "a username needs %d to %d characters on this type of media server", s.traits.MinUsername, s.traits.MaxUsername)
	case want.Email == "" && s.traits.KeyedByEmail:
		return Errorf(Invalid, "an account on this type of media server needs an email address")
	}
	return s.checkPassword(want.Password)
}

func (s *Server) checkPassword(password string) error {
	if n := utf8.RuneCountInString(password); n < s.traits.MinPasswordCharacters {
		return Errorf(Invalid, "the password must have %d characters at least on this type of media server", s.traits.MinPasswordCharacters)
	}
	if len(password) < s.traits.MinPassword || s.traits.MaxPassword > 0 && len(password) > s.traits.MaxPassword {
		return Errorf(Invalid, "the password must have %d to %d bytes on this type of media server", s.traits.MinPassword, s.traits.MaxPassword)
	}
	return nil
}

// aboutAccount makes an answer about another account, or about none, an error of that class.
func aboutAccount(id AccountID, account Account, err error, otherwise Code) error {
	if err == nil && (account.ID == "" || account.ID != id) {
		return Errorf(otherwise, "the server answered about another account")
	}
	return err
}

// aboutLibrary is aboutAccount for a library.
func aboutLibrary(id LibraryID, library Library, err error, otherwise Code) error {
	if err == nil && (library.ID == "" || library.ID != id) {
		return Errorf(otherwise, "the server answered about another library")
	}
	return err
}

// AllowsUsername says whether a username is neither too short nor too long.
func (t Traits) AllowsUsername(username string) bool {
	n := utf8.RuneCountInString(username)
	return n >= t.MinUsername && (t.MaxUsername == 0 || n <= t.MaxUsername)
}

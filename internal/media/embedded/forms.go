package embedded

import (
	"bytes"
	"encoding/json"
	"errors"
	"slices"
	"strconv"
	"time"

	"github.com/usher-media/usher/internal/media"
	"github.com/usher-media/usher/internal/media/wire"
)

// errForm says that an answer is JSON, but not of the server's form. What is missing in it might be read as "nobody"
// or "no library", so nothing of it is used (R4).
var errForm = errors.New("not the server's form")

// The forms that the server answers in. Fields that a newer server adds are ignored.
type (
	server struct {
		ID            string `json:"id"`
		Version       string `json:"version"`
		SetupRequired bool   `json:"setupRequired"`
		Registration  string `json:"registration"`
		// ChosenUserIDs: a new user takes the id that the request has. Earlier versions do not say so.
		ChosenUserIDs bool `json:"chosenUserIds"`
	}
	signedIn struct {
		Token     string    `json:"token"`
		ExpiresAt time.Time `json:"expiresAt"`
		User      user      `json:"user"`
	}
	session struct {
		User user `json:"user"`
		// Absent from a server that does not tell it, or not to this account.
		OpenReferencedInvites *int `json:"openReferencedInvites"`
	}
	user struct {
		ID                 string      `json:"id"`
		Username           string      `json:"username"`
		Email              *string     `json:"email"`
		DisplayName        string      `json:"displayName"`
		Role               string      `json:"role"`
		Disabled           *bool       `json:"disabled"`
		MustChangePassword bool        `json:"mustChangePassword"`
		PasswordChosen     bool        `json:"passwordChosen"`
		PasswordSetAt      wire.Moment `json:"passwordSetAt"`
		Access             *access     `json:"access"`
		CreatedAt          wire.Moment `json:"createdAt"`
	}
	access struct {
		All       *bool         `json:"all"`
		Libraries []accessEntry `json:"libraries"`
	}
	accessEntry struct {
		LibraryID string `json:"libraryId"`
		Role      string `json:"role"`
	}
	library struct {
		ID             string      `json:"id"`
		Name           string      `json:"name"`
		Type           string      `json:"type"`
		Paths          []string    `json:"paths"`
		Emoji          *string     `json:"emoji"`
		Personal       bool        `json:"personal"`
		SharingEnabled bool        `json:"sharingEnabled"`
		ItemCount      *int        `json:"itemCount"`
		CreatedAt      wire.Moment `json:"createdAt"`
	}
	// entry is what a page holds.
	entry interface {
		id() string
		check() error
	}
	page[T entry] struct {
		Items      []T    `json:"items"`
		NextCursor cursor `json:"nextCursor"`
	}
	// cursor tells null, the end of a list, from a field that is missing because the answer is not a page.
	cursor struct {
		present bool
		value   string
	}
)

// UnmarshalJSON notes that the field was there.
func (c *cursor) UnmarshalJSON(raw []byte) error {
	c.present = true
	if bytes.Equal(raw, []byte("null")) {
		return nil
	}
	return json.Unmarshal(raw, &c.value)
}

// Check implements wire.Checker.
func (s *server) Check() error {
	_, known := registrations[s.Registration]
	return form(s.ID != "" && s.Version != "" && known)
}

// Check implements wire.Checker.
func (s *signedIn) Check() error {
	if s.Token == "" {
		return errForm
	}
	return s.User.check()
}

// Check implements wire.Checker.
func (s *session) Check() error { return s.User.check() }

// Check implements wire.Checker.
func (u *user) Check() error { return u.check() }

// Check implements wire.Checker.
func (l *library) Check() error { return l.check() }

// Check implements wire.Checker.
func (p *page[T]) Check() error {
	if p.Items == nil || !p.NextCursor.present {
		return errForm
	}
	for _, item := range p.Items {
		if err := item.check(); err != nil {
			return err
		}
	}
	return nil
}

func (u user) id() string    { return u.ID }
func (l library) id() string { return l.ID }

func (u user) check() error {
	if u.ID == "" || u.Username == "" || u.Role == "" || u.Disabled == nil || u.Access == nil {
		return errForm
	}
	if u.Access.All == nil || u.Access.Libraries == nil {
		return errForm
	}
	return form(!slices.ContainsFunc(u.Access.Libraries, accessEntry.strange))
}

// strange says whether the entry names no library, or a role that is not known: it is never rounded up or down.
func (e accessEntry) strange() bool {
	_, known := libraryRoles[e.Role]
	return e.LibraryID == "" || !known
}

func (l library) check() error {
	_, known := mediaTypes[l.Type]
	return form(l.ID != "" && l.Name != "" && known && l.Paths != nil && l.ItemCount != nil)
}

func form(good bool) error {
	if !good {
		return errForm
	}
	return nil
}

func (s signedIn) token() wire.Token { return wire.Token{Value: s.Token, Expires: s.ExpiresAt} }

// account converts what check found to be complete.
func (u user) account() media.Account {
	account := media.Account{
		ID: media.AccountID(u.ID), Username: u.Username, DisplayName: u.DisplayName, Role: roleOf(u.Role),
		Access:   media.Access{All: *u.Access.All, Libraries: make(map[media.LibraryID]media.LibraryRole, len(u.Access.Libraries))},
		Disabled: *u.Disabled, MustChangePassword: u.MustChangePassword, PasswordChosen: u.PasswordChosen, PasswordSet: u.PasswordSetAt.Time, Created: u.CreatedAt.Time,
	}
	if u.Email != nil {
		account.Email = *u.Email
	}
	for _, e := range u.Access.Libraries {
		account.Access.Libraries[media.LibraryID(e.LibraryID)] = libraryRoles[e.Role]
	}
	return account
}

// is converts the answer about one account, which must be about that account: otherwise it is an error of that class.
func (u user) is(id media.AccountID, otherwise media.Code) (media.Account, error) {
	if u.ID != string(id) {
		return media.Account{}, media.Errorf(otherwise, "%s: the server answered with another account", userPath)
	}
	return u.account(), nil
}

func (l library) library() media.Library {
	settings := map[string]string{settingEmoji: "", settingSharing: strconv.FormatBool(l.SharingEnabled)}
	if l.Emoji != nil {
		settings[settingEmoji] = *l.Emoji
	}
	return media.Library{
		ID: media.LibraryID(l.ID), Name: l.Name, MediaType: mediaTypes[l.Type], Paths: l.Paths, Items: *l.ItemCount,
		Settings: settings, Personal: l.Personal, Created: l.CreatedAt.Time,
	}
}

// is converts the answer about one library, which must be about that library: otherwise it is an error of that class.
func (l library) is(id media.LibraryID, otherwise media.Code) (media.Library, error) {
	if l.ID != string(id) {
		return media.Library{}, media.Errorf(otherwise, "%s: the server answered with another library", libraryPath)
	}
	return l.library(), nil
}

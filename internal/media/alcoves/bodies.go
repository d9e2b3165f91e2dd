package alcoves

import (
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
	account struct {
		ID          string    `json:"id"`
		Email       string    `json:"email"`
		DisplayName string    `json:"displayName"`
		Role        string    `json:"role"`
		CreatedAt   time.Time `json:"createdAt"`
	}
	accounts []account
	library  struct {
		ID              string      `json:"id"`
		Name            *string     `json:"name"`
		Emoji           *string     `json:"emoji"`
		IsDefault       *bool       `json:"isDefault"`
		Faces           *bool       `json:"faceRecognitionEnabled"`
		Objects         *bool       `json:"objectDetectionEnabled"`
		Sharing         *bool       `json:"sharingEnabled"`
		OwnerID         string      `json:"ownerId"`
		CurrentUserRole string      `json:"currentUserRole"`
		CreatedAt       wire.Moment `json:"createdAt"`
	}
	libraries []library
	// sharing is who sees a library.
	sharing struct {
		LibraryID   string   `json:"libraryId"`
		Members     []member `json:"members"`
		InviteLinks []link   `json:"inviteLinks"`
	}
	member struct {
		UserID  string `json:"userId"`
		Role    string `json:"role"`
		IsOwner bool   `json:"isOwner"`
	}
	link struct {
		ID        string     `json:"id"`
		Token     string     `json:"token"`
		MaxUses   *int       `json:"maxUses"`
		UseCount  int        `json:"useCount"`
		ExpiresAt *time.Time `json:"expiresAt"`
		Uses      []linkUse  `json:"uses"`
	}
	linkUse struct {
		UsedAt time.Time `json:"usedAt"`
		User   account   `json:"user"`
	}
	// reply is an answer that says no more than that something was done.
	reply struct {
		OK      bool `json:"ok"`
		Success bool `json:"success"`
	}
	accepted struct {
		LibraryID string `json:"libraryId"`
	}
	version struct {
		Version string `json:"version"`
	}
	mode struct {
		Mode string `json:"mode"`
	}
	settings struct {
		Registration string `json:"registration_mode"`
	}
	stats struct {
		Users *int `json:"users"`
	}
)

func form(good bool) error {
	if !good {
		return errForm
	}
	return nil
}

// Check implements wire.Checker.
func (a *account) Check() error {
	_, known := roles[a.Role]
	return form(isID(a.ID) && a.Email != "" && known)
}

// Check implements wire.Checker. There is always an account: the one that asks.
func (a *accounts) Check() error {
	ids := map[string]bool{}
	for _, one := range *a {
		if err := one.Check(); err != nil || ids[one.ID] {
			return errForm
		}
		ids[one.ID] = true
	}
	return form(len(*a) > 0)
}

// Check implements wire.Checker.
func (l *library) Check() error {
	return form(isID(l.ID) && l.Name != nil && l.IsDefault != nil && l.Faces != nil && l.Objects != nil && l.Sharing != nil &&
		isID(l.OwnerID) && slices.Contains([]string{wordOwner, wordAdmin, wordViewer}, l.CurrentUserRole))
}

// Check implements wire.Checker. The own personal library is always among them: a list without it comes of an error
// that the server kept to itself (section 9).
func (l *libraries) Check() error {
	ids, personal := map[string]bool{}, false
	for _, one := range *l {
		if err := one.Check(); err != nil || ids[one.ID] {
			return errForm
		}
		ids[one.ID] = true
		personal = personal || *one.IsDefault && one.CurrentUserRole == wordOwner
	}
	return form(personal)
}

// Check implements wire.Checker. The owner is always a member: a list without comes of an error that the server kept
// to itself (section 9).
func (s *sharing) Check() error {
	owned := false
	for _, one := range s.Members {
		_, known := libraryRoles[one.Role]
		if !isID(one.UserID) || (!known && !one.IsOwner) {
			return errForm
		}
		owned = owned || one.IsOwner
	}
	for _, one := range s.InviteLinks {
		if err := one.Check(); err != nil {
			return err
		}
	}
	return form(isID(s.LibraryID) && owned && s.InviteLinks != nil)
}

// Check implements wire.Checker.
func (l *link) Check() error { return form(isID(l.ID) && l.Token != "") }

// Check implements wire.Checker.
func (r *reply) Check() error { return form(r.OK || r.Success) }

// Check implements wire.Checker.
func (a *accepted) Check() error { return form(isID(a.LibraryID)) }

// Check implements wire.Checker.
func (v *version) Check() error { return form(v.Version != "") }

// Check implements wire.Checker.
func (s *stats) Check() error { return form(s.Users != nil) }

// Check implements wire.Checker.
func (m *mode) Check() error {
	_, known := registrations[m.Mode]
	return form(known)
}

// Check implements wire.Checker.
func (s *settings) Check() error {
	_, known := registrations[s.Registration]
	return form(known)
}

// account converts what Check found to be complete.
func (a account) account() media.Account {
	return media.Account{
		ID: media.AccountID(a.ID), Username: a.Email, Email: a.Email, DisplayName: a.DisplayName, Role: roles[a.Role],
		Access: media.Access{}.Clone(), Created: media.Moment(a.CreatedAt),
	}
}

// library converts what Check found to be complete.
func (l library) library() media.Library {
	emoji := ""
	if l.Emoji != nil {
		emoji = *l.Emoji
	}
	return media.Library{
		ID: media.LibraryID(l.ID), Name: *l.Name, MediaType: onlyType, Personal: *l.IsDefault, Items: -1,
		Created: l.CreatedAt.Time, Owner: media.AccountID(l.OwnerID),
		Settings: map[string]string{
			settingEmoji: emoji, settingFaces: strconv.FormatBool(*l.Faces), settingObjects: strconv.FormatBool(*l.Objects),
			settingSharing: strconv.FormatBool(*l.Sharing),
		},
	}
}

// manageable says whether Usher's account may change who sees the library.
func (l library) manageable() bool { return l.CurrentUserRole != wordViewer && !*l.IsDefault }

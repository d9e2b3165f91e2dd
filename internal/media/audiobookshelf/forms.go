package audiobookshelf

import (
	"encoding/json"
	"errors"
	"slices"
	"strings"
	"time"

	"github.com/usher-media/usher/internal/media"
)

// errForm says that an answer is JSON, but not of the server's form. What is missing in it might be read as "nobody"
// or "no library", so nothing of it is used (R4).
var errForm = errors.New("not the server's form")

// The forms that the server answers in. Fields that a newer server adds are ignored. Nearly every answer about an account
// holds a token of it that never ends: no field takes it.
type (
	status struct {
		App         string   `json:"app"`
		Version     string   `json:"serverVersion"`
		IsInit      *bool    `json:"isInit"`
		AuthMethods []string `json:"authMethods"`
	}
	signedIn struct {
		User struct {
			ID           string `json:"id"`
			Username     string `json:"username"`
			AccessToken  string `json:"accessToken"`
			RefreshToken string `json:"refreshToken"`
		} `json:"user"`
	}
	user struct {
		ID         string  `json:"id"`
		Username   string  `json:"username"`
		Email      *string `json:"email"`
		Type       string  `json:"type"`
		IsActive   *bool   `json:"isActive"`
		CreatedAt  moment  `json:"createdAt"`
		ByOpenID   bool    `json:"hasOpenIDLink"`
		Rights     rights  `json:"permissions"`
		Accessible ids     `json:"librariesAccessible"`
		Tags       ids     `json:"itemTagsSelected"`
	}
	// rights are those that the row of an account holds; what is no yes or no is not among them.
	rights map[string]bool
	// ids is a list of texts; nil where the row has none.
	ids   []string
	users struct {
		Users []user `json:"users"`
	}
	changedUser struct {
		Success bool `json:"success"`
		User    user `json:"user"`
	}
	createdUser struct {
		User user `json:"user"`
	}
	library struct {
		ID        string   `json:"id"`
		Name      string   `json:"name"`
		Folders   []folder `json:"folders"`
		Icon      string   `json:"icon"`
		MediaType string   `json:"mediaType"`
		Provider  string   `json:"provider"`
		CreatedAt moment   `json:"createdAt"`
	}
	folder struct {
		ID       string `json:"id"`
		FullPath string `json:"fullPath"`
	}
	libraries struct {
		Libraries []library `json:"libraries"`
	}
	// count is a page of items of which only the number matters.
	count struct {
		Total *int `json:"total"`
	}
	// done is the answer to a deletion.
	done struct {
		Success bool `json:"success"`
	}
	// moment is a time in milliseconds; what is none is the zero time.
	moment struct{ time.Time }
)

// UnmarshalJSON takes every value, since a row that somebody wrote by hand may hold any: what is no object has no rights.
func (r *rights) UnmarshalJSON(raw []byte) error {
	var fields map[string]json.RawMessage
	if json.Unmarshal(raw, &fields) != nil || fields == nil {
		*r = nil
		return nil
	}
	*r = rights{}
	for name, value := range fields {
		if text := string(value); text == "true" || text == "false" {
			(*r)[name] = text == "true"
		}
	}
	return nil
}

// UnmarshalJSON takes every value: what is no list of texts is none.
func (l *ids) UnmarshalJSON(raw []byte) error {
	var list []*string
	*l = nil
	if json.Unmarshal(raw, &list) != nil || list == nil || slices.Contains(list, nil) {
		return nil
	}
	*l = ids{}
	for _, id := range list {
		*l = append(*l, *id)
	}
	return nil
}

// UnmarshalJSON takes every value.
func (m *moment) UnmarshalJSON(raw []byte) error {
	var milliseconds int64
	*m = moment{}
	if json.Unmarshal(raw, &milliseconds) == nil && milliseconds > 0 {
		m.Time = media.Moment(time.UnixMilli(milliseconds))
	}
	return nil
}

// Check implements wire.Checker.
func (s *status) Check() error {
	return form(s.App == "audiobookshelf" && s.Version != "" && s.IsInit != nil && s.AuthMethods != nil)
}

// Check implements wire.Checker. A server before 2.26 gives no access token.
func (s *signedIn) Check() error {
	return form(s.User.ID != "" && s.User.Username != "" && s.User.AccessToken != "" && s.User.RefreshToken != "")
}

// Check implements wire.Checker.
func (u *user) Check() error { return form(u.ID != "" && u.Username != "" && u.IsActive != nil) }

// Check implements wire.Checker.
func (u *users) Check() error {
	if u.Users == nil {
		return errForm
	}
	for i := range u.Users {
		if err := u.Users[i].Check(); err != nil {
			return err
		}
	}
	return nil
}

// Check implements wire.Checker.
func (c *changedUser) Check() error { return errors.Join(form(c.Success), c.User.Check()) }

// Check implements wire.Checker.
func (c *createdUser) Check() error { return c.User.Check() }

// Check implements wire.Checker.
func (l *library) Check() error {
	missing := slices.ContainsFunc(l.Folders, func(f folder) bool { return f.ID == "" || f.FullPath == "" })
	return form(l.ID != "" && l.Name != "" && l.MediaType != "" && l.Folders != nil && !missing)
}

// Check implements wire.Checker.
func (l *libraries) Check() error {
	if l.Libraries == nil {
		return errForm
	}
	for i := range l.Libraries {
		if err := l.Libraries[i].Check(); err != nil {
			return err
		}
	}
	return nil
}

// Check implements wire.Checker.
func (c *count) Check() error { return form(c.Total != nil) }

// Check implements wire.Checker.
func (d *done) Check() error { return form(d.Success) }

func form(good bool) error {
	if !good {
		return errForm
	}
	return nil
}

// whole says whether the row of an account has what the server needs when it changes the access: with a part of it missing,
// the server ends (contract, the additions of November 2026).
func (u user) whole() bool {
	_, all := u.Rights["accessAllLibraries"]
	_, tags := u.Rights["accessAllTags"]
	return all && tags && u.Accessible != nil && u.Tags != nil
}

func (u user) all() bool { return u.Rights["accessAllLibraries"] }

// exposed says whether the account is listed every library, though none opens.
func (u user) exposed() bool { return !u.all() && len(u.Accessible) == 0 }

func (u user) email() string {
	if u.Email == nil {
		return ""
	}
	return *u.Email
}

// suffices says whether an account may do what Usher needs, and is shown all libraries.
func (u user) suffices() error {
	var missing []string
	if u.Type != typeRoot && u.Type != typeAdmin {
		missing = append(missing, "the type admin")
	}
	if !u.all() {
		missing = append(missing, "access to all libraries")
	}
	if len(u.Accessible) > 0 {
		missing = append(missing, "an empty list of single libraries (with the list, only those are listed)")
	}
	if len(missing) > 0 {
		return media.Errorf(media.PermissionDenied, "the account that Usher uses lacks: %s", strings.Join(missing, ", "))
	}
	return nil
}

// seesItems says whether an account counts every item of a library.
func (u user) seesItems() bool { return u.Rights["accessAllTags"] && u.Rights["accessExplicitContent"] }

func (l library) paths() []string {
	paths := make([]string, 0, len(l.Folders))
	for _, f := range l.Folders {
		paths = append(paths, f.FullPath)
	}
	return paths
}

func (l library) library() media.Library {
	return media.Library{
		ID: media.LibraryID(l.ID), Name: l.Name, MediaType: mediaTypeOf(l.MediaType), Paths: l.paths(), Items: -1,
		Created: l.CreatedAt.Time, Settings: map[string]string{settingProvider: l.Provider, settingIcon: l.Icon},
	}
}

package shisho

import (
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
	// person is the account that is signed in.
	person struct {
		ID                 int      `json:"id"`
		Username           string   `json:"username"`
		Permissions        []string `json:"permissions"`
		LibraryAccess      optional `json:"library_access"`
		MustChangePassword bool     `json:"must_change_password"`
	}
	user struct {
		ID                 int     `json:"id"`
		Username           string  `json:"username"`
		Email              string  `json:"email"`
		IsActive           *bool   `json:"is_active"`
		MustChangePassword *bool   `json:"must_change_password"`
		Role               *role   `json:"role"`
		Grants             []grant `json:"library_access"`
	}
	grant struct {
		// Library is null for all libraries.
		Library optional `json:"library_id"`
	}
	role struct {
		ID          int          `json:"id"`
		Name        string       `json:"name"`
		IsSystem    bool         `json:"is_system"`
		CreatedAt   time.Time    `json:"created_at"`
		Permissions []permission `json:"permissions"`
	}
	permission struct {
		Resource  string `json:"resource"`
		Operation string `json:"operation"`
	}
	library struct {
		ID               int         `json:"id"`
		Name             string      `json:"name"`
		Organize         *bool       `json:"organize_file_structure"`
		CoverAspectRatio string      `json:"cover_aspect_ratio"`
		CreatedAt        wire.Moment `json:"created_at"`
		Paths            []folder    `json:"library_paths"`
	}
	folder struct {
		Path string `json:"filepath"`
	}
	// listed is what a list holds.
	listed interface {
		id() int
		check() error
	}
	list[T listed] struct {
		Items []T  `json:"items"`
		Total *int `json:"total"`
	}
	// optional tells null from a field that is missing.
	optional struct {
		present bool
		raw     json.RawMessage
	}
)

// UnmarshalJSON notes that the field was there.
func (o *optional) UnmarshalJSON(raw []byte) error {
	o.present, o.raw = true, slices.Clone(raw)
	return nil
}

func (o optional) null() bool { return string(o.raw) == "null" }

// number returns the number that the field holds; 0 for none.
func (o optional) number() int {
	n, err := strconv.Atoi(string(o.raw))
	if err != nil {
		return 0
	}
	return n
}

// Check implements wire.Checker.
func (p *person) Check() error { return form(p.ID > 0 && p.Username != "" && p.LibraryAccess.present) }

// Check implements wire.Checker.
func (u *user) Check() error { return u.check() }

// Check implements wire.Checker.
func (l *library) Check() error { return l.check() }

// Check implements wire.Checker.
func (l *list[T]) Check() error {
	if l.Items == nil || l.Total == nil {
		return errForm
	}
	for _, item := range l.Items {
		if err := item.check(); err != nil {
			return err
		}
	}
	return nil
}

func (u user) id() int    { return u.ID }
func (r role) id() int    { return r.ID }
func (l library) id() int { return l.ID }

func (u user) check() error {
	if u.ID <= 0 || u.Username == "" || u.IsActive == nil || u.MustChangePassword == nil || u.Role == nil || u.Role.check() != nil {
		return errForm
	}
	return form(!slices.ContainsFunc(u.Grants, func(g grant) bool {
		return !g.Library.present || (!g.Library.null() && g.Library.number() <= 0)
	}))
}

func (r role) check() error { return form(r.ID > 0 && r.Name != "") }

func (l library) check() error {
	return form(l.ID > 0 && l.Name != "" && l.Organize != nil && l.CoverAspectRatio != "" && l.Paths != nil)
}

func form(good bool) error {
	if !good {
		return errForm
	}
	return nil
}

// all says whether the account sees every library.
func (u user) all() bool {
	return slices.ContainsFunc(u.Grants, func(g grant) bool { return g.Library.null() })
}

// open says whether the account can be used and is shown every list, since it was granted nothing.
func (u user) open() bool { return *u.IsActive && len(u.Grants) == 0 }

// granted are the ids of the libraries that the account was granted, the placeholder among them.
func (u user) granted() []int {
	var ids []int
	for _, g := range u.Grants {
		if !g.Library.null() {
			ids = append(ids, g.Library.number())
		}
	}
	return ids
}

func (l library) paths() []string {
	paths := make([]string, 0, len(l.Paths))
	for _, p := range l.Paths {
		paths = append(paths, p.Path)
	}
	return paths
}

func (l library) library() media.Library {
	return media.Library{
		ID: libraryID(l.ID), Name: l.Name, MediaType: mediaType, Paths: l.paths(), Items: -1, Created: l.CreatedAt.Time,
		Settings: map[string]string{
			settingOrganize: strconv.FormatBool(*l.Organize), settingCover: coverWord(l.CoverAspectRatio),
		},
	}
}

func libraryID(id int) media.LibraryID { return media.LibraryID(strconv.Itoa(id)) }
func accountID(id int) media.AccountID { return media.AccountID(strconv.Itoa(id)) }

// number reads an id as the server writes it; 0 for what can be none of its ids.
func number[ID ~string](id ID) int {
	n, err := strconv.Atoi(string(id))
	if err != nil || n <= 0 || strconv.Itoa(n) != string(id) {
		return 0
	}
	return n
}

func noAccount() error { return media.Errorf(media.NotFound, "there is no such account") }
func noLibrary() error { return media.Errorf(media.NotFound, "there is no such library") }

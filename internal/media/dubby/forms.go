package dubby

import (
	"bytes"
	"encoding/json"
	"errors"
	"slices"
	"strings"

	"github.com/usher-media/usher/internal/media"
	"github.com/usher-media/usher/internal/media/wire"
)

// errForm says that an answer is JSON, but not of the server's form: nothing of it is used (rule R4).
var errForm = errors.New("not the server's form")

type (
	signedIn struct {
		Token string `json:"token"`
		User  struct {
			ID string `json:"id"`
		} `json:"user"`
	}
	// session is null, or who is signed in.
	session struct {
		User *struct {
			ID string `json:"id"`
		} `json:"user"`
	}
	// library is what is likely of one (section 5).
	library struct {
		ID    string `json:"id"`
		Name  string `json:"name"`
		Type  string `json:"type"`
		Paths paths  `json:"paths"`
		Items *int   `json:"itemCount"`
		// Personal is told by servers where everybody has a library of their own, which nobody is granted.
		Personal  bool        `json:"personal"`
		CreatedAt wire.Moment `json:"createdAt"`
	}
	// paths come as an array, or as a string that holds a JSON array (section 5).
	paths []string
	// permission names its user in one of two ways (section 6).
	permission struct {
		UserID string `json:"userId"`
		User   *struct {
			ID string `json:"id"`
		} `json:"user"`
	}
	// user is an account without its access.
	user struct {
		id, email, role, name string
		active                bool
		created               wire.Moment
	}
)

// Check implements wire.Checker.
func (s *signedIn) Check() error { return form(s.Token != "" && s.User.ID != "") }

// UnmarshalJSON takes null, and what names a user.
func (s *session) UnmarshalJSON(raw []byte) error {
	type plain session
	if bytes.Equal(raw, []byte("null")) {
		return nil
	}
	if err := json.Unmarshal(raw, (*plain)(s)); err != nil {
		return err
	}
	return form(s.User != nil && s.User.ID != "")
}

// UnmarshalJSON takes both forms.
func (p *paths) UnmarshalJSON(raw []byte) error {
	var packed string
	if json.Unmarshal(raw, &packed) == nil && strings.HasPrefix(packed, "[") {
		raw = []byte(packed)
	}
	return json.Unmarshal(raw, (*[]string)(p))
}

// Check implements wire.Checker.
func (l *library) Check() error {
	return form(l.ID != "" && l.Name != "" && l.Type != "" && l.Paths != nil)
}

func form(good bool) error {
	if !good {
		return errForm
	}
	return nil
}

func (l library) library() media.Library {
	items := -1
	if l.Items != nil {
		items = *l.Items
	}
	return media.Library{
		Personal: l.Personal, Created: l.CreatedAt.Time,
		ID: media.LibraryID(l.ID), Name: l.Name, MediaType: typeOf(l.Type), Paths: slices.Clone([]string(l.Paths)), Items: items,
	}
}

func (p permission) user() media.AccountID {
	if p.UserID == "" && p.User != nil {
		return media.AccountID(p.User.ID)
	}
	return media.AccountID(p.UserID)
}

// readUser reads an account by the names that its operation's answer has for the fields.
func readUser(raw json.RawMessage, names map[key]string) (user, error) {
	var fields map[string]json.RawMessage
	if err := json.Unmarshal(raw, &fields); err != nil {
		return user{}, err
	}
	u := user{active: true}
	for k, into := range map[key]*string{keyID: &u.id, keyEmail: &u.email, keyRole: &u.role} {
		if json.Unmarshal(fields[names[k]], into) != nil || *into == "" {
			return user{}, errForm
		}
	}
	if name := names[keyActive]; name != "" {
		var active *bool
		if json.Unmarshal(fields[name], &active) != nil || active == nil {
			return user{}, errForm
		}
		u.active = *active
	}
	if name := names[keyName]; name != "" {
		_ = json.Unmarshal(fields[name], &u.name) // null and absent: none
	}
	if name := names[keyCreated]; name != "" {
		_ = json.Unmarshal(fields[name], &u.created) // absent: not told
	}
	return u, form(strings.Contains(u.email, "@"))
}

// account joins an account with its access.
func (u user) account(access media.Access) media.Account {
	return media.Account{
		ID: media.AccountID(u.id), Username: u.email, Email: u.email, DisplayName: u.name, Role: roleOf(u.role),
		Access: access, Disabled: !u.active, Created: u.created.Time,
	}
}

package jellyfin

import (
	"encoding/json"
	"errors"
	"slices"
	"strings"

	"github.com/usher-media/usher/internal/media"
)

// errForm says that an answer is JSON, but not of the server's form. What is missing in it might be read as "nobody" or "no
// library", so nothing of it is used (R4).
var errForm = errors.New("not the server's form")

// The forms that the server answers in. Fields that a newer server adds are ignored, and kept where they are written back.
type (
	// public is what the server says of itself to everybody. The setup server that answers while the real one starts says so,
	// too (section 2).
	public struct {
		ID        string `json:"Id"`
		Version   string `json:"Version"`
		Completed *bool  `json:"StartupWizardCompleted"`
	}
	signedIn struct {
		User  person `json:"User"`
		Token string `json:"AccessToken"`
	}
	person struct {
		ID   string `json:"Id"`
		Name string `json:"Name"`
	}
	// list is one of those that count what they hold.
	list[T any] struct {
		Items []T  `json:"Items"`
		Total *int `json:"TotalRecordCount"`
	}
	key struct {
		Token string `json:"AccessToken"`
	}
	device struct {
		ID       string `json:"Id"`
		LastUser string `json:"LastUserId"`
	}
	// user is an account, with all that the server tells of it.
	user struct {
		person
		LastLogin string
		policy    policy
		raw       document
	}
	users []user
	// document is a JSON object of which every field stays as it came.
	document map[string]json.RawMessage
	// policy is what this driver reads of one.
	policy struct {
		Administrator *bool    `json:"IsAdministrator"`
		Disabled      *bool    `json:"IsDisabled"`
		All           *bool    `json:"EnableAllFolders"`
		Folders       []string `json:"EnabledFolders"`
		Blocked       []string `json:"BlockedMediaFolders"`
		Provider      string   `json:"AuthenticationProviderId"`
		Reset         string   `json:"PasswordResetProviderId"`
		Failures      int      `json:"InvalidLoginAttemptCount"`
		MaxFailures   *int     `json:"LoginAttemptsBeforeLockout"`
		raw           document
	}
	folder struct {
		Name string `json:"Name"`
		// Item is missing while a library is on its way (B.9).
		Item      string   `json:"ItemId"`
		Kind      string   `json:"CollectionType"`
		Locations []string `json:"Locations"`
	}
	folders []folder
)

func form(good bool) error {
	if !good {
		return errForm
	}
	return nil
}

// id reads one of the server's: 32 hexadecimal digits, with or without dashes. Empty for anything else.
func id(text string) string {
	text = strings.ToLower(strings.ReplaceAll(text, "-", ""))
	if len(text) != 32 || strings.Trim(text, "0123456789abcdef") != "" {
		return ""
	}
	return text
}

// Check implements wire.Checker.
func (p *public) Check() error {
	p.ID = id(p.ID)
	return form(p.ID != "" && p.Completed != nil && parseVersion(p.Version) != version{})
}

// Check implements wire.Checker.
func (s *signedIn) Check() error { return errors.Join(form(s.Token != ""), s.User.Check()) }

// Check implements wire.Checker.
func (p *person) Check() error {
	p.ID = id(p.ID)
	return form(p.ID != "" && p.Name != "")
}

// Check implements wire.Checker.
func (l *list[T]) Check() error {
	return form(l.Items != nil && l.Total != nil && *l.Total >= len(l.Items))
}

// UnmarshalJSON keeps all fields.
func (u *user) UnmarshalJSON(raw []byte) error {
	if err := json.Unmarshal(raw, &u.raw); err != nil {
		return err
	}
	var known struct {
		person
		LastLogin *string         `json:"LastLoginDate"`
		Policy    json.RawMessage `json:"Policy"`
	}
	if err := json.Unmarshal(raw, &known); err != nil {
		return err
	}
	if known.LastLogin != nil {
		u.LastLogin = *known.LastLogin
	}
	u.person = known.person
	return json.Unmarshal(known.Policy, &u.policy)
}

// UnmarshalJSON keeps all fields.
func (p *policy) UnmarshalJSON(raw []byte) error {
	type known policy
	if err := json.Unmarshal(raw, (*known)(p)); err != nil {
		return err
	}
	return json.Unmarshal(raw, &p.raw)
}

// Check implements wire.Checker.
func (u *user) Check() error {
	p := &u.policy
	whole := p.Administrator != nil && p.Disabled != nil && p.All != nil && p.Folders != nil && p.Provider != "" && p.Reset != ""
	if err := errors.Join(u.person.Check(), form(whole)); err != nil {
		return errForm
	}
	for _, ids := range [][]string{p.Folders, p.Blocked} {
		for i := range ids {
			if ids[i] = id(ids[i]); ids[i] == "" {
				return errForm
			}
		}
	}
	return nil
}

// Check implements wire.Checker. A server has an administrator at all times (section 5): a list without one is not all.
func (u *users) Check() error {
	seen := map[string]bool{}
	for i := range *u {
		one := &(*u)[i]
		if one.Check() != nil || seen[one.ID] {
			return errForm
		}
		seen[one.ID] = true
	}
	return form(slices.ContainsFunc(*u, user.administers))
}

// Check implements wire.Checker.
func (f *folders) Check() error {
	if *f == nil {
		return errForm
	}
	for i := range *f {
		one := &(*f)[i]
		if one.Name == "" || one.Locations == nil || one.Item != "" && id(one.Item) == "" {
			return errForm
		}
		one.Item = id(one.Item)
	}
	return nil
}

func (u user) administers() bool { return *u.policy.Administrator }

// lockedOut says whether the server itself disabled the account, after too many wrong passwords (section 6). From 10.11.9 to
// 10.11.11 failures are counted and nobody is locked out, so that the count alone says nothing (A.2).
func (u user) lockedOut() bool {
	limit := u.policy.MaxFailures
	return *u.policy.Disabled && limit != nil && *limit > 0 && u.policy.Failures >= *limit
}

func (u user) role() media.Role {
	if u.administers() {
		return media.RoleAdmin
	}
	return media.RoleMember
}

// with returns a copy of the document with some fields replaced.
func (d document) with(fields map[string]any) (document, error) {
	changed := make(document, len(d)+len(fields))
	for name, value := range d {
		changed[name] = value
	}
	for name, value := range fields {
		raw, err := json.Marshal(value)
		if err != nil {
			return nil, media.Errorf(media.Invalid, "a field cannot be written as JSON")
		}
		changed[name] = raw
	}
	return changed, nil
}

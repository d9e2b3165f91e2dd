package audiobookshelf

import (
	"encoding/json"
	"path"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/usher-media/usher/internal/media"
)

const (
	maxUsername    = 255
	maxLibraryName = 100
	maxPaths       = 50
	maxWord        = 100
)

// The bodies of all requests. None has a field for a scan schedule, with which the server never starts again, and no field
// that is a list is ever null (contract, section 1).
type (
	login struct {
		Username string `json:"username"`
		Password string `json:"password"`
	}
	firstAccount struct {
		NewRoot login `json:"newRoot"`
	}
	newUser struct {
		Username string `json:"username"`
		Password string `json:"password"`
		Email    string `json:"email,omitempty"`
		Type     string `json:"type"`
		// IsActive is always sent: without it, nobody can sign in (contract, section 4).
		IsActive    bool `json:"isActive"`
		Permissions seen `json:"permissions"`
	}
	// seen is what an account sees. It is sent in this place alone: a list beside the permissions would count instead, also
	// an empty one, or not at all (contract, section 5).
	seen struct {
		All  bool     `json:"accessAllLibraries"`
		List []string `json:"librariesAccessible"`
	}
	accessChange struct {
		Permissions seen `json:"permissions"`
		// IsActive enables the account in the same step; nil leaves it.
		IsActive *bool `json:"isActive,omitempty"`
	}
	activeChange struct {
		IsActive bool `json:"isActive"`
	}
	passwordChange struct {
		Password string `json:"password"`
	}
	profileChange struct {
		Email       string          `json:"email,omitempty"`
		Type        string          `json:"type,omitempty"`
		Permissions map[string]bool `json:"permissions,omitempty"`
	}
	newLibrary struct {
		Name      string      `json:"name"`
		MediaType string      `json:"mediaType"`
		Folders   []newFolder `json:"folders"`
		Provider  string      `json:"provider,omitempty"`
		Icon      string      `json:"icon,omitempty"`
	}
	libraryChange struct {
		Name     string      `json:"name,omitempty"`
		Provider string      `json:"provider,omitempty"`
		Icon     string      `json:"icon,omitempty"`
		Folders  []newFolder `json:"folders,omitempty"`
	}
	// newFolder is one that stays, by its id, or one that is added, by its path: a path that is there already, given without
	// its id, would destroy everybody's progress in what it holds (contract, section 6).
	newFolder struct {
		ID   string `json:"id,omitempty"`
		Path string `json:"path,omitempty"`
	}
	// devices are all e-reader devices, with the fields that are not known here as they were.
	devices struct {
		Devices []map[string]json.RawMessage `json:"ereaderDevices"`
	}
)

func (l login) check() error {
	if err := text("username", l.Username, maxUsername); err != nil {
		return err
	}
	return password(l.Password)
}

func (f firstAccount) check() error { return f.NewRoot.check() }

func (u newUser) check() error {
	if err := (login{u.Username, u.Password}).check(); err != nil {
		return err
	}
	if u.Email != "" {
		if err := text("email address", u.Email, maxUsername); err != nil {
			return err
		}
	}
	if !isGiven(u.Type) {
		return refused("an account's type is none of the server's")
	}
	return u.Permissions.check()
}

func (s seen) check() error {
	if s.List == nil || s.All != (len(s.List) == 0) {
		return refused("an account's list of libraries does not go with its flag for all of them")
	}
	for i, id := range s.List {
		if !isID(id) || i > 0 && s.List[i-1] >= id {
			return refused("an account's list of libraries holds what is no id, or is not in order")
		}
	}
	return nil
}

func (c accessChange) check() error   { return c.Permissions.check() }
func (c activeChange) check() error   { return nil }
func (c passwordChange) check() error { return password(c.Password) }

func (c profileChange) check() error {
	switch {
	case c.Email == "" && c.Type == "":
		return refused("a change of an account changes nothing")
	case c.Type != "" && !isGiven(c.Type):
		return refused("an account's type is none of the server's")
	case c.Email != "":
		return text("email address", c.Email, maxUsername)
	}
	for right := range c.Permissions {
		if right != "delete" && !slices.Contains(byType, right) {
			return refused("a right is none that goes with a type")
		}
	}
	return nil
}

func (l newLibrary) check() error {
	if _, known := mediaTypeOf(l.MediaType), slices.Contains([]string{"book", "podcast"}, l.MediaType); !known {
		return refused("a library's type is none of the server's")
	}
	if len(l.Folders) == 0 {
		return media.Errorf(media.Invalid, "a library needs 1 to %d paths", maxPaths)
	}
	return libraryChange{l.Name, l.Provider, l.Icon, l.Folders}.fields(true)
}

func (c libraryChange) check() error { return c.fields(false) }

func (c libraryChange) fields(create bool) error {
	if create || c.Name != "" {
		if err := text("name", c.Name, maxLibraryName); err != nil {
			return err
		}
	}
	for name, word := range map[string]string{"provider": c.Provider, "icon": c.Icon} {
		if word != "" {
			if err := text(name, word, maxWord); err != nil {
				return err
			}
		}
	}
	if len(c.Folders) > maxPaths {
		return media.Errorf(media.Invalid, "a library needs 1 to %d paths", maxPaths)
	}
	for _, f := range c.Folders {
		if (f.ID == "") == (f.Path == "") || create && f.ID != "" || f.ID != "" && !isID(f.ID) {
			return refused("a folder has neither an id nor a path, or both")
		}
		if f.Path != "" {
			if err := folderPath(f.Path); err != nil {
				return err
			}
		}
	}
	return nil
}

func (d devices) check() error {
	if d.Devices == nil {
		return refused("a list of devices is missing")
	}
	for _, device := range d.Devices {
		for _, field := range []string{"name", "email"} {
			var value string
			if json.Unmarshal(device[field], &value) != nil || value == "" {
				return refused("an e-reader device has no name or no address")
			}
		}
	}
	return nil
}

// isID says whether a text is an id as the server makes them: a UUID, or one of the letters, digits and dashes that it had
// before.
func isID(id string) bool {
	return id != "" && len(id) <= 64 && !strings.ContainsFunc(id, func(r rune) bool {
		return (r < '0' || r > '9') && (r < 'a' || r > 'z') && (r < 'A' || r > 'Z') && r != '-' && r != '_'
	})
}

func isGiven(kind string) bool { return kind == typeAdmin || kind == typeUser || kind == typeGuest }

// text refuses what is no text of the server's, or would not be kept as it is.
func text(what, value string, most int) error {
	switch {
	case value == "" || utf8.RuneCountInString(value) > most:
		return media.Errorf(media.Invalid, "the %s needs 1 to %d characters on this server", what, most)
	case !utf8.ValidString(value) || strings.ContainsFunc(value, unicode.IsControl):
		return media.Errorf(media.Invalid, "the %s holds a control character, or is no UTF-8", what)
	}
	return nil
}

func password(value string) error {
	switch {
	case len(value) < minPassword || len(value) > maxPassword:
		return media.Errorf(media.Invalid, "a password needs %d to %d bytes on this server", minPassword, maxPassword)
	case !utf8.ValidString(value) || strings.ContainsRune(value, 0):
		return media.Errorf(media.Invalid, "the password holds a null character, or is no UTF-8")
	}
	return nil
}

// kernel are directories in which the server never answers a request for a folder (contract, section 1).
var kernel = []string{"/proc", "/sys", "/dev"}

// folderPath refuses a path that the server would read as another one, or never answer for.
func folderPath(folder string) error {
	if err := text("path", folder, 4096); err != nil {
		return err
	}
	if !strings.HasPrefix(folder, "/") {
		if len(folder) >= 3 && folder[1] == ':' && (folder[2] == '/' || folder[2] == '\\') {
			return nil // of a server on Windows; it says itself whether the folder is there
		}
		return media.Errorf(media.Invalid, "a path must be absolute, as the server sees it")
	}
	if folder != path.Clean(folder) || folder == "/" {
		return media.Errorf(media.Invalid, "a path must name one folder, without a slash at its end and without . or ..")
	}
	for _, root := range kernel {
		if folder == root || strings.HasPrefix(folder, root+"/") {
			return media.Errorf(media.Invalid, "a path in %s is the kernel's: with it, the server would never answer again", root)
		}
	}
	return nil
}

// refused is for what the driver itself must never come to: it says that a body was not sent.
func refused(words string) error {
	return media.Errorf(media.Invalid, "not sent, since the server could end by it: %s", words)
}

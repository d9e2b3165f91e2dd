package jellyfintest

import (
	"crypto/md5"
	"crypto/rand"
	"encoding/hex"
	"slices"
	"strings"
	"time"
	"unicode"
)

// store is what the server keeps on its disk.
type store struct {
	id      string
	users   []*user
	devices []*device
	keys    []*apiKey
	folders []*folder
	items   []*item
	startup startup
	config  config
	// data is the directory of the server's data below the default one; empty for that itself.
	data      string
	schedules int64
	keyCount  int64
}

// config is what an administrator sets for the whole server.
type config struct {
	legacyAuthorization, quickConnect bool
	serverName, culture, language     string
	country                           string
	remoteAccess                      bool
}

// startup is how far the wizard has come.
type startup struct{ completed bool }

// user is a row of the users, with its permissions, preferences and schedules.
type user struct {
	id, name string
	// password is empty for none: then anybody gets in without.
	password string
	// policy as it is stored; view writes it out.
	policy, configuration object
	// blockedFolders and blockedChannels come from an older server: no call writes them (section 5).
	blockedFolders, blockedChannels []string
	lastLogin, lastActivity         time.Time
	// playlists of the person's; they are no part of the row.
	playlists []string
	// sso is what a plug-in does when the person signs in by it; nil for nothing (additions B.17).
	sso *ssoPolicy
}

// device is one person's sign-in on one device: the holder of a token.
type device struct {
	token, userID     string
	client            client
	created, activity time.Time
}

type apiKey struct {
	id         int64
	token, app string
	created    time.Time
}

func (u *user) admin() bool    { return u.policy.flag("IsAdministrator") }
func (u *user) disabled() bool { return u.policy.flag("IsDisabled") }

// copy is the row as a request loads it.
func (u *user) copy() *user {
	c := *u
	c.policy, c.configuration = u.policy.clone(), u.configuration.clone()
	c.blockedFolders, c.blockedChannels = slices.Clone(u.blockedFolders), slices.Clone(u.blockedChannels)
	c.playlists = slices.Clone(u.playlists)
	return &c
}

// newID makes an id as the server writes them: 32 hexadecimal digits without dashes (section 4).
func newID() string {
	raw := make([]byte, 16)
	_, _ = rand.Read(raw)
	return hex.EncodeToString(raw)
}

// hashedID is the id of something that has its place in a directory: it depends on nothing but the kind and the path
// (section 7).
func hashedID(kind, path string) string {
	sum := md5.Sum([]byte(kind + path))
	return hex.EncodeToString(sum[:])
}

// parseID takes dashes on input (section 4).
func parseID(text string) (string, bool) {
	if len(text) == 36 && text[8] == '-' && text[13] == '-' && text[18] == '-' && text[23] == '-' {
		text = strings.ReplaceAll(text, "-", "")
	}
	if raw, err := hex.DecodeString(text); err != nil || len(raw) != 16 {
		return "", false
	}
	return strings.ToLower(text), true
}

// upper is how the server compares names: character by character, as .NET does in its invariant culture.
func upper(name string) string {
	return strings.Map(func(r rune) rune {
		if r == 'ı' || r == 'ſ' {
			return r
		}
		return unicode.ToUpper(r)
	}, name)
}

func (s *store) seed(version Version) {
	s.id = newID()
	s.config = config{
		legacyAuthorization: version.legacyAuthorization(), quickConnect: true, serverName: "jellyfin", country: "US", culture: "en-US",
		language: "en", remoteAccess: true,
	}
}

func first[T any](all []*T, is func(*T) bool) *T {
	if i := slices.IndexFunc(all, is); i >= 0 {
		return all[i]
	}
	return nil
}

func (s *store) user(id string) *user {
	return first(s.users, func(u *user) bool { return u.id == id })
}

// called finds a user as a sign-in does: without letter case.
func (s *store) called(name string) *user {
	return first(s.users, func(u *user) bool { return upper(u.name) == upper(name) })
}

func (s *store) device(token string) *device {
	return first(s.devices, func(d *device) bool { return token != "" && d.token == token })
}

func (s *store) key(token string) *apiKey {
	return first(s.keys, func(k *apiKey) bool { return token != "" && k.token == token })
}

func (s *store) any(is func(*user) bool) bool { return slices.ContainsFunc(s.users, is) }

// count counts users.
func (s *store) count(is func(*user) bool) (n int) {
	for _, u := range s.users {
		if is(u) {
			n++
		}
	}
	return n
}

// copy is the database in a backup.
func (s *store) copy() store {
	c := *s
	c.users = copied(s.users, func(u *user) { *u = *u.copy() })
	c.devices, c.keys = copied(s.devices, func(*device) {}), copied(s.keys, func(*apiKey) {})
	c.folders = copied(s.folders, func(f *folder) {
		f.locations, f.options = slices.Clone(f.locations), f.options.clone()
	})
	c.items = copied(s.items, func(i *item) { i.tags = slices.Clone(i.tags) })
	return c
}

func copied[T any](all []*T, deep func(*T)) []*T {
	var copies []*T
	for _, one := range all {
		c := *one
		deep(&c)
		copies = append(copies, &c)
	}
	return copies
}

package audiobookshelftest

import (
	"crypto/rand"
	"encoding/hex"
	"maps"
	"slices"
	"strings"
	"time"
)

// store is the server's database. Rows are in the order in which they were made.
type store struct {
	users     []*account
	libraries []*library
	items     []*item
	keys      []*key
	devices   []object
	access    map[string]session
	renewals  map[string]session
	signIns   int
	local     bool
	openID    bool
	register  bool
}

type account struct {
	id, username, kind, password string
	// hasPassword: one without can sign in with an empty one, if it is root.
	hasPassword bool
	email       any
	active      bool
	created     time.Time
	token       string
	// permissions are as stored, and may lack what the server needs.
	permissions any
	linked      bool
}

type library struct {
	id, name, kind, icon, provider string
	folders                        []*folder
	settings                       object
	created                        time.Time
}

type folder struct{ id, path string }

type item struct {
	id, library, folder string
	explicit            bool
	tags                []string
}

type key struct {
	id, user, secret string
	active           bool
}

type session struct {
	user    string
	expires time.Time
}

func newStore() store {
	return store{access: map[string]session{}, renewals: map[string]session{}, local: true}
}

// newID makes a UUID.
func newID() string {
	var b [16]byte
	_, _ = rand.Read(b[:]) // never fails
	b[6], b[8] = b[6]&0x0f|0x40, b[8]&0x3f|0x80
	h := hex.EncodeToString(b[:])
	return strings.Join([]string{h[:8], h[8:12], h[12:16], h[16:20], h[20:]}, "-")
}

// defaults are the permissions that come with a type.
func defaults(kind string) object {
	up := kind == "root" || kind == "admin"
	return object{
		"download": true, "update": up, "delete": kind == "root", "upload": up, "createEreader": up,
		"accessAllLibraries": true, "accessAllTags": true, "accessExplicitContent": up, "selectedTagsNotAccessible": false,
		"librariesAccessible": []any{}, "itemTagsSelected": []any{},
	}
}

func find[T any](all []*T, is func(*T) bool) *T {
	if i := slices.IndexFunc(all, is); i >= 0 {
		return all[i]
	}
	return nil
}

func (s *store) account(id string) *account {
	return find(s.users, func(a *account) bool { return a.id == id })
}

func (s *store) library(id string) *library {
	return find(s.libraries, func(l *library) bool { return l.id == id })
}

func (s *store) hasRoot() bool {
	return slices.ContainsFunc(s.users, func(a *account) bool { return a.kind == "root" })
}

// permission reads one stored permission; nothing where there are none.
func (a *account) permission(name string) any {
	stored, _ := a.permissions.(object)
	return stored[name]
}

func (a *account) isAdmin() bool { return a.kind == "root" || a.kind == "admin" }

// list is the stored list of libraries; empty where the row has none.
func (a *account) list() []string {
	list, _ := texts(a.permission("librariesAccessible"))
	return list
}

// opens says whether a library opens.
func (a *account) opens(library string) bool {
	return truthy(a.permission("accessAllLibraries")) || slices.Contains(a.list(), library)
}

// shows says whether an item is shown.
func (a *account) shows(i *item) bool {
	if i.explicit && !truthy(a.permission("accessExplicitContent")) {
		return false
	}
	if truthy(a.permission("accessAllTags")) {
		return true
	}
	tags, _ := texts(a.permission("itemTagsSelected"))
	tagged := slices.ContainsFunc(i.tags, func(tag string) bool { return slices.Contains(tags, tag) })
	return tagged != truthy(a.permission("selectedTagsNotAccessible"))
}

// form is an account as the server shows it, tokens and all. A list that the row lacks is shown as an empty one.
func (a *account) form(hideRootToken bool) object {
	stored, _ := a.permissions.(object)
	rights := maps.Clone(stored)
	if rights == nil {
		rights = object{}
	}
	delete(rights, "librariesAccessible")
	delete(rights, "itemTagsSelected")
	tags, _ := texts(a.permission("itemTagsSelected"))
	form := object{
		"id": a.id, "username": a.username, "email": a.email, "type": a.kind, "token": a.token, "isActive": a.active,
		"isLocked": false, "lastSeen": nil, "createdAt": a.created.UnixMilli(), "permissions": rights,
		"mediaProgress": []any{}, "bookmarks": []any{}, "seriesHideFromContinueListening": []any{},
		"librariesAccessible": append([]string{}, a.list()...), "itemTagsSelected": append([]string{}, tags...),
		"hasOpenIDLink": a.linked,
	}
	if a.kind == "root" && hideRootToken {
		form["token"] = ""
	}
	return form
}

// signOut ends what can be renewed of an account: access tokens go on.
func (s *store) signOut(user string) {
	maps.DeleteFunc(s.renewals, func(_ string, of session) bool { return of.user == user })
}

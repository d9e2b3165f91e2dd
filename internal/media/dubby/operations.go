package dubby

import "net/http"

// kind is what a field holds.
type kind string

const (
	text    kind = "string"
	boolean kind = "boolean"
	number  kind = "number"
	texts   kind = "array of strings"
)

// key is what Usher calls a field.
type key string

const (
	keyID       key = "id"
	keyEmail    key = "email"
	keyRole     key = "role"
	keyActive   key = "active"
	keyName     key = "name"
	keyPassword key = "password"
	keyUsername key = "username"
	keyCode     key = "code"
	keyExpires  key = "expires"
	keyDays     key = "days"
	keyUses     key = "uses"
	keyGrants   key = "libraries"
	keyType     key = "type"
	keyPaths    key = "paths"
	keyItems    key = "items"
	keyCreated  key = "created"
)

// field is one field of a request or an answer, with the names that it may have on the server.
type field struct {
	key   key
	names []string
	kind  kind
	// must: without it, the operation is of no use.
	must bool
}

// route is a method and a path whose parameter has any name.
type route struct{ method, path string }

// wish is an operation that Usher looks for: a few routes that it may have, and what it must take and answer.
type wish struct {
	// words name it for people.
	words   string
	routes  []route
	request []field
	answer  []field
	// list: the answer holds a list of such entries.
	list bool
}

// The names of the operations.
const (
	opListUsers     = "listUsers"
	opGetUser       = "getUser"
	opUpdateUser    = "updateUser"
	opSetRole       = "setRole"
	opDeleteUser    = "deleteUser"
	opSetPassword   = "setPassword"
	opListInvites   = "listInvites"
	opCreateInvite  = "createInvite"
	opDeleteInvite  = "deleteInvite"
	opRegister      = "register"
	opCreateLibrary = "createLibrary"
	opUpdateLibrary = "updateLibrary"
	opListLibraries = "listLibraries"
)

func routes(method string, paths ...string) []route {
	all := make([]route, 0, len(paths))
	for _, path := range paths {
		all = append(all, route{method, path})
	}
	return all
}

var (
	userFields = []field{
		{keyID, []string{"id"}, text, true}, {keyEmail, []string{"email"}, text, true}, {keyRole, []string{"role"}, text, true},
		{keyActive, []string{"isActive"}, boolean, false}, {keyName, []string{"displayName", "name"}, text, false},
		{keyCreated, []string{"createdAt"}, text, false},
	}
	inviteID   = field{keyID, []string{"id", "inviteId"}, text, true}
	inviteDate = field{keyExpires, []string{"expiresAt"}, text, false}
)

// wishes is the table of candidates. Libraries are documented by path and not by field; users, invites and registration
// by neither (contract, sections 5, 7 and 8), so that their names are guesses that the server's document must confirm.
var wishes = map[string]wish{
	opListUsers: {
		words: "list its users", list: true, answer: userFields,
		routes: routes(http.MethodGet, "/v1/users", "/v1/admin/users"),
	},
	opGetUser: {
		words: "read one user", answer: userFields,
		routes: routes(http.MethodGet, "/v1/users/{}", "/v1/admin/users/{}"),
	},
	opUpdateUser: {
		words:  "change a user",
		routes: append(routes(http.MethodPatch, "/v1/users/{}", "/v1/admin/users/{}"), routes(http.MethodPut, "/v1/users/{}")...),
		request: []field{
			{keyRole, []string{"role"}, text, false}, {keyActive, []string{"isActive"}, boolean, false},
			{keyName, []string{"displayName", "name"}, text, false},
		},
	},
	opSetRole: {
		words: "give a user another role", request: []field{{keyRole, []string{"role"}, text, true}},
		routes: append(routes(http.MethodPatch, "/v1/users/{}/role"),
			append(routes(http.MethodPut, "/v1/users/{}/role"), routes(http.MethodPost, "/v1/users/{}/role")...)...),
	},
	opDeleteUser: {words: "delete a user", routes: routes(http.MethodDelete, "/v1/users/{}", "/v1/admin/users/{}")},
	opSetPassword: {
		words: "set another user's password", request: []field{{keyPassword, []string{"password", "newPassword"}, text, true}},
		routes: append(routes(http.MethodPut, "/v1/users/{}/password"),
			routes(http.MethodPost, "/v1/users/{}/password", "/v1/users/{}/reset-password")...),
	},
	opListInvites: {
		words: "list invites", list: true, answer: []field{inviteID, inviteDate},
		routes: routes(http.MethodGet, "/v1/invites", "/v1/invitations", "/v1/users/invites"),
	},
	opCreateInvite: {
		words: "make an invite", routes: routes(http.MethodPost, "/v1/invites", "/v1/invitations", "/v1/users/invites"),
		request: []field{
			{keyRole, []string{"role"}, text, true}, {keyEmail, []string{"email"}, text, false},
			inviteDate, {keyDays, []string{"expiresInDays"}, number, false},
			{keyUses, []string{"maxUses"}, number, false}, {keyGrants, []string{"libraryIds", "libraries"}, texts, false},
		},
		answer: []field{inviteID, {keyCode, []string{"code", "inviteCode", "token"}, text, true}},
	},
	opDeleteInvite: {
		words:  "delete an invite",
		routes: routes(http.MethodDelete, "/v1/invites/{}", "/v1/invitations/{}", "/v1/users/invites/{}"),
	},
	opRegister: {
		words: "register with an invite",
		routes: routes(http.MethodPost, "/v1/auth/register", "/v1/register", "/v1/auth/sign-up", "/api/auth/sign-up/email",
			"/v1/invites/accept"),
		request: []field{
			{keyEmail, []string{"email"}, text, true}, {keyPassword, []string{"password"}, text, true},
			{keyCode, []string{"inviteCode", "code", "inviteToken"}, text, true},
			{keyName, []string{"displayName", "name"}, text, false}, {keyUsername, []string{"username"}, text, false},
		},
	},
	opCreateLibrary: {
		words: "make a library", routes: routes(http.MethodPost, "/v1/libraries"),
		request: []field{
			{keyName, []string{"name"}, text, true}, {keyType, []string{"type"}, text, true}, {keyPaths, []string{"paths"}, texts, true},
		},
	},
	opUpdateLibrary: {
		words: "change a library", routes: routes(http.MethodPatch, "/v1/libraries/{}"),
		request: []field{{keyName, []string{"name"}, text, true}, {keyPaths, []string{"paths"}, texts, true}},
	},
	opListLibraries: {
		words: "count what its libraries hold", list: true, routes: routes(http.MethodGet, "/v1/libraries"),
		answer: []field{{keyID, []string{"id"}, text, true}, {keyItems, []string{"itemCount"}, number, true}},
	},
}

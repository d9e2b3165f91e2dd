package mediaserver_test

import "encoding/base64"

// matrixRow says how a route is asked so that it would succeed for who may.
type matrixRow struct {
	// path and body may hold placeholders, which matrix.fresh explains. No path: the route's own, with {id} and the like.
	path, body string
	// basic sends username and password instead of a token.
	basic bool
	// quiet says that success changes nothing that the audit log tells.
	quiet bool
	// after is posted by the owner afterwards, to undo.
	after string
}

// matrixRows has a row for each operation of the OpenAPI document.
var matrixRows = map[string]matrixRow{
	"get-server":    {},
	"update-server": {body: `{"name":"{name}"}`},
	"get-config":    {},

	"list-audit-log": {},
	"list-jobs":      {},

	"register":           {body: `{"username":"{name}","password":"a long password","inviteCode":"{code}"}`},
	"sign-in":            {body: `{"login":"{login}","password":"` + password + `"}`},
	"sign-in-email":      {body: `{"email":"{login}@example.org","password":"` + password + `"}`},
	"sign-out":           {},
	"sign-out-email":     {},
	"get-session-email":  {},
	"get-session":        {},
	"change-password":    {body: `{"currentPassword":"` + password + `","newPassword":"` + password + `"}`},
	"list-sessions":      {},
	"end-session":        {path: "/v1/auth/sessions/{session}"},
	"end-other-sessions": {path: "/v1/auth/sessions?besides={session}"}, // there is another one to end
	"update-profile":     {body: `{"displayName":"{name}"}`},

	"list-users":        {},
	"create-user":       {body: `{"username":"{name}","password":"a long password"}`},
	"get-user":          {path: "/v1/users/{user}"},
	"update-user":       {path: "/v1/users/{user}", body: `{"role":"guest"}`},
	"delete-user":       {path: "/v1/users/{user}"},
	"set-user-access":   {path: "/v1/users/{user}/access", body: `{"all":false,"libraries":[{"libraryId":"{library}"}]}`},
	"set-user-password": {path: "/v1/users/{user}/password", body: `{"password":"a long password"}`},

	"list-roles":  {},
	"create-role": {body: `{"name":"{name}","permissions":[{"resource":"books","operation":"read"}]}`},
	"update-role": {path: "/v1/roles/{role}", body: `{"name":"{name}"}`},
	"delete-role": {path: "/v1/roles/{role}"},

	"list-libraries": {},
	"create-library": {body: `{"name":"{name}","type":"movies","paths":["{dir}"]}`},
	"get-library":    {path: "/v1/libraries/{library}"},
	"update-library": {path: "/v1/libraries/{library}", body: `{"emoji":"{name}"}`},
	"delete-library": {path: "/v1/libraries/{spare}"},
	"scan-library":   {path: "/v1/libraries/{library}/scan"},

	"list-permissions":  {path: "/v1/libraries/{library}/permissions"},
	"grant-permission":  {path: "/v1/libraries/{library}/permissions", body: `{"userId":"{user}"}`},
	"revoke-permission": {path: "/v1/libraries/{library}/permissions/{member}"},

	"list-members":          {path: "/v1/libraries/{library}/members"},
	"update-member":         {path: "/v1/libraries/{library}/members/{member}", body: `{"role":"admin"}`},
	"remove-member":         {path: "/v1/libraries/{library}/members/{member}"},
	"list-library-invites":  {path: "/v1/libraries/{library}/invites"},
	"create-library-invite": {path: "/v1/libraries/{library}/invites", body: `{"maxUses":1}`},
	"revoke-library-invite": {path: "/v1/libraries/{library}/invites/{libraryInvite}"},

	"list-invites":     {},
	"create-invite":    {body: `{"maxUses":1}`},
	"get-invite":       {path: "/v1/invites/{invite}"},
	"update-invite":    {path: "/v1/invites/{invite}", body: `{"revoked":true}`},
	"delete-invite":    {path: "/v1/invites/{invite}"},
	"list-invite-uses": {path: "/v1/invites/{invite}/uses"},

	"get-invitation": {path: "/v1/invitations/{code}"},
	// Who sees all libraries already has nothing to accept.
	"accept-invitation": {path: "/v1/invitations/{code}/accept", quiet: true},

	"list-items":   {path: "/v1/libraries/{library}/items"},
	"get-item":     {path: "/v1/items/{item}"},
	"search":       {path: "/v1/search?q=heat"},
	"stream-item":  {path: "/v1/items/{item}/stream"},
	"head-item":    {path: "/v1/items/{item}/stream"},
	"update-item":  {path: "/v1/items/{item}", body: `{"description":"{name}"}`},
	"trash-item":   {path: "/v1/items/{item}", after: "/v1/items/{item}/restore"},
	"restore-item": {path: "/v1/items/{item}/restore", quiet: true},
	"list-trash":   {path: "/v1/libraries/{library}/trash"},

	"list-recent":      {},
	"list-unfinished":  {},
	"list-recommended": {},
	"get-progress":     {path: "/v1/items/{item}/progress"},
	"set-progress":     {path: "/v1/items/{item}/progress", body: `{"positionMs":1000}`, quiet: true},
	"delete-progress":  {path: "/v1/items/{item}/progress", quiet: true},
	"get-artwork":      {path: "/v1/items/{item}/artwork"},
	"head-artwork":     {path: "/v1/items/{item}/artwork"},

	"opds-root":               {basic: true},
	"opds-library":            {path: "/opds/v1.2/libraries/{library}", basic: true},
	"opds-recent":             {basic: true},
	"opds-search":             {path: "/opds/v1.2/search?q=deep", basic: true},
	"opds-search-description": {basic: true},
	"opds-file":               {path: "/opds/v1.2/items/{book}/file", basic: true},
	"opds-head-file":          {path: "/opds/v1.2/items/{book}/file", basic: true},
	"opds-cover":              {path: "/opds/v1.2/items/{book}/cover", basic: true},

	"list-share-links":  {path: "/v1/items/{item}/share-links"},
	"create-share-link": {path: "/v1/items/{item}/share-links", body: `{}`},
	"delete-share-link": {path: "/v1/items/{item}/share-links/{link}"},
	"get-shared":        {path: "/v1/shared/{shared}"},
	"stream-shared":     {path: "/v1/shared/{shared}/stream"},
	"head-shared":       {path: "/v1/shared/{shared}/stream"},
}

// headers are what the actor sends besides.
func (r matrixRow) headers(actor string) []string {
	if !r.basic || actor == "anonymous" {
		return nil
	}
	login := actor
	if actor == "owner" {
		login = "olga"
	}
	return basic(login, password)
}

// basic is the header of HTTP Basic.
func basic(login, password string) []string {
	return []string{"Authorization", "Basic " + base64.StdEncoding.EncodeToString([]byte(login+":"+password))}
}

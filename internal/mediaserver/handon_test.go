package mediaserver_test

import (
	"fmt"
	"path/filepath"
	"strings"
	"testing"
)

const handonGuide = `Who may hand what on to whom, and on which path: the HTTP status of each. Nobody hands on more than they have.

Givers, the columns:
  keeper    has a role of the server's own (users:write, and what members have), viewer in A
  steward   the same, admin in A
  libadmin  a member, admin in A
  member    a member, viewer in A
  admin, owner of the server

Receivers, the rows of a path: the giver; somebody with a role of nothing; members, who see nothing, A as viewer, A as its admin, A
and a hidden library H, or all; an editor; an admin; the owner. In a path that has no receiver there is one row.
Made by: go test ./internal/mediaserver -run TestHandingOn -update

`

var (
	handonGivers    = []string{"keeper", "steward", "libadmin", "member", "admin", "owner"}
	handonReceivers = []string{"self", "nothing", "none", "viewer", "manager", "hidden", "all", "editor", "admin", "owner"}
)

// handonPaths are the ways to hand something on; {to} is the receiver, {A} and {H} the libraries.
var handonPaths = []struct {
	name, method, path, body string
	// alone has no receiver.
	alone bool
}{
	{"make a guest", "POST", "/v1/users", `{"username":"{new}","password":"a long password","role":"guest"}`, true},
	{"make an editor", "POST", "/v1/users", `{"username":"{new}","password":"a long password","role":"editor"}`, true},
	{"make an admin", "POST", "/v1/users", `{"username":"{new}","password":"a long password","role":"admin"}`, true},
	{"make a viewer of A", "POST", "/v1/users", `{"username":"{new}","password":"a long password","access":{"all":false,"libraries":[{"libraryId":"{A}"}]}}`, true},
	{"make an admin of A", "POST", "/v1/users", `{"username":"{new}","password":"a long password","access":{"all":false,"libraries":[{"libraryId":"{A}","role":"admin"}]}}`, true},
	{"make a viewer of H", "POST", "/v1/users", `{"username":"{new}","password":"a long password","access":{"all":false,"libraries":[{"libraryId":"{H}"}]}}`, true},
	{"make who sees all", "POST", "/v1/users", `{"username":"{new}","password":"a long password","access":{"all":true,"libraries":[]}}`, true},
	{"invite to A", "POST", "/v1/invites", `{"libraries":[{"libraryId":"{A}"}]}`, true},
	{"invite to be an admin of A", "POST", "/v1/invites", `{"libraries":[{"libraryId":"{A}","role":"admin"}]}`, true},
	{"invite to H", "POST", "/v1/invites", `{"libraries":[{"libraryId":"{H}"}]}`, true},
	{"invite an editor", "POST", "/v1/invites", `{"role":"editor"}`, true},
	{"see an invite to H", "GET", "/v1/invites/{inviteH}", "", true},
	{"see who used an invite to H", "GET", "/v1/invites/{inviteH}/uses", "", true},
	{"revive an invite to H", "PATCH", "/v1/invites/{inviteH}", `{"maxUses":9,"email":"me@example.org"}`, true},
	{"delete an invite to H", "DELETE", "/v1/invites/{inviteH}", "", true},
	{"revive an invite to A", "PATCH", "/v1/invites/{inviteA}", `{"maxUses":9}`, true},
	{"revive an invite for admins of A", "PATCH", "/v1/invites/{inviteAdminA}", `{"maxUses":9}`, true},
	{"widen an invite to H", "PATCH", "/v1/invites/{inviteA}", `{"libraries":[{"libraryId":"{H}"}]}`, true},
	{"make a link of A", "POST", "/v1/libraries/{A}/invites", `{}`, true},
	{"make a link of H", "POST", "/v1/libraries/{H}/invites", `{}`, true},
	{"make a role of books", "POST", "/v1/roles", `{"name":"{new}","permissions":[{"resource":"books","operation":"read"}]}`, true},
	{"make a role of settings", "POST", "/v1/roles", `{"name":"{new}","permissions":[{"resource":"config","operation":"read"}]}`, true},

	{"rename", "PATCH", "/v1/users/{to}", `{"displayName":"{new}"}`, false},
	{"change the address", "PATCH", "/v1/users/{to}", `{"email":"{new}@example.org"}`, false},
	{"write what is so", "PATCH", "/v1/users/{to}", `{}`, false},
	{"make guest", "PATCH", "/v1/users/{to}", `{"role":"guest"}`, false},
	{"make editor", "PATCH", "/v1/users/{to}", `{"role":"editor"}`, false},
	{"make admin", "PATCH", "/v1/users/{to}", `{"role":"admin"}`, false},
	{"disable", "PATCH", "/v1/users/{to}", `{"disabled":true}`, false},
	{"delete", "DELETE", "/v1/users/{to}", "", false},
	{"reset the password", "PUT", "/v1/users/{to}/password", `{"password":"a long password"}`, false},
	{"set access to A", "PUT", "/v1/users/{to}/access", `{"all":false,"libraries":[{"libraryId":"{A}"}]}`, false},
	{"set access to A as admin", "PUT", "/v1/users/{to}/access", `{"all":false,"libraries":[{"libraryId":"{A}","role":"admin"}]}`, false},
	{"set access to H", "PUT", "/v1/users/{to}/access", `{"all":false,"libraries":[{"libraryId":"{H}"}]}`, false},
	{"set access to all", "PUT", "/v1/users/{to}/access", `{"all":true,"libraries":[]}`, false},
	{"set access to nothing", "PUT", "/v1/users/{to}/access", `{"all":false,"libraries":[]}`, false},
	{"grant A", "POST", "/v1/libraries/{A}/permissions", `{"userId":"{to}"}`, false},
	{"grant A as viewer", "POST", "/v1/libraries/{A}/permissions", `{"userId":"{to}","role":"viewer"}`, false},
	{"grant A as admin", "POST", "/v1/libraries/{A}/permissions", `{"userId":"{to}","role":"admin"}`, false},
	{"grant H", "POST", "/v1/libraries/{H}/permissions", `{"userId":"{to}"}`, false},
	{"take A", "DELETE", "/v1/libraries/{A}/permissions/{to}", "", false},
	{"make a member of A admin", "PATCH", "/v1/libraries/{A}/members/{to}", `{"role":"admin"}`, false},
	{"make a member of A viewer", "PATCH", "/v1/libraries/{A}/members/{to}", `{"role":"viewer"}`, false},
	{"remove a member of A", "DELETE", "/v1/libraries/{A}/members/{to}", "", false},
}

// handon is a household in which everybody is made anew for each cell.
type handon struct {
	*world
	owner, ownerID, a, h string
	made                 int
	// givers are tokens by kind.
	givers map[string]string
}

func newHandon(t *testing.T) *handon {
	w := start(t)
	x := &handon{world: w, owner: w.owner(), givers: map[string]string{}}
	x.ownerID = w.me(x.owner)
	x.a, x.h = w.library(x.owner, "A", "a"), w.library(x.owner, "H", "h")
	everyMember := []string{"libraries:read", "books:read", "series:read", "people:read"}
	w.want(201, "POST", "/v1/roles", x.owner, `{"name":"Keeper","permissions":`+pairs(append(everyMember, "users:read", "users:write")...)+`}`)
	w.want(201, "POST", "/v1/roles", x.owner, `{"name":"Nothing","permissions":[]}`)
	return x
}

func (x *handon) fresh(kind string) (id, name string) {
	x.Helper()
	if kind == "owner" {
		return x.ownerID, "olga"
	}
	x.made++
	role := map[string]string{"keeper": "Keeper", "steward": "Keeper", "nothing": "Nothing", "editor": "editor", "admin": "admin"}[kind]
	if role == "" {
		role = "member"
	}
	see := func(library, role string) string { return fmt.Sprintf(`{"libraryId":%q,"role":%q}`, library, role) }
	libraries := map[string]string{
		"keeper": see(x.a, "viewer"), "viewer": see(x.a, "viewer"), "member": see(x.a, "viewer"), "steward": see(x.a, "admin"),
		"libadmin": see(x.a, "admin"), "manager": see(x.a, "admin"), "hidden": see(x.a, "viewer") + "," + see(x.h, "viewer"),
	}[kind]
	name = fmt.Sprint(kind, x.made)
	created := x.want(201, "POST", "/v1/users", x.owner, fmt.Sprintf(`{"username":%q,"password":%q,"role":%q,"access":{"all":%v,"libraries":[%s]}}`,
		name, password, role, kind == "all", libraries))
	return created["id"].(string), name
}

// fill puts what there is into a path or a body.
func (x *handon) fill(text, to string) string {
	x.Helper()
	for placeholder, gives := range map[string]string{
		"{inviteH}":      fmt.Sprintf(`{"maxUses":1,"libraries":[{"libraryId":%q}]}`, x.h),
		"{inviteA}":      fmt.Sprintf(`{"maxUses":1,"libraries":[{"libraryId":%q}]}`, x.a),
		"{inviteAdminA}": fmt.Sprintf(`{"maxUses":1,"libraries":[{"libraryId":%q,"role":"admin"}]}`, x.a),
	} {
		if strings.Contains(text, placeholder) {
			text = strings.ReplaceAll(text, placeholder, x.want(201, "POST", "/v1/invites", x.owner, gives)["id"].(string))
		}
	}
	x.made++
	return strings.NewReplacer("{to}", to, "{A}", x.a, "{H}", x.h, "{new}", fmt.Sprint("new", x.made)).Replace(text)
}

func (x *handon) giver(kind string) (id, token string) {
	x.Helper()
	if kind == "owner" {
		return x.ownerID, x.owner
	}
	id, name := x.fresh(kind)
	return id, x.signIn(name)
}

// lasting returns the token of a giver that acts on others only.
func (x *handon) lasting(kind string) string {
	x.Helper()
	if kind == "owner" {
		return x.owner
	}
	if x.givers[kind] == "" {
		_, x.givers[kind] = x.giver(kind)
	}
	return x.givers[kind]
}

// TestHandingOn asks for every gift, by everybody, for everybody, on every path.
func TestHandingOn(t *testing.T) {
	if onPostgres() {
		t.Skip("asks what the rules say, whatever keeps the accounts")
	}
	x := newHandon(t)
	var table strings.Builder
	line := func(label string, cells func(giver string) string) {
		fmt.Fprintf(&table, "%-36s", label)
		for _, giver := range handonGivers {
			fmt.Fprintf(&table, " %-9s", cells(giver))
		}
		table.WriteString("\n")
	}
	line("", func(giver string) string { return giver })
	for _, row := range handonPaths {
		ask := func(receiver string) func(string) string {
			return func(giver string) string {
				to, token := "", ""
				if receiver == "self" {
					// Whoever changes themselves is of no more use.
					to, token = x.giver(giver)
				} else {
					token = x.lasting(giver)
				}
				if receiver != "" && receiver != "self" {
					to, _ = x.fresh(receiver)
				}
				got := x.send(row.method, x.fill(row.path, to), token, x.fill(row.body, to))
				if to == x.ownerID && row.name == "reset the password" && got.status < 300 {
					x.owner = x.want(200, "POST", "/v1/auth/sign-in", "", `{"login":"olga","password":"a long password"}`)["token"].(string)
					x.want(204, "POST", "/v1/auth/password", x.owner, `{"currentPassword":"a long password","newPassword":"`+password+`"}`)
				}
				if got.status >= 500 {
					t.Errorf("%s by %s for %s: %v", row.name, giver, receiver, got)
				}
				return fmt.Sprint(got.status)
			}
		}
		if row.alone {
			line(row.name, ask(""))
			continue
		}
		table.WriteString(row.name + "\n")
		for _, receiver := range handonReceivers {
			line("  "+receiver, ask(receiver))
		}
	}
	golden(t, filepath.Join("testdata", "handon.txt"), handonGuide+trailing.ReplaceAllString(table.String(), "\n"))
}

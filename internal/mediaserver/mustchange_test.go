package mediaserver_test

import (
	"strings"
	"testing"
)

// Shisho seed, lines 32 and 40: with a password that must be changed, everything but changing it is refused, on every
// route of the OpenAPI document, whatever the role.
func TestNothingButChangingThePassword(t *testing.T) {
	m := newMatrix(t)
	for _, role := range []string{"admin", "editor", "guest"} {
		_, token := m.user(m.owner, "must-"+role, `,"mustChangePassword":true,"role":"`+role+`","access":{"all":true,"libraries":[]}`)
		allowed := 0
		for _, op := range m.operations() {
			switch op.id {
			case "sign-out", "sign-out-email", "change-password":
				continue // they end what this test needs; TestPasswordsThatMustChange goes through them
			case "get-server", "register", "sign-in", "sign-in-email", "get-session-email", "get-invitation", "get-shared", "stream-shared", "head-shared":
				continue // for strangers
			}
			row := matrixRows[op.id]
			path := row.path
			if path == "" {
				path = op.path
			}
			var headers []string
			if row.basic {
				headers = basic("must-"+role, password)
			}
			got := m.send(op.method, pathParameter.ReplaceAllString(path, m.library), token, row.body, headers...)
			switch {
			case row.basic && got.status == 401: // HTTP Basic has no way to change a password
			case op.id == "get-session" && got.status == 200:
				allowed++
			case got.status != 403 || (op.method != "HEAD" && !strings.Contains(got.body, "Password change required")):
				t.Errorf("%s: %s %s: %v", role, op.method, op.path, got)
			}
		}
		if allowed != 1 {
			t.Errorf("%s cannot ask who they are", role)
		}
		m.want(204, "POST", "/v1/auth/password", token, `{"newPassword":"another long password"}`)
		m.want(200, "GET", "/v1/libraries/"+m.library, token, "")
	}
}

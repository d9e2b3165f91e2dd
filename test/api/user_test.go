package api

import (
	"strings"
	"testing"
)

var goodUsers = map[string]string{
	"the smallest":             `{}`,
	"everything":               `{email: mia@example.org, displayName: Mia, role: Guest, access: All, disabled: true, expiresAt: "2027-06-30T20:00:00Z", password: {secretRef: {name: p, key: k}, requireChange: true}, adoptionPolicy: Never, deletionPolicy: Retain}`,
	"a date in the past":       `{expiresAt: "2001-01-01T00:00:00Z"}`,
	"a role of the server's":   `{role: Power User_2.0-x}`,
	"a name with a space":      `{username: Mia Müller}`,
	"a name of one letter":     `{username: m}`,
	"an owner":                 `{role: Owner, disabled: false}`,
	"a password to be changed": `{password: {requireChange: true}}`,
	"a password of one's own":  `{password: {chosenByHolder: true, requireChange: false}}`,
	"the longest":              `{username: ` + strings.Repeat("u", 64) + `, displayName: ` + strings.Repeat("d", 100) + `}`,
}

const holderAlone = "chosenByHolder stands alone: the holder's password is known to nobody else"

var badUsers = append([]refusal{
	{"no server", `{serverRef: null}`, "spec.serverRef: Required value"},
	{"an empty server name", `{serverRef: {name: ""}}`, "spec.serverRef.name"},
	{"a long server name", `{serverRef: {name: ` + strings.Repeat("s", 254) + `}}`, "spec.serverRef.name: Too long"},
	{"no username", `{username: null}`, "spec.username: Required value"},
	{"an empty username", `{username: ""}`, "spec.username"},
	{"a long username", `{username: ` + strings.Repeat("u", 65) + `}`, "spec.username: Too long"},
	{"a space before the username", `{username: " mia"}`, "username must not begin or end with a space or hold control characters"},
	{"a space after the username", `{username: "mia "}`, "username must not begin or end with a space or hold control characters"},
	{"a line break in the username", `{username: "mi\na"}`, "username must not begin or end with a space or hold control characters"},
	{"a short email", `{email: "@"}`, "spec.email"},
	{"a long email", `{email: ` + strings.Repeat("e", 250) + `@x.org}`, "spec.email: Too long"},
	{"an email without @", `{email: mia.example.org}`, "email must look like name@example.org"},
	{"an email with a space", `{email: "mia @example.org"}`, "email must look like name@example.org"},
	{"an empty display name", `{displayName: ""}`, "spec.displayName"},
	{"a long display name", `{displayName: ` + strings.Repeat("d", 101) + `}`, "spec.displayName: Too long"},
	{"a tab in the display name", `{displayName: "Mi\ta"}`, "displayName must not hold control characters"},
	{"an empty role", `{role: ""}`, "spec.role"},
	{"a long role", `{role: ` + strings.Repeat("r", 51) + `}`, "spec.role: Too long"},
	{"a role outside the pattern", `{role: "Admin;"}`, "a role is Owner, Admin, Editor, Member, Guest or the name of a role of the server's own"},
	{"a role in small letters", `{role: admin}`, "write Owner, Admin, Editor, Member or Guest with a capital first letter"},
	{"a role in capitals", `{role: OWNER}`, "write Owner, Admin, Editor, Member or Guest with a capital first letter"},
	{"an unknown access", `{access: Some}`, `spec.access: Unsupported value: "Some": supported values: "Granted", "All"`},
	{"an expiry that is no date", `{expiresAt: tomorrow}`, "spec.expiresAt"},
	{"a disabled owner", `{role: Owner, disabled: true}`, "the owner of a server is never disabled: remove disabled and expiresAt, or choose another role"},
	{"an owner who expires", `{role: Owner, expiresAt: "2027-06-30T20:00:00Z"}`, "the owner of a server is never disabled: remove disabled and expiresAt, or choose another role"},
	{"an empty password", `{password: {}}`, "give secretRef, requireChange or chosenByHolder, or leave password out: then one is made and kept in a Secret"},
	{"a password not to be changed", `{password: {requireChange: false}}`, "give secretRef, requireChange or chosenByHolder, or leave password out: then one is made and kept in a Secret"},
	{"a password not chosen by the holder", `{password: {chosenByHolder: false}}`, "give secretRef, requireChange or chosenByHolder, or leave password out: then one is made and kept in a Secret"},
	{"a chosen password in a Secret", `{password: {chosenByHolder: true, secretRef: {name: s}}}`, holderAlone},
	{"a chosen password to be changed", `{password: {chosenByHolder: true, requireChange: true}}`, holderAlone},
	{"a password Secret without a name", `{password: {secretRef: {key: k}}}`, "spec.password.secretRef.name: Required value"},
	{"an empty password Secret name", `{password: {secretRef: {name: ""}}}`, "spec.password.secretRef.name"},
	{"a long password Secret name", `{password: {secretRef: {name: ` + strings.Repeat("s", 254) + `}}}`, "spec.password.secretRef.name: Too long"},
	{"an empty password key", `{password: {secretRef: {name: s, key: ""}}}`, "spec.password.secretRef.key"},
	{"a long password key", `{password: {secretRef: {name: s, key: ` + strings.Repeat("k", 254) + `}}}`, "spec.password.secretRef.key: Too long"},
	{"a password key with a slash", `{password: {secretRef: {name: s, key: a/b}}}`, "spec.password.secretRef.key in body should match"},
	{"an unknown adoption policy", `{adoptionPolicy: Sometimes}`, `spec.adoptionPolicy: Unsupported value: "Sometimes": supported values: "Never", "IfDisabled", "Always"`},
	{"an unknown deletion policy", `{deletionPolicy: Shred}`, `spec.deletionPolicy: Unsupported value: "Shred": supported values: "Disable", "Delete", "Retain"`},
	{"an unknown field", `{libraries: [movies]}`, `unknown field "spec.libraries"`},
}, badDates("expiresAt")...)

var userChanges = []change{
	{"to another server", `{}`, `{serverRef: {name: cabin}}`, "serverRef is immutable: delete this User and make a new one"},
	{"to another username", `{}`, `{username: leo}`, "username is immutable: delete this User and make a new one"},
	{"to another letter case", `{}`, `{username: Mia}`, "username is immutable: delete this User and make a new one"},
	{"to another email", `{email: mia@example.org}`, `{email: mia@example.com}`, ""},
	{"to a first email", `{}`, `{email: mia@example.org}`, ""},
	{"to no email", `{email: mia@example.org}`, `{email: null}`, "email can be changed, not removed: servers cannot forget one"},
	{"to a password of one's own", `{password: {secretRef: {name: s}}}`, `{password: {secretRef: null, chosenByHolder: true}}`, ""},
	{"from a password of one's own", `{password: {chosenByHolder: true}}`, `{password: null}`, ""},
	{"to another role", `{role: Guest}`, `{role: Member}`, ""},
	{"to a disabled owner", `{role: Owner}`, `{disabled: true}`, "the owner of a server is never disabled"},
}

func TestUser(t *testing.T) { testKind(t, "User", goodUsers, badUsers, userChanges) }

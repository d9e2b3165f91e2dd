package api

import (
	"slices"
	"strings"
	"testing"
)

var goodInvites = map[string]string{
	"the smallest":           `{}`,
	"everything":             `{offers: {libraries: {refs: [{name: movies}], selector: {matchLabels: {audience: kids}}}, libraryRole: Admin, role: Editor}, maxUses: 5, expiresAt: "2026-12-31T00:00:00Z", revoked: true, inviter: {displayName: Alice}, email: mia@example.org, account: {labels: {group: cousins, example.org/from: ""}, expiresAfter: 720h}, welcome: "Get the *app*.\n", delivery: Native}`,
	"a date in the past":     `{expiresAt: "2001-01-01T00:00:00Z"}`,
	"every library":          `{offers: {libraries: {all: true}}}`,
	"a role of the server's": `{offers: {role: Power User_2.0-x}}`,
	"one use":                `{maxUses: 1}`,
	"the most uses":          `{maxUses: 10000}`,
	"an unbound address":     `{email: ""}`,
	"a minute":               `{account: {expiresAfter: 1m}}`,
	"ten years":              `{account: {expiresAfter: 87600h}}`,
	"as Go writes it":        `{account: {expiresAfter: 720h0m0s}}`,
	"a part of an hour":      `{account: {expiresAfter: 1.5h}}`,
	"16 labels":              `{account: {labels: {` + labels(16) + `}}}`,
	"the longest label":      `{account: {labels: {` + longestKey + `: ` + strings.Repeat("v", 63) + `}}}`,
	"the longest welcome":    `{welcome: ` + strings.Repeat("w", 4096) + `, inviter: {displayName: ` + strings.Repeat("d", 100) + `}}`,
	"the pages of Usher":     `{delivery: Portal}`,
	"eight servers":          `{offers: [` + many(8, "{serverRef: {name: s%d}, libraries: {all: true}, role: Guest}") + `]}`,
	"8 offers of 256 refs":   `{offers: [` + many(8, "{serverRef: {name: s%d}, libraries: {refs: ["+refs(256)+"], selector: {matchExpressions: ["+expressions(4, 64)+"]}}}") + `]}`,
}

// longestKey is the longest key that Kubernetes takes for a label: a domain of 253 characters and a name of 63.
var longestKey = strings.Repeat("d.", 126) + "d/" + strings.Repeat("k", 63)

const (
	twoForOne    = "no two offers are for one MediaServer: put what they give into one"
	otherServers = "the servers of the offers are immutable: delete this Invite and make a new one"
	adminInvited = "an invite admits no Owner and no Admin: declare such a person as a User"
	badLifetime  = "expiresAfter must be between 1m and 87600h (ten years), in h, m and s: 30 days are 720h"
	ownLabel     = "labels that begin with usher.media/ are Usher's own: choose another key"
	badLabelKey  = "a label's key is a name of at most 63 letters, digits, dots, dashes and underscores, after a domain and a slash or alone"
	badEmail     = "email must look like name@example.org"
)

func badInvites() []refusal {
	return append([]refusal{
		{"no offers", `{offers: null}`, "spec.offers: Required value"},
		{"an empty list of offers", `{offers: []}`, "spec.offers in body should have at least 1 items"},
		{"nine offers", `{offers: [` + many(9, "{serverRef: {name: s%d}}") + `]}`, "spec.offers: Too many: 9: must have at most 8 items"},
		{"two offers for one server", `{offers: [{serverRef: {name: home}}, {serverRef: {name: cabin}}, {serverRef: {name: home}, role: Guest}]}`, twoForOne},
		{"the server of before there were offers", `{serverRef: {name: home}}`, `unknown field "spec.serverRef"`},
		{"the libraries of before there were offers", `{libraries: {all: true}}`, `unknown field "spec.libraries"`},
		{"no server", `{offers: {serverRef: null}}`, "spec.offers[0].serverRef: Required value"},
		{"an empty server name", `{offers: {serverRef: {name: ""}}}`, "spec.offers[0].serverRef.name"},
		{"a long server name", `{offers: {serverRef: {name: ` + strings.Repeat("s", 254) + `}}}`, "spec.offers[0].serverRef.name: Too long"},
		{"an unknown library role", `{offers: {libraryRole: Editor}}`, `spec.offers[0].libraryRole: Unsupported value: "Editor": supported values: "Viewer", "Admin"`},
		{"an Owner", `{offers: {role: Owner}}`, adminInvited},
		{"an Admin", `{offers: {role: Admin}}`, adminInvited},
		{"an Admin of the second server", `{offers: [{serverRef: {name: home}}, {serverRef: {name: cabin}, role: Admin}]}`, adminInvited},
		{"an empty role", `{offers: {role: ""}}`, "spec.offers[0].role"},
		{"a long role", `{offers: {role: ` + strings.Repeat("r", 51) + `}}`, "spec.offers[0].role: Too long"},
		{"a role outside the pattern", `{offers: {role: "Member;"}}`, "a role is Owner, Admin, Editor, Member, Guest or the name of a role of the server's own"},
		{"a role in small letters", `{offers: {role: admin}}`, "write Owner, Admin, Editor, Member or Guest with a capital first letter"},
		{"no uses", `{maxUses: 0}`, "spec.maxUses in body should be greater than or equal to 1"},
		{"too many uses", `{maxUses: 10001}`, "spec.maxUses in body should be less than or equal to 10000"},
		{"uses in words", `{maxUses: many}`, "spec.maxUses"},
		{"an expiry that is no date", `{expiresAt: christmas}`, "spec.expiresAt"},
		{"an inviter without a name", `{inviter: {}}`, "spec.inviter.displayName: Required value"},
		{"an inviter with an empty name", `{inviter: {displayName: ""}}`, "spec.inviter.displayName"},
		{"an inviter with a long name", `{inviter: {displayName: ` + strings.Repeat("d", 101) + `}}`, "spec.inviter.displayName: Too long"},
		{"a line break in the inviter's name", `{inviter: {displayName: "Al\nice"}}`, "displayName must not hold control characters"},
		{"an email without @", `{email: mia.example.org}`, badEmail},
		{"an email with a space", `{email: "mia @example.org"}`, badEmail},
		{"a long email", `{email: ` + strings.Repeat("e", 250) + `@x.org}`, "spec.email: Too long"},
		{"a welcome with a bell", `{welcome: "Ding \a"}`, "welcome must not hold control characters but line breaks and tabs"},
		{"a long welcome", `{welcome: ` + strings.Repeat("w", 4097) + `}`, "spec.welcome: Too long"},
		{"an unknown delivery", `{delivery: Pigeon}`, `spec.delivery: Unsupported value: "Pigeon": supported values: "Auto", "Portal", "Native"`},
		{"a code of one's own", `{code: abc}`, `unknown field "spec.code"`},
	}, slices.Concat(badInvitedAccounts(), badTargets("offers[0].libraries", `{offers: {libraries: {%s}}}`), badDates("expiresAt"))...)
}

func badInvitedAccounts() []refusal {
	return []refusal{
		{"17 labels", `{account: {labels: {` + labels(17) + `}}}`, "spec.account.labels: Too many: 17: must have at most 16 items"},
		{"a label of Usher's own", `{account: {labels: {usher.media/invite: x}}}`, ownLabel},
		{"a label without a key", `{account: {labels: {"": x}}}`, badLabelKey},
		{"a label key with a space", `{account: {labels: {"a b": x}}}`, badLabelKey},
		{"a label key with two slashes", `{account: {labels: {a/b/c: x}}}`, badLabelKey},
		{"a label key with a capital domain", `{account: {labels: {Example.org/a: x}}}`, badLabelKey},
		{"a long label key", `{account: {labels: {` + strings.Repeat("k", 64) + `: x}}}`, badLabelKey},
		{"a long domain of a label key", `{account: {labels: {d` + longestKey + `: x}}}`, badLabelKey},
		{"a long label value", `{account: {labels: {a: ` + strings.Repeat("v", 64) + `}}}`, "spec.account.labels.a: Too long"},
		{"a label value with a space", `{account: {labels: {a: "b c"}}}`, "spec.account.labels.a in body should match"},
		{"a lifetime below a minute", `{account: {expiresAfter: 59s}}`, badLifetime},
		{"a lifetime of none", `{account: {expiresAfter: "0s"}}`, badLifetime},
		{"a lifetime above ten years", `{account: {expiresAfter: 87601h}}`, badLifetime},
		{"a lifetime beyond counting", `{account: {expiresAfter: 9999999999999999999h}}`, badLifetime},
		{"a lifetime in days", `{account: {expiresAfter: 30d}}`, badLifetime},
		{"a negative lifetime", `{account: {expiresAfter: -1h}}`, "spec.account.expiresAfter in body should match"},
		{"a long lifetime", `{account: {expiresAfter: ` + strings.Repeat("1h", 17) + `}}`, "spec.account.expiresAfter: Too long"},
		{"an unknown field", `{account: {group: cousins}}`, `unknown field "spec.account.group"`},
	}
}

const twoOffers = `{offers: [{serverRef: {name: home}}, {serverRef: {name: cabin}}]}`

var inviteChanges = []change{
	{"to another server", `{}`, `{offers: {serverRef: {name: cabin}}}`, otherServers},
	{"to one server more", `{}`, `{offers: [{serverRef: {name: home}}, {serverRef: {name: cabin}}]}`, otherServers},
	{"to one server less", twoOffers, `{offers: [{serverRef: {name: home}}]}`, otherServers},
	{"to another second server", twoOffers, `{offers: [{serverRef: {name: home}}, {serverRef: {name: attic}}]}`, otherServers},
	{"to the same servers in another order", twoOffers, `{offers: [{serverRef: {name: cabin}, role: Guest}, {serverRef: {name: home}}]}`, ""},
	{"to an Admin of the second server", twoOffers, `{offers: [{serverRef: {name: home}}, {serverRef: {name: cabin}, role: Admin}]}`, adminInvited},
	{"to another delivery", `{delivery: Auto}`, `{delivery: Portal}`, "delivery is immutable: delete this Invite and make a new one"},
	{"to more uses", `{maxUses: 2}`, `{maxUses: 3}`, ""},
	{"to any number of uses", `{maxUses: 2}`, `{maxUses: null}`, ""},
	{"to a later expiry", `{expiresAt: "2001-01-01T00:00:00Z"}`, `{expiresAt: "2027-01-01T00:00:00Z"}`, ""},
	{"to revoked", `{}`, `{revoked: true}`, ""},
	{"back from revoked", `{revoked: true}`, `{revoked: false}`, ""},
	{"to an Admin", `{}`, `{offers: {role: Admin}}`, adminInvited},
	{"to other libraries", `{offers: {libraries: {refs: [{name: movies}]}}}`, `{offers: {libraries: {refs: [{name: tv}]}}}`, ""},
}

func TestInvite(t *testing.T) { testKind(t, "Invite", goodInvites, badInvites(), inviteChanges) }

package api

import (
	"fmt"
	"strings"
	"testing"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/usher-media/usher/internal/testenv"
)

var goodRedemptions = map[string]string{
	"the smallest":  `{}`,
	"two libraries": `{accounts: {libraries: [{library: movies, role: Viewer}, {library: tv, role: Admin}]}}`,
	"the longest":   `{accounts: {username: ` + strings.Repeat("u", 128) + `}, inviteRef: {uid: ` + strings.Repeat("i", 64) + `}}`,
	"what it gave":  `{accounts: {role: Guest, labels: [{key: group, value: cousins}], expiresAt: "2027-01-01T00:00:00Z"}}`,
	"two servers":   `{accounts: [{server: home, username: a, userRef: {name: a}}, {server: cabin, username: a, userRef: {name: b}, role: Guest}]}`,
	"many":          `{accounts: {libraries: [` + redeemed(1024) + `]}}`,
}

func redeemed(n int) string { return many(n, "{library: l%d, role: Viewer}") }

const (
	whoCame = "who came by which invite does not change"
	gave    = "what a use gave does not change: delete the Redemption to take its libraries back"
)

var badRedemptions = append([]refusal{
	{"no invite", `{inviteRef: null}`, "spec.inviteRef: Required value"},
	{"an empty invite name", `{inviteRef: {name: ""}}`, "spec.inviteRef.name"},
	{"a long invite name", `{inviteRef: {name: ` + strings.Repeat("n", 254) + `}}`, "spec.inviteRef.name: Too long"},
	{"an empty invite UID", `{inviteRef: {uid: ""}}`, "spec.inviteRef.uid"},
	{"a long invite UID", `{inviteRef: {uid: ` + strings.Repeat("i", 65) + `}}`, "spec.inviteRef.uid: Too long"},
	{"no slot", `{slot: null}`, "spec.slot: Required value"},
	{"a negative slot", `{slot: -1}`, "spec.slot in body should be greater than or equal to 0"},
	{"no accounts", `{accounts: null}`, "spec.accounts: Required value"},
	{"an empty list of accounts", `{accounts: []}`, "spec.accounts in body should have at least 1 items"},
	{"nine accounts", `{accounts: [` + many(9, "{server: s%d, username: grandpa, userRef: {name: x}}") + `]}`, "spec.accounts: Too many: 9: must have at most 8 items"},
	{"two accounts on one server", `{accounts: [{server: home, username: a, userRef: {name: a}}, {server: home, username: b, userRef: {name: b}}]}`, "spec.accounts[1]: Duplicate value"},
	{"two accounts of one User", `{accounts: [{server: home, username: a, userRef: {name: a}}, {server: cabin, username: a, userRef: {name: a}}]}`, "each account has a User of its own"},
	{"the server of before there were accounts", `{serverRef: {name: home}}`, `unknown field "spec.serverRef"`},
	{"no server", `{accounts: {server: null}}`, "spec.accounts[0].server: Required value"},
	{"an empty server name", `{accounts: {server: ""}}`, "spec.accounts[0].server"},
	{"a long server name", `{accounts: {server: ` + strings.Repeat("s", 254) + `}}`, "spec.accounts[0].server: Too long"},
	{"an empty username", `{accounts: {username: ""}}`, "spec.accounts[0].username"},
	{"a long username", `{accounts: {username: ` + strings.Repeat("u", 129) + `}}`, "spec.accounts[0].username: Too long"},
	{"no user", `{accounts: {userRef: null}}`, "spec.accounts[0].userRef: Required value"},
	{"an empty user name", `{accounts: {userRef: {name: ""}}}`, "spec.accounts[0].userRef.name"},
	{"a long user name", `{accounts: {userRef: {name: ` + strings.Repeat("n", 254) + `}}}`, "spec.accounts[0].userRef.name: Too long"},
	{"no time", `{at: null}`, "spec.at: Required value"},
	{"too many libraries", `{accounts: {libraries: [` + redeemed(1025) + `]}}`, "spec.accounts[0].libraries: Too many: 1025: must have at most 1024 items"},
	{"a library twice", `{accounts: {libraries: [{library: l, role: Viewer}, {library: l, role: Admin}]}}`, "spec.accounts[0].libraries[1]: Duplicate value"},
	{"an empty library name", `{accounts: {libraries: [{library: "", role: Viewer}]}}`, "spec.accounts[0].libraries[0].library"},
	{"a long library name", `{accounts: {libraries: [{library: ` + strings.Repeat("l", 254) + `, role: Viewer}]}}`, "spec.accounts[0].libraries[0].library: Too long"},
	{"a library without a role", `{accounts: {libraries: [{library: movies}]}}`, "spec.accounts[0].libraries[0].role: Required value"},
	{"an unknown role", `{accounts: {libraries: [{library: movies, role: Owner}]}}`, `spec.accounts[0].libraries[0].role: Unsupported value: "Owner": supported values: "Viewer", "Admin"`},
	{"an Owner", `{accounts: {role: Owner}}`, "an invite admits no Owner and no Admin"},
	{"an Admin", `{accounts: {role: Admin}}`, "an invite admits no Owner and no Admin"},
	{"an empty role", `{accounts: {role: ""}}`, "spec.accounts[0].role in body should be at least 1 chars long"},
	{"a long role", `{accounts: {role: ` + strings.Repeat("r", 51) + `}}`, "spec.accounts[0].role: Too long"},
	{"a role of strange characters", `{accounts: {role: "a/b"}}`, "a role is Owner, Admin, Editor, Member, Guest or the name of a role of the server's own"},
	{"a small role", `{accounts: {role: guest}}`, "write Owner, Admin, Editor, Member or Guest with a capital first letter"},
	{"too many labels", `{accounts: {labels: [` + many(17, "{key: l%d, value: v}") + `]}}`, "spec.accounts[0].labels: Too many"},
	{"a label twice", `{accounts: {labels: [{key: a, value: b}, {key: a, value: c}]}}`, "spec.accounts[0].labels[1]: Duplicate value"},
	{"a label without a key", `{accounts: {labels: [{key: "", value: b}]}}`, "spec.accounts[0].labels[0].key in body should be at least 1 chars long"},
	{"a label with a long key", `{accounts: {labels: [{key: ` + strings.Repeat("k", 318) + `, value: b}]}}`, "spec.accounts[0].labels[0].key: Too long"},
	{"a long label", `{accounts: {labels: [{key: a, value: ` + strings.Repeat("v", 64) + `}]}}`, "spec.accounts[0].labels[0].value: Too long"},
	{"a bad label", `{accounts: {labels: [{key: a, value: "b c"}]}}`, "spec.accounts[0].labels[0].value in body should match"},
	{"a long end", `{accounts: {expiresAt: "` + strings.Repeat("9", 65) + `"}}`, "spec.accounts[0].expiresAt: Too long"},
	{"an end that is no date", `{accounts: {expiresAt: tomorrow}}`, "spec.accounts[0].expiresAt in body should match"},
	{"an unknown field", `{password: secret}`, `unknown field "spec.password"`},
}, append(badDates("at"), badDates("accounts[0].expiresAt")...)...)

var redemptionChanges = []change{
	{"to another invite", `{}`, `{inviteRef: {name: friends}}`, whoCame},
	{"to a later invite of the name", `{}`, `{inviteRef: {uid: another}}`, whoCame},
	{"to another slot", `{}`, `{slot: 1}`, whoCame},
	{"to another server", `{}`, `{accounts: {server: cabin}}`, whoCame},
	{"to a server more", `{}`, `{accounts: [{server: home, username: grandpa, userRef: {name: grandpa-1}}, {server: cabin, username: a, userRef: {name: b}}]}`, whoCame},
	{"to another User", `{}`, `{accounts: {userRef: {name: leo}}}`, whoCame},
	{"to another person", `{}`, `{accounts: {username: leo}}`, whoCame},
	{"to another role", `{accounts: {role: Guest}}`, `{accounts: {role: Editor}}`, gave},
	{"to a role", `{}`, `{accounts: {role: Editor}}`, gave},
	{"to other labels", `{accounts: {labels: [{key: group, value: a}]}}`, `{accounts: {labels: [{key: group, value: b}]}}`, gave},
	{"to no labels", `{accounts: {labels: [{key: group, value: a}]}}`, `{accounts: {labels: null}}`, gave},
	{"to no end", `{accounts: {expiresAt: "2027-01-01T00:00:00Z"}}`, `{accounts: {expiresAt: null}}`, gave},
	{"to a later end", `{accounts: {expiresAt: "2027-01-01T00:00:00Z"}}`, `{accounts: {expiresAt: "2028-01-01T00:00:00Z"}}`, gave},
	{"to fewer libraries", `{accounts: {libraries: [{library: movies, role: Viewer}]}}`, `{accounts: {libraries: null}}`, ""},
}

func TestRedemption(t *testing.T) {
	testKind(t, "Redemption", goodRedemptions, badRedemptions, redemptionChanges)
}

// TestRedemptionsAreUshers: people read Redemptions, and take back what one gives by deleting it; nobody but Usher
// writes them, and so nobody admits anybody past an Invite's limit, or marks a use as done.
func TestRedemptionsAreUshers(t *testing.T) {
	who := meet(t)
	mustSay(t, strict(who.editor).Create(t.Context(), manifest(t, "Invite", who.namespace, "cousins", `{}`)), "")
	for i, c := range []client.Client{who.editor, who.administrator} {
		fresh := manifest(t, "Redemption", who.namespace, fmt.Sprintf("uid-%d", i), `{}`)
		mustSay(t, c.Create(t.Context(), fresh.DeepCopy()), "forbidden")
		if err := who.admin.Create(t.Context(), fresh); err != nil {
			t.Fatal(err)
		}
		mustSay(t, c.Get(t.Context(), client.ObjectKeyFromObject(fresh), fresh), "")
		fresh.Object["status"] = map[string]any{"phase": "Completed"}
		mustSay(t, c.Status().Update(t.Context(), fresh.DeepCopy()), "forbidden")
		merge(spec(fresh), parse(t, `{accounts: {libraries: [{library: anime, role: Viewer}]}}`))
		mustSay(t, c.Update(t.Context(), fresh.DeepCopy()), "forbidden")
		mustSay(t, c.Patch(t.Context(), fresh.DeepCopy(), client.RawPatch("application/merge-patch+json", []byte(`{"spec":{"accounts":[]}}`))), "forbidden")
		mustSay(t, c.Delete(t.Context(), fresh), "")
	}
}

// TestASlotIsTakenOnce: the API server refuses a second Redemption of that name, whoever was faster.
func TestASlotIsTakenOnce(t *testing.T) {
	env := testenv.Get(t)
	namespace := env.Namespace(t)
	operator := env.User(t, "operator-"+namespace, "", "usher-manager").Client(t)
	first := manifest(t, "Redemption", namespace, "uid-0", `{}`)
	mustSay(t, operator.Create(t.Context(), first), "")
	err := operator.Create(t.Context(), manifest(t, "Redemption", namespace, "uid-0", `{accounts: {username: leo}}`))
	if !apierrors.IsAlreadyExists(err) {
		t.Errorf("the second one got %v, want AlreadyExists", err)
	}
}

// TestViewerReadsInvites: whoever may only look sees Invites and Redemptions, and makes none.
func TestViewerReadsInvites(t *testing.T) {
	env := testenv.Get(t)
	namespace := env.Namespace(t)
	viewer := env.User(t, "viewer-"+namespace, namespace, "usher-viewer").Client(t)
	for _, kind := range []string{"Invite", "Redemption"} {
		object := manifest(t, kind, namespace, "x", `{}`)
		mustSay(t, viewer.Create(t.Context(), object.DeepCopy()), "forbidden")
		if err := env.Client().Create(t.Context(), object); err != nil {
			t.Fatal(err)
		}
		mustSay(t, viewer.Get(t.Context(), client.ObjectKeyFromObject(object), object), "")
		mustSay(t, viewer.Delete(t.Context(), object), "forbidden")
	}
}

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
	"two libraries": `{libraries: [{library: movies, role: Viewer}, {library: tv, role: Admin}]}`,
	"the longest":   `{username: ` + strings.Repeat("u", 128) + `, inviteRef: {uid: ` + strings.Repeat("i", 64) + `}}`,
	"what it gave":  `{role: Guest, labels: [{key: group, value: cousins}], expiresAt: "2027-01-01T00:00:00Z"}`,
	"many":          `{libraries: [` + redeemed(1024) + `]}`,
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
	{"no server", `{serverRef: null}`, "spec.serverRef: Required value"},
	{"an empty server name", `{serverRef: {name: ""}}`, "spec.serverRef.name"},
	{"a long server name", `{serverRef: {name: ` + strings.Repeat("s", 254) + `}}`, "spec.serverRef.name: Too long"},
	{"an empty username", `{username: ""}`, "spec.username"},
	{"a long username", `{username: ` + strings.Repeat("u", 129) + `}`, "spec.username: Too long"},
	{"no user", `{userRef: null}`, "spec.userRef: Required value"},
	{"an empty user name", `{userRef: {name: ""}}`, "spec.userRef.name"},
	{"a long user name", `{userRef: {name: ` + strings.Repeat("n", 254) + `}}`, "spec.userRef.name: Too long"},
	{"no time", `{at: null}`, "spec.at: Required value"},
	{"too many libraries", `{libraries: [` + redeemed(1025) + `]}`, "spec.libraries: Too many: 1025: must have at most 1024 items"},
	{"a library twice", `{libraries: [{library: l, role: Viewer}, {library: l, role: Admin}]}`, "spec.libraries[1]: Duplicate value"},
	{"an empty library name", `{libraries: [{library: "", role: Viewer}]}`, "spec.libraries[0].library"},
	{"a long library name", `{libraries: [{library: ` + strings.Repeat("l", 254) + `, role: Viewer}]}`, "spec.libraries[0].library: Too long"},
	{"a library without a role", `{libraries: [{library: movies}]}`, "spec.libraries[0].role: Required value"},
	{"an unknown role", `{libraries: [{library: movies, role: Owner}]}`, `spec.libraries[0].role: Unsupported value: "Owner": supported values: "Viewer", "Admin"`},
	{"an Owner", `{role: Owner}`, "an invite admits no Owner and no Admin"},
	{"an Admin", `{role: Admin}`, "an invite admits no Owner and no Admin"},
	{"an empty role", `{role: ""}`, "spec.role in body should be at least 1 chars long"},
	{"a long role", `{role: ` + strings.Repeat("r", 51) + `}`, "spec.role: Too long"},
	{"a role of strange characters", `{role: "a/b"}`, "a role is Owner, Admin, Editor, Member, Guest or the name of a role of the server's own"},
	{"a small role", `{role: guest}`, "write Owner, Admin, Editor, Member or Guest with a capital first letter"},
	{"too many labels", `{labels: [` + many(17, "{key: l%d, value: v}") + `]}`, "spec.labels: Too many"},
	{"a label twice", `{labels: [{key: a, value: b}, {key: a, value: c}]}`, "spec.labels[1]: Duplicate value"},
	{"a label without a key", `{labels: [{key: "", value: b}]}`, "spec.labels[0].key in body should be at least 1 chars long"},
	{"a label with a long key", `{labels: [{key: ` + strings.Repeat("k", 318) + `, value: b}]}`, "spec.labels[0].key: Too long"},
	{"a long label", `{labels: [{key: a, value: ` + strings.Repeat("v", 64) + `}]}`, "spec.labels[0].value: Too long"},
	{"a bad label", `{labels: [{key: a, value: "b c"}]}`, "spec.labels[0].value in body should match"},
	{"a long end", `{expiresAt: "` + strings.Repeat("9", 65) + `"}`, "spec.expiresAt: Too long"},
	{"an end that is no date", `{expiresAt: tomorrow}`, "spec.expiresAt in body should match"},
	{"an unknown field", `{password: secret}`, `unknown field "spec.password"`},
}, append(badDates("at"), badDates("expiresAt")...)...)

var redemptionChanges = []change{
	{"to another invite", `{}`, `{inviteRef: {name: friends}}`, whoCame},
	{"to a later invite of the name", `{}`, `{inviteRef: {uid: another}}`, whoCame},
	{"to another slot", `{}`, `{slot: 1}`, whoCame},
	{"to another server", `{}`, `{serverRef: {name: cabin}}`, whoCame},
	{"to another person", `{}`, `{username: leo}`, whoCame},
	{"to another role", `{role: Guest}`, `{role: Editor}`, gave},
	{"to a role", `{}`, `{role: Editor}`, gave},
	{"to other labels", `{labels: [{key: group, value: a}]}`, `{labels: [{key: group, value: b}]}`, gave},
	{"to no labels", `{labels: [{key: group, value: a}]}`, `{labels: null}`, gave},
	{"to no end", `{expiresAt: "2027-01-01T00:00:00Z"}`, `{expiresAt: null}`, gave},
	{"to a later end", `{expiresAt: "2027-01-01T00:00:00Z"}`, `{expiresAt: "2028-01-01T00:00:00Z"}`, gave},
	{"to fewer libraries", `{libraries: [{library: movies, role: Viewer}]}`, `{libraries: null}`, ""},
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
		spec(fresh)["libraries"] = []any{map[string]any{"library": "anime", "role": "Viewer"}}
		mustSay(t, c.Update(t.Context(), fresh.DeepCopy()), "forbidden")
		mustSay(t, c.Patch(t.Context(), fresh.DeepCopy(), client.RawPatch("application/merge-patch+json", []byte(`{"spec":{"libraries":[]}}`))), "forbidden")
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
	err := operator.Create(t.Context(), manifest(t, "Redemption", namespace, "uid-0", `{username: leo}`))
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

package api

import (
	"testing"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/usher-media/usher/internal/testenv"
)

// people of the admission tests: what each may do is all that sets them apart.
type people struct {
	namespace                    string
	admin, editor, administrator client.Client
}

func meet(t *testing.T) people {
	t.Helper()
	env := testenv.Get(t)
	namespace := env.Namespace(t)
	return people{
		namespace:     namespace,
		admin:         env.Client(),
		editor:        env.User(t, "editor-"+namespace, namespace, "usher-editor").Client(t),
		administrator: env.User(t, "administrator-"+namespace, namespace, "usher-administrator").Client(t),
	}
}

// guarded are new objects that need the permission, and what an editor reads.
var guarded = []struct{ name, kind, spec, says string }{
	{"an Admin", "User", `{role: Admin}`, "a User with role Admin needs permission to administer MediaServer home (kubectl auth can-i administer mediaservers.usher.media/home -n "},
	{"an Owner", "User", `{role: Owner}`, "a User with role Owner needs permission to administer MediaServer home"},
	{"access to all", "User", `{access: All}`, "a User with access All needs permission to administer MediaServer home"},
	{"taking over", "User", `{adoptionPolicy: Always}`, "a User with adoptionPolicy Always needs permission to administer MediaServer home"},
	{"all at once", "User", `{role: Admin, access: All, adoptionPolicy: Always}`, "a User with role Admin, access All, adoptionPolicy Always needs permission"},
	{"a server of one's own", "MediaServer", `{}`, "setting url, credentials needs permission to administer MediaServer x"},
	{"a server that takes over", "MediaServer", `{adoptionPolicy: Always}`, "setting adoptionPolicy Always, url, credentials needs permission to administer MediaServer x"},
}

func TestEditorMayNotAdminister(t *testing.T) {
	who := meet(t)
	for _, try := range guarded {
		t.Run(try.name, func(t *testing.T) {
			object := manifest(t, try.kind, who.namespace, "x", try.spec)
			err := tryCreate(t.Context(), who.editor, object.DeepCopy())
			mustSay(t, err, try.says)
			if err != nil && !apierrors.IsForbidden(err) {
				t.Errorf("the reason is %s, want Forbidden", apierrors.ReasonForError(err))
			}
			mustSay(t, tryCreate(t.Context(), who.administrator, object), "")
		})
	}
}

func TestEditorMayGive(t *testing.T) {
	who := meet(t)
	for kind, spec := range map[string]string{
		"Library": `{}`, "LibraryGrant": `{role: Admin}`, "User": `{role: Editor, adoptionPolicy: IfDisabled}`,
		"Invite": `{role: Editor, libraryRole: Admin, libraries: {all: true}}`,
	} {
		object := manifest(t, kind, who.namespace, "x", spec)
		mustSay(t, strict(who.editor).Create(t.Context(), object), "")
		object.SetLabels(map[string]string{"group": "kids"})
		mustSay(t, strict(who.editor).Update(t.Context(), object), "")
		mustSay(t, who.editor.Delete(t.Context(), object), "")
	}
}

// edits are changes to objects that exist, and what an editor reads; the empty text means that an editor may.
var edits = []struct{ name, kind, before, after, says string }{
	{"raises a role", "User", `{}`, `{role: Admin}`, "a User with role Admin needs permission"},
	{"raises access", "User", `{}`, `{access: All}`, "a User with access All needs permission"},
	{"takes over later", "User", `{}`, `{adoptionPolicy: Always}`, "a User with adoptionPolicy Always needs permission"},
	{"lowers an Admin", "User", `{role: Admin}`, `{role: Member}`, "a change to a User that has role Admin needs permission"},
	{"sets an Admin's password", "User", `{role: Admin}`, `{password: {secretRef: {name: mine}}}`, "a User with role Admin needs permission"},
	{"disables one who sees all", "User", `{access: All}`, `{disabled: true}`, "a User with access All needs permission"},
	{"renames a member", "User", `{}`, `{displayName: Mia}`, ""},
	{"redirects a server", "MediaServer", `{}`, `{url: "http://elsewhere"}`, "setting url needs permission to administer MediaServer"},
	{"changes credentials", "MediaServer", `{}`, `{credentials: {secretRef: {name: mine}}}`, "setting credentials needs permission"},
	{"adds a database", "MediaServer", `{type: Alcoves}`, `{database: {secretRef: {name: mine}}}`, "setting database needs permission"},
	{"trusts any certificate", "MediaServer", `{url: "https://home"}`, `{tls: {insecureSkipVerify: true}}`, "setting tls needs permission"},
	{"takes over with a server", "MediaServer", `{}`, `{adoptionPolicy: Always}`, "setting adoptionPolicy Always needs permission"},
	{"stops taking over", "MediaServer", `{adoptionPolicy: Always}`, `{adoptionPolicy: Never}`, ""},
	{"looks more often", "MediaServer", `{adoptionPolicy: Always}`, `{syncInterval: 1m}`, ""},
}

func TestEdits(t *testing.T) {
	who := meet(t)
	for i, try := range edits {
		t.Run(try.name, func(t *testing.T) {
			object := manifest(t, try.kind, who.namespace, "edit-"+string(rune('a'+i)), try.before)
			if err := strict(who.admin).Create(t.Context(), object); err != nil {
				t.Fatal(err)
			}
			merge(spec(object), parse(t, try.after))
			mustSay(t, strict(client.NewDryRunClient(who.editor)).Update(t.Context(), object.DeepCopy()), try.says)
			mustSay(t, strict(who.administrator).Update(t.Context(), object), "")
		})
	}
}

// TestAdminMetadata: labels, finalizers and deletion of an Admin are no matter of the policy.
func TestAdminMetadata(t *testing.T) {
	who := meet(t)
	for _, kind := range []string{"User", "MediaServer"} {
		fields := map[string]string{"User": `{role: Admin}`, "MediaServer": `{adoptionPolicy: Always}`}[kind]
		object := manifest(t, kind, who.namespace, "x", fields)
		object.SetFinalizers([]string{"example.org/hold"})
		if err := strict(who.admin).Create(t.Context(), object); err != nil {
			t.Fatal(err)
		}
		object.SetLabels(map[string]string{"group": "kids"})
		mustSay(t, strict(who.editor).Update(t.Context(), object), "")
		mustSay(t, who.editor.Delete(t.Context(), object), "")
		mustSay(t, removeFinalizers(t, who.editor, object), "")
		if err := who.admin.Get(t.Context(), client.ObjectKeyFromObject(object), object); !apierrors.IsNotFound(err) {
			t.Errorf("%s is still there: %v", kind, err)
		}
	}
}

func removeFinalizers(t *testing.T, c client.Client, object *unstructured.Unstructured) error {
	t.Helper()
	if err := c.Get(t.Context(), client.ObjectKeyFromObject(object), object); err != nil {
		return err
	}
	object.SetFinalizers(nil)
	return c.Update(t.Context(), object)
}

// TestNarrowAdministrator: the permission may be given for one media server by name.
func TestNarrowAdministrator(t *testing.T) {
	env := testenv.Get(t)
	namespace := env.Namespace(t)
	role := narrowRole(namespace)
	if err := env.Client().Create(t.Context(), role); err != nil {
		t.Fatal(err)
	}
	narrow := env.User(t, "narrow-"+namespace, namespace, "usher-editor", role.Name).Client(t)
	home := manifest(t, "User", namespace, "x", `{role: Admin}`)
	mustSay(t, tryCreate(t.Context(), narrow, home), "")
	cabin := manifest(t, "User", namespace, "x", `{role: Admin, serverRef: {name: cabin}}`)
	mustSay(t, tryCreate(t.Context(), narrow, cabin), "needs permission to administer MediaServer cabin")
}

// TestOtherNamespace: the permission reaches no further than the namespace that it was given in.
func TestOtherNamespace(t *testing.T) {
	env := testenv.Get(t)
	here, there := env.Namespace(t), env.Namespace(t)
	user := env.User(t, "here-"+here, here, "usher-administrator")
	if err := user.Bind(t.Context(), there, "usher-editor"); err != nil {
		t.Fatal(err)
	}
	mustSay(t, tryCreate(t.Context(), user.Client(t), manifest(t, "User", here, "x", `{role: Admin}`)), "")
	err := tryCreate(t.Context(), user.Client(t), manifest(t, "User", there, "x", `{role: Admin}`))
	mustSay(t, err, "needs permission to administer MediaServer home (kubectl auth can-i administer mediaservers.usher.media/home -n "+there+")")
}

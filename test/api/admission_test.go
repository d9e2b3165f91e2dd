package api

import (
	"testing"

	rbacv1 "k8s.io/api/rbac/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/usher-media/usher/internal/testenv"
)

// people of the admission tests: what each may do is all that sets them apart.
type people struct {
	namespace                    string
	admin, editor, administrator client.Client
	// namespaceAdmin is an administrator who may also read the Secrets of the namespace, as the built-in role admin lets.
	namespaceAdmin client.Client
}

func meet(t *testing.T) people {
	t.Helper()
	env := testenv.Get(t)
	namespace := env.Namespace(t)
	return people{
		namespace:      namespace,
		admin:          env.Client(),
		editor:         env.User(t, "editor-"+namespace, namespace, "usher-editor").Client(t),
		administrator:  env.User(t, "administrator-"+namespace, namespace, "usher-administrator").Client(t),
		namespaceAdmin: env.User(t, "admin-"+namespace, namespace, "usher-administrator", secretReader(t)).Client(t),
	}
}

// secretReader is a role to read all Secrets.
func secretReader(t *testing.T) string {
	t.Helper()
	role := &rbacv1.ClusterRole{
		ObjectMeta: metav1.ObjectMeta{Name: "secret-reader"},
		Rules:      []rbacv1.PolicyRule{{APIGroups: []string{""}, Resources: []string{"secrets"}, Verbs: []string{"get", "list"}}},
	}
	if err := testenv.Get(t).Client().Create(t.Context(), role); client.IgnoreAlreadyExists(err) != nil {
		t.Fatal(err)
	}
	return role.Name
}

// guarded are new objects that need the permission, and what an editor reads.
var guarded = []struct{ name, kind, spec, says string }{
	{"an Admin", "User", `{role: Admin}`, "a User with role Admin needs permission to administer MediaServer home (kubectl auth can-i administer mediaservers.usher.media/home -n "},
	{"an Owner", "User", `{role: Owner}`, "a User with role Owner needs permission to administer MediaServer home"},
	{"access to all", "User", `{access: All}`, "a User with access All needs permission to administer MediaServer home"},
	{"taking over", "User", `{adoptionPolicy: Always}`, "a User with adoptionPolicy Always needs permission to administer MediaServer home"},
	{"all at once", "User", `{role: Admin, access: All, adoptionPolicy: Always}`, "a User with role Admin, access All, adoptionPolicy Always needs permission"},
	{"a server of one's own", "MediaServer", `{}`, "setting url, credentials needs permission to administer MediaServer x"},
	{"an Admin of libraries", "LibraryGrant", `{role: Admin}`, "role Admin needs permission to administer all MediaServers (kubectl auth can-i administer mediaservers.usher.media -n "},
	{"a link for Admins of libraries", "Invite", `{offers: {libraryRole: Admin}}`, "libraryRole Admin needs permission to administer MediaServer home"},
	{"a library that takes over", "Library", `{adoptionPolicy: IfUnique}`, "a Library with adoptionPolicy IfUnique may take over one that exists on the server, which needs permission to administer MediaServer home"},
	{"a library by its id", "Library", `{externalID: lib-1}`, "a Library with externalID may take over one that exists on the server, which needs permission"},
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
			mustSay(t, tryCreate(t.Context(), who.namespaceAdmin, object), "")
		})
	}
}

func TestEditorMayGive(t *testing.T) {
	who := meet(t)
	for kind, spec := range map[string]string{
		"Library": `{adoptionPolicy: Never}`, "LibraryGrant": `{role: Viewer}`, "User": `{role: Editor, adoptionPolicy: IfDisabled}`,
		"Invite": `{offers: {role: Editor, libraryRole: Viewer, libraries: {all: true}}}`,
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
	{"stops taking over", "MediaServer", `{adoptionPolicy: Always}`, `{adoptionPolicy: Never}`, "setting adoptionPolicy Never needs permission"},
	{"adopts another library by its name", "Library", `{adoptionPolicy: IfUnique}`, `{displayName: Private}`, "displayName with adoptionPolicy IfUnique may take over"},
	{"stops a library taking over", "Library", `{adoptionPolicy: IfUnique}`, `{adoptionPolicy: Never, displayName: Private}`, ""},
	{"lowers an Admin of libraries", "LibraryGrant", `{role: Admin}`, `{role: Viewer}`, "a change where role is Admin needs permission to administer all MediaServers"},
	{"looks more often", "MediaServer", `{adoptionPolicy: Always}`, `{syncInterval: 1m}`, "setting syncInterval needs permission to administer MediaServer"},
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
			mustSay(t, strict(who.namespaceAdmin).Update(t.Context(), object), "")
		})
	}
}

// TestAdminMetadata: labels of an Admin and of a MediaServer are no matter of the policies, nor who removes others' finalizers.
func TestAdminMetadata(t *testing.T) {
	who := meet(t)
	for _, kind := range []string{"User", "MediaServer"} {
		fields := map[string]string{"User": `{role: Admin}`, "MediaServer": `{adoptionPolicy: Always}`}[kind]
		object := manifest(t, kind, who.namespace, "x", fields)
		object.SetFinalizers([]string{"example.org/hold", "foregroundDeletion"})
		if err := strict(who.admin).Create(t.Context(), object); err != nil {
			t.Fatal(err)
		}
		object.SetLabels(map[string]string{"group": "kids"})
		mustSay(t, strict(who.editor).Update(t.Context(), object), "")
		object.SetFinalizers(nil)
		mustSay(t, strict(who.editor).Update(t.Context(), object), "")
	}
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

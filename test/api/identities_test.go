package api

import (
	"testing"

	corev1 "k8s.io/api/core/v1"
	rbacv1 "k8s.io/api/rbac/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/client-go/rest"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/usher-media/usher/api/v1alpha1"
	"github.com/usher-media/usher/internal/testenv"
)

// controller is the client of a controller of Kubernetes itself, with the role that the API server gives it.
func controller(t *testing.T, name string) client.Client {
	t.Helper()
	config := testenv.Get(t).Config()
	config.Impersonate = rest.ImpersonationConfig{
		UserName: "system:serviceaccount:kube-system:" + name,
		Groups:   []string{"system:serviceaccounts", "system:serviceaccounts:kube-system", "system:authenticated"},
	}
	c, err := client.New(config, client.Options{Scheme: testenv.Scheme()})
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func strictDry(c client.Client) client.Client { return client.NewDryRunClient(strict(c)) }

func keyOf(object client.Object) client.ObjectKey { return client.ObjectKeyFromObject(object) }

// household makes one object of each sort that deletion tells apart, and returns those that are guarded.
func household(t *testing.T, namespace string) (guarded, ordinary []*unstructured.Unstructured) {
	t.Helper()
	guarded = []*unstructured.Unstructured{
		manifest(t, "MediaServer", namespace, "home", `{}`), manifest(t, "User", namespace, "alice", `{role: Owner}`),
		manifest(t, "User", namespace, "bob", `{role: Admin}`), manifest(t, "User", namespace, "carol", `{access: All}`),
	}
	ordinary = []*unstructured.Unstructured{
		manifest(t, "User", namespace, "mia", `{}`), manifest(t, "User", namespace, "dave", `{adoptionPolicy: Always}`),
		manifest(t, "Library", namespace, "movies", `{}`), manifest(t, "LibraryGrant", namespace, "all", `{role: Admin}`),
		manifest(t, "Invite", namespace, "link", `{offers: {libraryRole: Admin}}`), manifest(t, "Redemption", namespace, "uid-0", `{}`),
	}
	for _, object := range append(append([]*unstructured.Unstructured{}, guarded...), ordinary...) {
		if err := strict(testenv.Get(t).Client()).Create(t.Context(), object); err != nil {
			t.Fatal(err)
		}
	}
	return guarded, ordinary
}

// clear deletes all objects of Usher's kinds as `kubectl delete --all` and the namespace controller do, and returns the
// errors by kind.
func clear(t *testing.T, c client.Client, namespace string) map[string]error {
	t.Helper()
	errs := map[string]error{}
	for kind := range good {
		of := &unstructured.Unstructured{}
		of.SetAPIVersion("usher.media/v1alpha1")
		of.SetKind(kind)
		if err := c.DeleteAllOf(t.Context(), of, client.InNamespace(namespace)); err != nil {
			errs[kind] = err
		}
	}
	return errs
}

func there(t *testing.T, object *unstructured.Unstructured) bool {
	t.Helper()
	err := testenv.Get(t).Client().Get(t.Context(), keyOf(object), object.DeepCopy())
	if client.IgnoreNotFound(err) != nil {
		t.Fatal(err)
	}
	return err == nil
}

// TestDeletingACollection: the request names no object, and each one that is guarded is asked for all the same.
func TestDeletingACollection(t *testing.T) {
	who := meet(t)
	guarded, ordinary := household(t, who.namespace)
	errs := clear(t, who.editor, who.namespace)
	for _, kind := range []string{"User", "MediaServer"} {
		mustSay(t, errs[kind], "needs permission to administer MediaServer home (kubectl auth can-i administer")
	}
	for _, object := range guarded {
		if !there(t, object) {
			t.Errorf("an editor deleted %s %s", object.GetKind(), object.GetName())
		}
	}
	for _, object := range ordinary {
		if object.GetKind() != "User" && there(t, object) { // The first refusal ends a collection.
			t.Errorf("an editor could not delete %s %s: %v", object.GetKind(), object.GetName(), errs[object.GetKind()])
		}
	}
	for kind, err := range clear(t, who.administrator, who.namespace) {
		t.Errorf("an administrator may not delete every %s: %v", kind, err)
	}
}

// TestTerminatingNamespace: the namespace controller deletes what a namespace holds once that is being deleted, and not before.
func TestTerminatingNamespace(t *testing.T) {
	who := meet(t)
	guarded, ordinary := household(t, who.namespace)
	namespaces := controller(t, "namespace-controller")
	errs := clear(t, namespaces, who.namespace)
	for _, kind := range []string{"User", "MediaServer"} {
		mustSay(t, errs[kind], "needs permission to administer")
	}
	if err := who.admin.Delete(t.Context(), &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: who.namespace}}); err != nil {
		t.Fatal(err)
	}
	testenv.Eventually(t, "the namespace controller may delete everything", func() bool { return len(clear(t, namespaces, who.namespace)) == 0 })
	for _, object := range append(guarded, ordinary...) {
		if there(t, object) {
			t.Errorf("%s %s is still there", object.GetKind(), object.GetName())
		}
	}
}

// TestGarbageCollector: it deletes what has an owner, which somebody set who might, and changes references and finalizers of
// its own. What has no owner it does not delete, and our finalizer it does not remove.
func TestGarbageCollector(t *testing.T) {
	who := meet(t)
	collector := controller(t, "generic-garbage-collector")
	for _, kind := range []string{"User", "MediaServer"} {
		object := manifest(t, kind, who.namespace, "x", map[string]string{"User": `{role: Admin}`, "MediaServer": `{}`}[kind])
		object.SetFinalizers([]string{v1alpha1.Finalizer, "foregroundDeletion"})
		if err := strict(who.admin).Create(t.Context(), object); err != nil {
			t.Fatal(err)
		}
		mustSay(t, collector.Delete(t.Context(), object.DeepCopy(), client.DryRunAll), "needs permission to administer")
		patch := func(text string) error {
			return collector.Patch(t.Context(), object, client.RawPatch("application/merge-patch+json", []byte(text)))
		}
		mustSay(t, patch(`{"metadata":{"ownerReferences":[{"apiVersion":"v1","kind":"ConfigMap","name":"o","uid":"o"}]}}`), "setting ownerReferences")
		owned(object)
		mustSay(t, strict(who.administrator).Update(t.Context(), object), "")
		mustSay(t, patch(`{"metadata":{"ownerReferences":[{"apiVersion":"v1","kind":"ConfigMap","name":"owner","uid":"owner","blockOwnerDeletion":false}]}}`), "")
		mustSay(t, patch(`{"metadata":{"finalizers":["usher.media/finalizer"]}}`), "")
		mustSay(t, patch(`{"metadata":{"finalizers":null}}`), "the finalizer usher.media/finalizer is removed by Usher")
		mustSay(t, who.editor.Delete(t.Context(), object.DeepCopy(), client.DryRunAll), "needs permission to administer")
		mustSay(t, collector.Delete(t.Context(), object.DeepCopy(), client.Preconditions{UID: new(object.GetUID())}), "")
		mustSay(t, patch(`{"metadata":{"ownerReferences":null}}`), "") // as it does to what is orphaned
		letGo(t, who.admin, object)
	}
}

// TestOwnersThatWereThere: whoever sets an owner while that needs no permission does not thereby decide when an
// administrator is deleted.
func TestOwnersThatWereThere(t *testing.T) {
	who := meet(t)
	object := manifest(t, "User", who.namespace, "mia", `{}`)
	owned(object)
	mustSay(t, strict(who.editor).Create(t.Context(), object), "")
	raised := func() *unstructured.Unstructured {
		changed := object.DeepCopy()
		merge(spec(changed), parse(t, `{role: Admin}`))
		return changed
	}
	mustSay(t, strict(who.administrator).Update(t.Context(), raised()), "must have no ownerReferences")
	object.SetOwnerReferences(nil)
	mustSay(t, strict(who.editor).Update(t.Context(), object), "")
	object = raised()
	mustSay(t, strict(who.administrator).Update(t.Context(), object), "")
	owned(object)
	mustSay(t, strict(who.administrator).Update(t.Context(), object), "")
	object.SetLabels(map[string]string{"group": "kids"})
	mustSay(t, strict(who.editor).Update(t.Context(), object), "")
}

// TestFinalizersOnWhatIsGuarded: who adds one to what stands for an administrator or a server needs permission, of whatever name, also
// beside others and with a patch. The garbage collector may add its own, the API server adds them with a deletion, and
// Kubernetes' controllers remove them.
func TestFinalizersOnWhatIsGuarded(t *testing.T) {
	who := meet(t)
	collector, namespaces := controller(t, "generic-garbage-collector"), controller(t, "namespace-controller")
	guarded, ordinary := household(t, who.namespace)
	patch := func(c client.Client, object *unstructured.Unstructured, finalizers string) error {
		return client.NewDryRunClient(c).Patch(t.Context(), object.DeepCopy(), client.RawPatch("application/merge-patch+json", []byte(`{"metadata":{"finalizers":`+finalizers+`}}`)))
	}
	for _, object := range ordinary {
		if object.GetKind() != "Redemption" { // RBAC says no to everybody
			mustSay(t, patch(who.editor, object, `["example.org/hold"]`), "")
		}
	}
	for _, object := range guarded {
		for _, finalizer := range []string{"example.org/hold", v1alpha1.Finalizer, "foregroundDeletion", "orphan"} {
			mustSay(t, patch(who.editor, object, `["`+finalizer+`"]`), "adding the finalizers "+finalizer+" to a ")
		}
		mustSay(t, patch(collector, object, `["foregroundDeletion"]`), "")
		mustSay(t, patch(collector, object, `["orphan"]`), "")
		mustSay(t, patch(collector, object, `["foregroundDeletion","example.org/hold"]`), "adding the finalizers foregroundDeletion, example.org/hold to a ")
		mustSay(t, patch(namespaces, object, `["example.org/hold"]`), "forbidden")

		object.SetFinalizers([]string{"example.org/hold", v1alpha1.Finalizer})
		mustSay(t, strict(who.administrator).Update(t.Context(), object), "")
		mustSay(t, patch(who.editor, object, `["example.org/hold","usher.media/finalizer","example.org/other"]`), "adding the finalizers example.org/other to a ")
		mustSay(t, patch(who.editor, object, `["usher.media/finalizer","example.org/hold"]`), "")
		mustSay(t, patch(who.editor, object, `["usher.media/finalizer"]`), "")
		mustSay(t, strict(who.administrator).Delete(t.Context(), object, client.PropagationPolicy(metav1.DeletePropagationForeground)), "")
		if err := who.admin.Get(t.Context(), keyOf(object), object); err != nil || len(object.GetFinalizers()) != 3 {
			t.Fatalf("%v: finalizers %v, want foregroundDeletion as well", err, object.GetFinalizers())
		}
		mustSay(t, patch(collector, object, `["example.org/hold","usher.media/finalizer"]`), "")
	}
}

// TestFinalizersThatWereThere: whoever adds one while that needs no permission does not thereby say for how long an
// administrator stays.
func TestFinalizersThatWereThere(t *testing.T) {
	who := meet(t)
	object := manifest(t, "User", who.namespace, "mia", `{}`)
	object.SetFinalizers([]string{v1alpha1.Finalizer, "example.org/hold"})
	mustSay(t, strict(who.editor).Create(t.Context(), object), "")
	for _, fields := range []string{`{role: Admin}`, `{access: All}`} {
		raised := object.DeepCopy()
		merge(spec(raised), parse(t, fields))
		mustSay(t, strictDry(who.administrator).Update(t.Context(), raised), "must have no finalizers but Usher's, since nobody was asked who set them: remove example.org/hold first")
	}
	object.SetFinalizers([]string{v1alpha1.Finalizer})
	mustSay(t, strict(who.editor).Update(t.Context(), object), "")
	merge(spec(object), parse(t, `{role: Admin}`))
	mustSay(t, strict(who.administrator).Update(t.Context(), object), "")
	object.SetFinalizers([]string{v1alpha1.Finalizer, "example.org/hold"})
	mustSay(t, strict(who.administrator).Update(t.Context(), object), "")
	merge(spec(object), parse(t, `{access: All}`))
	mustSay(t, strict(who.administrator).Update(t.Context(), object), "")
	letGo(t, who.admin, object)
}

// letGo removes all finalizers, as an administrator of the cluster may.
func letGo(t *testing.T, c client.Client, object *unstructured.Unstructured) {
	t.Helper()
	patch := client.RawPatch("application/merge-patch+json", []byte(`{"metadata":{"finalizers":null}}`))
	if err := c.Patch(t.Context(), object, patch); err != nil {
		t.Fatal(err)
	}
}

// TestApplyAgain: whoever applies a manifest again, with a label more, is asked for nothing that was there, whatever it holds.
func TestApplyAgain(t *testing.T) {
	who := meet(t)
	standingServer(t, who.namespace)
	for kind, fields := range map[string]string{
		"MediaServer":  `{url: "https://home", tls: {caSecretRef: {name: ca}}, mode: Observe, adoptionPolicy: Always, mediaRoots: [/srv]}`,
		"User":         `{role: Admin, access: All, adoptionPolicy: Always, password: {secretRef: {name: mine}}}`,
		"Library":      `{adoptionPolicy: IfUnique, externalID: lib-1, paths: [/etc]}`,
		"LibraryGrant": `{role: Admin}`,
		"Invite":       `{offers: {libraryRole: Admin}}`,
	} {
		object := manifest(t, kind, who.namespace, "again", fields)
		object.SetAnnotations(map[string]string{v1alpha1.AnnotationPaused: "true", v1alpha1.AnnotationOwned: "{}"})
		apply := func(c client.Client) error {
			return strict(c).Apply(t.Context(), client.ApplyConfigurationFromUnstructured(object.DeepCopy()), client.FieldOwner("git"), client.ForceOwnership)
		}
		mustSay(t, apply(who.namespaceAdmin), "")
		object.SetLabels(map[string]string{"group": "kids"})
		mustSay(t, apply(who.editor), "")
	}
}

// TestASecretByName: permission to read one Secret is none to have Usher read another, and the key within it counts.
func TestASecretByName(t *testing.T) {
	env := testenv.Get(t)
	namespace := env.Namespace(t)
	people := everybody(t, namespace)
	reader, narrowReader := people[1].client, people[3].client
	mustSay(t, tryCreate(t.Context(), reader, manifest(t, "User", namespace, "x", `{password: {secretRef: {name: mine}}}`)), "")
	mustSay(t, tryCreate(t.Context(), reader, manifest(t, "User", namespace, "x", `{password: {secretRef: {name: home-admin-2}}}`)),
		"to have Usher use Secret home-admin-2 (password) needs permission to read it (kubectl auth can-i get secrets/home-admin-2 -n ")
	mustSay(t, tryCreate(t.Context(), narrowReader, manifest(t, "MediaServer", namespace, "home", `{}`)), "")
	for fields, says := range map[string]string{
		`{credentials: {secretRef: {name: other}}}`:                "Usher would send Secret other (credentials) to http://127.0.0.1:3000, which needs permission to read it",
		`{type: Alcoves, database: {secretRef: {name: other}}}`:    "to have Usher use Secret other (database) needs permission to read it",
		`{url: "https://home", tls: {caSecretRef: {name: other}}}`: "to have Usher use Secret other (tls) needs permission to read it",
	} {
		mustSay(t, tryCreate(t.Context(), narrowReader, manifest(t, "MediaServer", namespace, "home", fields)), says)
		mustSay(t, tryCreate(t.Context(), people[5].client, manifest(t, "MediaServer", namespace, "home", fields)), "(kubectl auth can-i get secrets/other")
	}

	user := manifest(t, "User", namespace, "mia", `{password: {secretRef: {name: other}}}`)
	if err := strict(env.Client()).Create(t.Context(), user); err != nil {
		t.Fatal(err)
	}
	for fields, says := range map[string]string{
		`{displayName: Mia}`: "", `{password: {secretRef: {name: mine}}}`: "", `{password: null}`: "", `{password: {requireChange: true}}`: "",
		`{password: {secretRef: {key: token}}}`: "to have Usher use Secret other (password)",
	} {
		changed := user.DeepCopy()
		merge(spec(changed), parse(t, fields))
		mustSay(t, strictDry(reader).Update(t.Context(), changed), says)
	}
}

// TestForgedRedemption: a role that lets somebody write everything of Usher's, but not `administer`, gives no libraries past
// grants and invites.
func TestForgedRedemption(t *testing.T) {
	env := testenv.Get(t)
	namespace := env.Namespace(t)
	role := &rbacv1.ClusterRole{ObjectMeta: metav1.ObjectMeta{Name: "writes-all-" + namespace}, Rules: []rbacv1.PolicyRule{{
		APIGroups: []string{"usher.media"}, Resources: []string{"*", "*/status"}, Verbs: []string{"create", "update", "patch", "delete", "get"},
	}}}
	if err := env.Client().Create(t.Context(), role); err != nil {
		t.Fatal(err)
	}
	forger := env.User(t, "forger-"+namespace, namespace, role.Name).Client(t)
	object := manifest(t, "Redemption", namespace, "uid-0", `{}`)
	err := forger.Create(t.Context(), object.DeepCopy())
	mustSay(t, err, "only Usher writes Redemptions (to write one needs permission to administer MediaServer home")
	if err != nil && !apierrors.IsForbidden(err) {
		t.Errorf("the reason is %s, want Forbidden", apierrors.ReasonForError(err))
	}
	if err := env.Client().Create(t.Context(), object); err != nil {
		t.Fatal(err)
	}
	merge(spec(object), parse(t, `{accounts: {libraries: [{library: movies, role: Admin}]}}`))
	mustSay(t, forger.Update(t.Context(), object.DeepCopy()), "only Usher writes Redemptions")
	for kind := range good {
		of := object.DeepCopy()
		status := map[string]any{"accounts": []any{map[string]any{"server": "home", "id": "somebody else's"}}}
		if kind != "Redemption" {
			of, status = manifest(t, kind, namespace, "home", `{}`), map[string]any{"observedGeneration": int64(1)}
			if err := env.Client().Create(t.Context(), of); err != nil {
				t.Fatal(err)
			}
		}
		of.Object["status"] = status
		mustSay(t, forger.Status().Update(t.Context(), of), "the status is written by Usher (to write it needs permission to administer")
	}
	mustSay(t, forger.Delete(t.Context(), object), "")
}

package api

import (
	"os/exec"
	"testing"

	rbacv1 "k8s.io/api/rbac/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/usher-media/usher/api/v1alpha1"
	"github.com/usher-media/usher/internal/testenv"
)

const leaveIt = "the annotation usher.media/owned is written by Usher; leave it as it is"

// narrowRole lets somebody administer the MediaServer home.
func narrowRole(namespace string) *rbacv1.ClusterRole {
	return &rbacv1.ClusterRole{
		ObjectMeta: metav1.ObjectMeta{Name: "narrow-" + namespace},
		Rules: []rbacv1.PolicyRule{{
			APIGroups: []string{"usher.media"}, Resources: []string{"mediaservers"}, ResourceNames: []string{"home"}, Verbs: []string{"administer"},
		}},
	}
}

// TestOwnershipRecord: whoever may not administer the media server may not forge, change or remove the record.
func TestOwnershipRecord(t *testing.T) {
	who := meet(t)
	for kind := range good {
		if kind == "Redemption" { // Nobody but Usher writes one, with a record or without.
			continue
		}
		t.Run(kind, func(t *testing.T) {
			object := manifest(t, kind, who.namespace, "home", `{}`)
			record(object, "forged")
			if kind != "MediaServer" { // Its connection is guarded too: an editor makes none, with a record or without.
				mustSay(t, tryCreate(t.Context(), who.editor, object.DeepCopy()), leaveIt)
			}
			mustSay(t, strict(who.namespaceAdmin).Create(t.Context(), object), "")

			record(object, "changed")
			mustSay(t, who.editor.Update(t.Context(), object.DeepCopy()), leaveIt)
			object.SetAnnotations(nil)
			mustSay(t, who.editor.Update(t.Context(), object.DeepCopy()), leaveIt)
			patch := client.RawPatch("application/merge-patch+json", []byte(`{"metadata":{"annotations":{"usher.media/owned":"patched"}}}`))
			mustSay(t, who.editor.Patch(t.Context(), object.DeepCopy(), patch), leaveIt)

			record(object, "forged")
			object.SetLabels(map[string]string{"group": "kids"})
			mustSay(t, who.editor.Update(t.Context(), object), "")
			mustSay(t, who.administrator.Delete(t.Context(), object), "")
		})
	}
}

// TestOwnershipRecordPastStatus: the status subresource is no way round; it leaves annotations alone.
func TestOwnershipRecordPastStatus(t *testing.T) {
	who := meet(t)
	object := manifest(t, "User", who.namespace, "mia", `{}`)
	if err := who.admin.Create(t.Context(), object); err != nil {
		t.Fatal(err)
	}
	record(object, "forged")
	mustSay(t, who.editor.Status().Update(t.Context(), object.DeepCopy()), "forbidden")
	if err := who.admin.Status().Update(t.Context(), object); err != nil {
		t.Fatal(err)
	}
	if got := object.GetAnnotations()[v1alpha1.AnnotationOwned]; got != "" {
		t.Errorf("the status subresource wrote the record %q", got)
	}
}

func record(object *unstructured.Unstructured, value string) {
	object.SetAnnotations(map[string]string{v1alpha1.AnnotationOwned: value})
}

// TestCommandInTheMessage: the command that the refusals name answers the question.
func TestCommandInTheMessage(t *testing.T) {
	env := testenv.Get(t)
	namespace := env.Namespace(t)
	for role, want := range map[string]string{"usher-editor": "no\n", "usher-administrator": "yes\n"} {
		user := env.User(t, role+"-"+namespace, namespace, role)
		command := exec.CommandContext(t.Context(), env.Kubectl(), "--kubeconfig", user.Kubeconfig(t),
			"auth", "can-i", "administer", "mediaservers.usher.media/home", "-n", namespace)
		// kubectl exits with 1 where the answer is no.
		if out, _ := command.Output(); string(out) != want {
			t.Errorf("%s: %q, want %q", role, out, want)
		}
	}
}

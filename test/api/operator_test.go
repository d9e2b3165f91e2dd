package api

import (
	"testing"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/usher-media/usher/api/v1alpha1"
	"github.com/usher-media/usher/internal/admission"
	"github.com/usher-media/usher/internal/testenv"
)

// TestOperatorRole: the role that is generated from the controllers' markers lets Usher do what it must, past its own
// admission policies, and nothing to the manifests themselves.
func TestOperatorRole(t *testing.T) {
	env := testenv.Get(t)
	namespace := env.Namespace(t)
	operator := env.User(t, "operator-"+namespace, "", "usher-manager").Client(t)
	for kind, fields := range map[string]string{
		"MediaServer": `{adoptionPolicy: Always}`, "Library": `{}`, "Invite": `{}`,
		"User": `{role: Admin, access: All, adoptionPolicy: Always}`,
	} {
		object := manifest(t, kind, namespace, "home", fields)
		if kind != "User" {
			mustSay(t, operator.Create(t.Context(), object.DeepCopy()), "forbidden")
		}
		if err := env.Client().Create(t.Context(), object); err != nil {
			t.Fatal(err)
		}
		base := client.MergeFrom(object.DeepCopy())
		record(object, "{}")
		object.SetFinalizers([]string{v1alpha1.Finalizer})
		mustSay(t, operator.Patch(t.Context(), object, base), "")
		base = client.MergeFrom(object.DeepCopy())
		object.Object["status"] = map[string]any{"externalID": "x"}
		if kind == "MediaServer" {
			object.Object["status"] = map[string]any{"identity": "x"}
		}
		mustSay(t, operator.Status().Patch(t.Context(), object, base), "")
		base = client.MergeFrom(object.DeepCopy())
		object.SetFinalizers(nil)
		object.SetAnnotations(nil)
		mustSay(t, operator.Patch(t.Context(), object, base), "")
		if err := operator.Delete(t.Context(), object); kind != "User" && !apierrors.IsForbidden(err) {
			t.Errorf("the operator may delete a %s: %v", kind, err)
		}
	}
}

// TestOperatorProves: the role lets Usher prove that the policies bind, though it has every permission that they ask for.
func TestOperatorProves(t *testing.T) {
	env := testenv.Get(t)
	namespace := env.Namespace(t)
	standingServer(t, namespace)
	operator := env.User(t, "operator-"+namespace, "", "usher-manager").Client(t)
	mustSay(t, admission.Prove(t.Context(), operator, namespace), "")
}

// TestOperatorAdmits: Usher makes the Redemption of who comes and the User, with the record of the account, and undoes both.
func TestOperatorAdmits(t *testing.T) {
	env := testenv.Get(t)
	namespace := env.Namespace(t)
	operator := env.User(t, "operator-"+namespace, "", "usher-manager").Client(t)
	redemption := manifest(t, "Redemption", namespace, "uid-0", `{}`)
	mustSay(t, operator.Create(t.Context(), redemption), "")
	base := client.MergeFrom(redemption.DeepCopy())
	redemption.Object["status"] = map[string]any{"phase": "Completed", "accounts": []any{map[string]any{"server": "home", "id": "x"}}}
	mustSay(t, operator.Status().Patch(t.Context(), redemption, base), "")
	user := manifest(t, "User", namespace, "grandpa-1", `{username: grandpa, password: {chosenByHolder: true}}`)
	record(user, "{}")
	mustSay(t, operator.Create(t.Context(), user), "")
	mustSay(t, operator.Delete(t.Context(), user), "")
	mustSay(t, operator.Delete(t.Context(), redemption), "")
}

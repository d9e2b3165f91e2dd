package api

import (
	"testing"

	apierrors "k8s.io/apimachinery/pkg/api/errors"

	"github.com/usher-media/usher/api/v1alpha1"
	"github.com/usher-media/usher/internal/testenv"
)

// TestOperatorRole: the role that is generated from the controllers' markers lets Usher do what it must, past its own
// admission policies, and nothing to the manifests themselves.
func TestOperatorRole(t *testing.T) {
	env := testenv.Get(t)
	namespace := env.Namespace(t)
	operator := env.User(t, "operator-"+namespace, "", "usher-manager").Client(t)
	for kind, fields := range map[string]string{
		"MediaServer": `{adoptionPolicy: Always}`, "Library": `{}`, "User": `{role: Admin, access: All, adoptionPolicy: Always}`,
	} {
		object := manifest(t, kind, namespace, "home", fields)
		mustSay(t, operator.Create(t.Context(), object.DeepCopy()), "forbidden")
		if err := env.Client().Create(t.Context(), object); err != nil {
			t.Fatal(err)
		}
		record(object, "{}")
		object.SetFinalizers([]string{v1alpha1.Finalizer})
		mustSay(t, operator.Update(t.Context(), object), "")
		object.Object["status"] = map[string]any{"externalID": "x"}
		if kind == "MediaServer" {
			object.Object["status"] = map[string]any{"identity": "x"}
		}
		mustSay(t, operator.Status().Update(t.Context(), object), "")
		if err := operator.Delete(t.Context(), object); !apierrors.IsForbidden(err) {
			t.Errorf("the operator may delete a %s: %v", kind, err)
		}
	}
}

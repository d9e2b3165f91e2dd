package api

import (
	"fmt"
	"reflect"
	"testing"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/usher-media/usher/internal/testenv"
)

// TestDefaults writes down what the API server fills in. What it leaves out stays open: a driver, or the MediaServer, decides.
func TestDefaults(t *testing.T) {
	env := testenv.Get(t)
	namespace := env.Namespace(t)
	wanted := map[string]map[string]any{
		"MediaServer": {
			"syncInterval": "5m", "mode": "Enforce", "unmanagedAccess": "Keep", "adoptionPolicy": "IfDisabled",
			"deletionPolicy": "Retain",
		},
		"Library":      {"deletionPolicy": "Retain"},
		"User":         {"role": "Member", "access": "Granted", "deletionPolicy": "Disable"},
		"LibraryGrant": {"role": "Viewer"},
		"Invite":       {"delivery": "Auto"},
		"Redemption":   {},
	}
	for kind, defaults := range wanted {
		t.Run(kind, func(t *testing.T) {
			object := manifest(t, kind, namespace, "defaults", `{}`)
			given := object.DeepCopy()
			if err := tryCreate(t.Context(), env.Client(), object); err != nil {
				t.Fatal(err)
			}
			added := spec(object)
			for field, value := range spec(given) {
				if fmt.Sprint(value) != fmt.Sprint(added[field]) { // a number is one, whatever type it was read into
					t.Errorf("spec.%s was changed from %v to %v", field, value, added[field])
				}
				delete(added, field)
			}
			if !reflect.DeepEqual(defaults, added) {
				t.Errorf("defaults\n%v, want\n%v", added, defaults)
			}
		})
	}
}

// TestOffersStayAsWritten: nothing is filled in there, since an item of a list that differs from the manifest is written again at
// every apply.
func TestOffersStayAsWritten(t *testing.T) {
	env := testenv.Get(t)
	object := manifest(t, "Invite", env.Namespace(t), "defaults", `{offers: [{serverRef: {name: home}}, {serverRef: {name: cabin}, role: Guest}]}`)
	if err := tryCreate(t.Context(), env.Client(), object); err != nil {
		t.Fatal(err)
	}
	want := parse(t, `{offers: [{serverRef: {name: home}}, {serverRef: {name: cabin}, role: Guest}]}`)
	if got := spec(object)["offers"]; !reflect.DeepEqual(got, want["offers"]) {
		t.Errorf("offers\n%v, want\n%v", got, want["offers"])
	}
}

// TestPasswordKeyDefault: a password Secret's key is `password` where none is named.
func TestPasswordKeyDefault(t *testing.T) {
	env := testenv.Get(t)
	object := manifest(t, "User", env.Namespace(t), "defaults", `{password: {secretRef: {name: s}}}`)
	if err := tryCreate(t.Context(), env.Client(), object); err != nil {
		t.Fatal(err)
	}
	key, _, _ := unstructured.NestedString(object.Object, "spec", "password", "secretRef", "key")
	if key != "password" {
		t.Errorf("key %q, want password", key)
	}
}

func spec(object *unstructured.Unstructured) map[string]any {
	return object.Object["spec"].(map[string]any)
}

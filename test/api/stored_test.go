package api

import (
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/usher-media/usher/internal/testenv"
)

// storedGroup is the group of the copies that stand for an earlier version and for this one.
const storedGroup = "stored.example.org"

// plurals of the kinds.
var plurals = map[string]string{
	"MediaServer": "mediaservers", "Library": "libraries", "User": "users", "LibraryGrant": "librarygrants", "Invite": "invites", "Redemption": "redemptions",
}

// storedNames break a rule of the root of this version, and none of an earlier one.
var storedNames = map[string][]string{"Invite": {strings.Repeat("n", 64), strings.Repeat("n", 200)}}

// TestWhatIsStoredCanBeLetGo: whatever a version before took, and this one refuses, can still be labelled, finalized,
// reported on and deleted. What each version took are the specs that this one's tables accept or refuse. A rule that fails
// on what is stored, rather than being false, is not ratcheted, and neither is a rule of the root (see
// TestRulesOfTheRootLeaveStoredObjectsAlone).
func TestWhatIsStoredCanBeLetGo(t *testing.T) {
	env := testenv.Get(t)
	versions, err := filepath.Glob(filepath.Join(env.Root, "test", "api", "testdata", "crds", "*"))
	if err != nil || len(versions) == 0 {
		t.Fatal(versions, err)
	}
	for _, version := range versions {
		for kind, plural := range plurals {
			t.Run(filepath.Base(version)+"/"+kind, func(t *testing.T) {
				namespace := env.Namespace(t)
				before := copyOf(t, version, plural, storedGroup)
				install(t, env, before)
				stored, refused := store(t, env.Client(), kind, namespace)
				after := copyOf(t, filepath.Join(env.Root, "config", "crd", "bases"), plural, storedGroup)
				update(t, env, after)
				testenv.Eventually(t, "this version is in force", func() bool {
					return !slices.ContainsFunc(refused, func(o *unstructured.Unstructured) bool { return fresh(t, env.Client(), o) == nil })
				})
				t.Logf("%d are stored, of which this version refuses %d", len(stored), len(refused))
				for _, object := range stored {
					mustBeLetGo(t, env.Client(), object)
				}
			})
		}
	}
}

// store makes every object of this version's tables that the version in force takes. It returns also those that this
// version's tables refuse.
func store(t *testing.T, c client.Client, kind, namespace string) (stored, refused []*unstructured.Unstructured) {
	t.Helper()
	tables := map[string]map[string]string{
		"MediaServer": goodMediaServers, "Library": goodLibraries, "User": goodUsers, "LibraryGrant": goodLibraryGrants, "Invite": goodInvites, "Redemption": goodRedemptions,
	}
	keep := func(name, fields string) *unstructured.Unstructured {
		object := manifest(t, kind, namespace, name, fields)
		if !asBefore(spec(object)) {
			return nil
		}
		object.SetAPIVersion(storedGroup + "/v1alpha1")
		if err := strict(c).Create(t.Context(), object); err != nil {
			return nil // this one it refused as well
		}
		stored = append(stored, object)
		return object
	}
	for i, name := range slices.Sorted(maps.Keys(tables[kind])) {
		keep(fmt.Sprintf("good-%d", i), tables[kind][name])
	}
	for i, refusal := range allRefusals()[kind] {
		if object := keep(fmt.Sprintf("bad-%d", i), refusal.spec); object != nil {
			refused = append(refused, object)
		}
	}
	for _, name := range storedNames[kind] {
		object := keep(name, `{}`)
		if object == nil {
			t.Fatalf("the name %s was not taken before", name)
		}
		refused = append(refused, object)
	}
	return stored, refused
}

// asBefore writes the spec of an Invite or a Redemption as it was before there were offers and accounts. It says whether that
// can be said so: of one server alone.
func asBefore(spec map[string]any) bool {
	for _, list := range []string{"offers", "accounts"} {
		items, is := spec[list].([]any)
		if !is {
			continue
		}
		delete(spec, list)
		if len(items) != 1 {
			return false
		}
		for field, value := range items[0].(map[string]any) {
			if field == "server" {
				field, value = "serverRef", map[string]any{"name": value}
			}
			spec[field] = value
		}
	}
	return true
}

// fresh asks whether an object like a stored one would be taken now.
func fresh(t *testing.T, c client.Client, stored *unstructured.Unstructured) error {
	t.Helper()
	name := "fresh"
	if len(stored.GetName()) > 60 {
		name = strings.Repeat("f", len(stored.GetName()))
	}
	object := &unstructured.Unstructured{Object: map[string]any{"spec": stored.Object["spec"]}}
	object.SetGroupVersionKind(stored.GroupVersionKind())
	object.SetNamespace(stored.GetNamespace())
	object.SetName(name)
	return tryCreate(t.Context(), c, object)
}

func mustBeLetGo(t *testing.T, c client.Client, object *unstructured.Unstructured) {
	t.Helper()
	step := func(what string, err error) bool {
		t.Helper()
		if err != nil {
			text, _ := object.MarshalJSON()
			t.Errorf("cannot be %s: %v\n%.300s", what, err, text)
		}
		return err == nil
	}
	base := object.DeepCopy()
	object.SetLabels(map[string]string{"seen": "true"})
	object.SetFinalizers([]string{"example.org/hold"})
	if !step("labelled", c.Patch(t.Context(), object, client.MergeFrom(base))) {
		return
	}
	object.Object["status"] = map[string]any{"observedGeneration": int64(1)}
	if object.GetKind() == "Redemption" {
		object.Object["status"] = map[string]any{"phase": "Completed"}
	}
	if !step("reported on", c.Status().Update(t.Context(), object)) || !step("deleted", c.Delete(t.Context(), object)) {
		return
	}
	if !step("read", c.Get(t.Context(), client.ObjectKeyFromObject(object), object)) {
		return
	}
	object.SetFinalizers(nil)
	if step("finalized", c.Update(t.Context(), object)) {
		if err := c.Get(t.Context(), client.ObjectKeyFromObject(object), object); !apierrors.IsNotFound(err) {
			t.Errorf("is not gone: %v", err)
		}
	}
}

// TestRulesOfTheRootLeaveStoredObjectsAlone: the root of an object changes with each write, so that the API server holds
// what is stored to its rules again. Each rule there lets it be (optionalOldSelf), but for those of the first fixture.
func TestRulesOfTheRootLeaveStoredObjectsAlone(t *testing.T) {
	env := testenv.Get(t)
	first := filepath.Join(env.Root, "test", "api", "testdata", "crds", "0bfab46")
	if _, err := os.Stat(first); err != nil {
		t.Fatal(err)
	}
	found := 0
	for kind, plural := range plurals {
		known := map[string]bool{}
		for _, rule := range copyOf(t, first, plural, storedGroup).Spec.Versions[0].Schema.OpenAPIV3Schema.XValidations {
			known[rule.Rule] = true
		}
		for _, rule := range copyOf(t, filepath.Join(env.Root, "config", "crd", "bases"), plural, storedGroup).Spec.Versions[0].Schema.OpenAPIV3Schema.XValidations {
			found++
			lets := rule.OptionalOldSelf != nil && *rule.OptionalOldSelf && strings.HasPrefix(rule.Rule, "oldSelf.hasValue() || ")
			if !lets && !known[rule.Rule] {
				t.Errorf("%s: the rule %q would lock what is stored: begin it with oldSelf.hasValue() || and set optionalOldSelf", kind, rule.Rule)
			}
		}
	}
	if found == 0 {
		t.Error("no rule was looked at")
	}
}

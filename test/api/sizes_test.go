package api

import (
	"fmt"
	"strconv"
	"strings"
	"testing"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"
)

const lastApplied = "kubectl.kubernetes.io/last-applied-configuration"

// What the policy usher-sizes says.
const (
	muchMetadata    = "labels, finalizers and ownerReferences take at most 32 KiB"
	muchAnnotations = "annotations take at most 64 KiB"
	muchManifest    = "annotations and the manifest that kubectl apply keeps take at most 224 KiB"
	muchAltogether  = "an object takes at most 1 MiB"
)

// annotated sets an annotation to a value of that many characters.
func withAnnotation(name string, size int) func(*unstructured.Unstructured) {
	return func(o *unstructured.Unstructured) {
		all := o.GetAnnotations()
		if all == nil {
			all = map[string]string{}
		}
		all[name] = strings.Repeat("x", size)
		o.SetAnnotations(all)
	}
}

func withLabels(n int) func(*unstructured.Unstructured) {
	return func(o *unstructured.Unstructured) {
		all := map[string]string{}
		for i := range n {
			all[fmt.Sprintf("example.org/%060d", i)] = strings.Repeat("v", 63)
		}
		o.SetLabels(all)
	}
}

func withFinalizers(n int) func(*unstructured.Unstructured) {
	return func(o *unstructured.Unstructured) {
		all := make([]string, n)
		for i := range all {
			all[i] = fmt.Sprintf("example.org/%060d", i)
		}
		o.SetFinalizers(all)
	}
}

func withOwner(size int) func(*unstructured.Unstructured) {
	return func(o *unstructured.Unstructured) {
		o.Object["metadata"].(map[string]any)["ownerReferences"] = []any{map[string]any{
			"apiVersion": "v1", "kind": "ConfigMap", "name": strings.Repeat("n", size), "uid": "uid",
		}}
	}
}

// sizes are what an object may carry, and what the refusal says; empty where it may.
var sizes = []struct {
	name   string
	change func(*unstructured.Unstructured)
	says   string
}{
	{"200 labels", withLabels(200), ""},
	{"300 labels", withLabels(300), muchMetadata},
	{"400 finalizers", withFinalizers(400), ""},
	{"600 finalizers", withFinalizers(600), muchMetadata},
	{"a large owner", withOwner(33 << 10), muchMetadata},
	{"60 KiB of an annotation", withAnnotation("example.org/note", 60<<10), ""},
	{"65 KiB of an annotation", withAnnotation("example.org/note", 65<<10), muchAnnotations},
	{"65 KiB of one that needs no permission", withAnnotation("usher.media/reconcile-now", 65<<10), muchAnnotations},
	{"a manifest of 220 KiB", withAnnotation(lastApplied, 220<<10), ""},
	{"a manifest of 230 KiB", withAnnotation(lastApplied, 230<<10), muchManifest},
	{"a long key", withAnnotation("example.org/"+strings.Repeat("k", 63), 65<<10-70), muchAnnotations},
}

// TestSizes: what an object carries besides its spec is bounded for who may only write it.
func TestSizes(t *testing.T) {
	who := meet(t)
	for _, kind := range []string{"LibraryGrant", "User", "Invite", "Library"} {
		for _, try := range sizes {
			t.Run(kind+"/"+try.name, func(t *testing.T) {
				object := manifest(t, kind, who.namespace, "x", "{}")
				try.change(object)
				mustSay(t, tryCreate(t.Context(), who.editor, object.DeepCopy()), try.says)
				mustSay(t, tryCreate(t.Context(), who.administrator, object), "")
			})
		}
	}
}

// TestSizesOfBefore: an object that is larger than it may be can still be changed by who may write it, as long as it does not
// grow, and withdrawn, let go and deleted.
func TestSizesOfBefore(t *testing.T) {
	who := meet(t)
	for i, try := range sizes {
		if try.says == "" {
			continue
		}
		t.Run(try.name, func(t *testing.T) {
			object := manifest(t, "LibraryGrant", who.namespace, fmt.Sprintf("stored-%d", i), "{}")
			try.change(object)
			mustSay(t, strict(who.admin).Create(t.Context(), object), "")
			patch := func(text, says string) {
				t.Helper()
				mustSay(t, who.editor.Patch(t.Context(), object, client.RawPatch(types.MergePatchType, []byte(text))), says)
			}
			patch(`{"spec":{"disabled":true}}`, "")
			patch(`{"spec":{"libraries":{"refs":[{"name":"shows"}]}}}`, "")
			grown := object.DeepCopy()
			grown.SetFinalizers(append(grown.GetFinalizers(), "example.org/one-more"))
			withAnnotation("example.org/one-more", 10)(grown)
			if err := strict(who.editor).Update(t.Context(), grown); err == nil {
				t.Error("grows still")
			}
			patch(`{"metadata":{"finalizers":null}}`, "")
			mustSay(t, who.editor.Delete(t.Context(), object), "")
		})
	}
}

// TestLargestIsLetGo: whoever may only write an object cannot fill it so that it is neither withdrawn, reported on, finalized
// nor deleted any more: not by what it holds, and not by many who apply it.
func TestLargestIsLetGo(t *testing.T) {
	who := meet(t)
	const refs = "{name: %}"
	targets := `refs: [` + listOf(256, 253, refs) + `], selector: {matchExpressions: [` + expressions(4, 64) + `]}`
	largest := map[string]string{
		"LibraryGrant": `{libraries: {` + targets + `}, users: {all: null, ` + targets + `}}`,
		"Invite":       `{offers: {libraries: {` + targets + `}}}`,
		"User":         `{}`,
	}
	for kind, fields := range largest {
		t.Run(kind, func(t *testing.T) {
			object := manifest(t, kind, who.namespace, "largest", fields)
			withLabels(200)(object)
			withAnnotation("example.org/note", 60<<10)(object)
			withAnnotation(lastApplied, 160<<10)(object)
			if kind == "LibraryGrant" { // the largest spec, which the fewest fill
				t.Logf("%d apply it", fill(t, who, object))
			} else {
				mustSay(t, strict(who.editor).Create(t.Context(), object), "")
			}
			getRidOf(t, who, object)
		})
	}
}

// fill applies an object as an editor, under ever more names, until that is refused.
func fill(t *testing.T, who people, object *unstructured.Unstructured) (appliers int) {
	t.Helper()
	for ; appliers < 200; appliers++ {
		err := who.editor.Apply(t.Context(), client.ApplyConfigurationFromUnstructured(object.DeepCopy()), client.FieldOwner(fmt.Sprintf("m%d", appliers)), client.ForceOwnership)
		if err != nil && appliers > 0 {
			mustSay(t, err, muchAltogether)
			return appliers
		}
		mustSay(t, err, "")
	}
	t.Error("200 may apply it")
	return appliers
}

// getRidOf does with an object what Usher and a person do to get rid of it.
func getRidOf(t *testing.T, who people, object *unstructured.Unstructured) {
	t.Helper()
	patch := func(what string, c client.Client, text string) {
		t.Helper()
		if err := c.Patch(t.Context(), object.DeepCopy(), client.RawPatch(types.MergePatchType, []byte(text)), client.FieldOwner("usher")); err != nil {
			t.Errorf("%s: %v", what, err)
		}
	}
	if object.GetKind() == "Invite" {
		patch("withdrawn", who.editor, `{"spec":{"revoked":true}}`)
	} else {
		patch("withdrawn", who.editor, `{"spec":{"disabled":true}}`)
	}
	patch("recorded", who.admin, `{"metadata":{"finalizers":["usher.media/finalizer"],"annotations":{"usher.media/owned":"`+strings.Repeat("x", 16<<10)+`"}}}`)
	condition := `{"type":"T%d","status":"True","reason":"R","lastTransitionTime":"2026-01-01T00:00:00Z","message":"` + strings.Repeat("m", 1024) + `"}`
	status := `{"status":{"conditions":[` + many(40, condition) + `]}}`
	if err := who.admin.Status().Patch(t.Context(), object.DeepCopy(), client.RawPatch(types.MergePatchType, []byte(status))); err != nil {
		t.Errorf("reported on: %v", err)
	}
	mustSay(t, who.editor.Delete(t.Context(), object.DeepCopy()), "")
	patch("finalized", who.admin, `{"metadata":{"finalizers":null}}`)
	if err := who.admin.Get(t.Context(), client.ObjectKeyFromObject(object), object.DeepCopy()); !apierrors.IsNotFound(err) {
		t.Errorf("is not gone: %v", err)
	}
}

// TestRoomForUshersAnnotations: whatever annotations somebody sets who may only write a MediaServer, those that administer it
// find room.
func TestRoomForUshersAnnotations(t *testing.T) {
	who := meet(t)
	server := manifest(t, "MediaServer", who.namespace, "home", "{}")
	mustSay(t, strict(who.admin).Create(t.Context(), server), "")
	withAnnotation(lastApplied, 160<<10)(server)
	size := 64 << 10
	for ; size > 0; size -= 100 {
		withAnnotation("example.org/note", size)(server)
		err := who.editor.Update(t.Context(), server)
		if err == nil {
			break
		}
		mustSay(t, err, "annotations")
	}
	if size < 60<<10 {
		t.Errorf("annotations of %d bytes are the most that an editor may set", size)
	}
	withAnnotation("example.org/more", 200)(server)
	mustSay(t, who.editor.Update(t.Context(), server.DeepCopy()), muchAnnotations)
	patch := client.RawPatch(types.MergePatchType, []byte(`{"metadata":{"annotations":{"usher.media/proceed":"`+strings.Repeat("x", 20<<10)+`"}}}`))
	mustSay(t, who.administrator.Patch(t.Context(), server.DeepCopy(), patch), "")
}

// TestManyAnnotationsOfBefore: the policy can judge, within the cost that the API server allows, as many annotations as an
// object can have, so that it keeps nobody from taking them away.
func TestManyAnnotationsOfBefore(t *testing.T) {
	who := meet(t)
	object := manifest(t, "LibraryGrant", who.namespace, "many", "{}")
	all := map[string]string{}
	for i := range 2000 {
		all[strconv.Itoa(i)] = strings.Repeat("x", 40)
	}
	object.SetAnnotations(all)
	object.SetFinalizers([]string{"example.org/hold"})
	mustSay(t, strict(who.admin).Create(t.Context(), object), "")
	for _, patch := range []string{`{"metadata":{"finalizers":null}}`, `{"spec":{"disabled":true}}`, `{"metadata":{"annotations":{"0":null}}}`, `{"metadata":{"annotations":null}}`} {
		mustSay(t, who.editor.Patch(t.Context(), object.DeepCopy(), client.RawPatch(types.MergePatchType, []byte(patch))), "")
	}
	mustSay(t, tryCreate(t.Context(), who.editor, func() *unstructured.Unstructured {
		o := object.DeepCopy()
		o.SetName("another")
		o.SetResourceVersion("")
		return o
	}()), muchAnnotations)
}

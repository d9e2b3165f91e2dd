// Package api tests what users meet first: the kinds as a real API server serves them. Each rule refuses what it must,
// with a message that says what to write instead; good manifests pass; the admission policies ask for `administer`.
package api

import (
	"context"
	"strings"
	"testing"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/yaml"

	"github.com/usher-media/usher/internal/testenv"
)

func TestMain(m *testing.M) { testenv.Main(m) }

// refusal is a spec that the API server must refuse, and what it must say.
type refusal struct {
	name string
	// spec replaces fields of the kind's good spec; null removes a field.
	spec string
	says string
}

// change is an update that the API server must refuse, or accept where says is empty.
type change struct {
	name   string
	before string
	after  string
	says   string
}

// good holds the smallest good spec of each kind.
var good = map[string]string{
	"MediaServer":  `{type: Embedded, url: "http://127.0.0.1:3000", credentials: {secretRef: {name: home-admin}}}`,
	"Library":      `{serverRef: {name: home}, displayName: Movies, mediaType: Movies, paths: [/media/movies]}`,
	"User":         `{serverRef: {name: home}, username: mia}`,
	"LibraryGrant": `{libraries: {refs: [{name: movies}]}, users: {all: true}}`,
	"Invite":       `{offers: [{serverRef: {name: home}}]}`,
	"Redemption":   `{inviteRef: {name: cousins, uid: uid}, slot: 0, accounts: [{server: home, username: grandpa, userRef: {name: grandpa-1}}], at: "2026-01-01T00:00:00Z"}`,
}

// manifest returns an object of the kind: the good spec, with the given fields merged in.
func manifest(t testing.TB, kind, namespace, name, spec string) *unstructured.Unstructured {
	t.Helper()
	merged := parse(t, good[kind])
	merge(merged, parse(t, spec))
	object := &unstructured.Unstructured{Object: map[string]any{
		"apiVersion": "usher.media/v1alpha1", "kind": kind, "spec": merged,
	}}
	object.SetNamespace(namespace)
	object.SetName(name)
	return object
}

func parse(t testing.TB, text string) map[string]any {
	t.Helper()
	out := map[string]any{}
	if err := yaml.Unmarshal([]byte(text), &out); err != nil {
		t.Fatalf("bad YAML in the test: %v\n%s", err, text)
	}
	return out
}

// merge puts fields into others. A map for a list of one is merged into that one: {offers: {role: Guest}} is about the offer.
func merge(into, from map[string]any) {
	for key, value := range from {
		inner, isMap := value.(map[string]any)
		existing, both := into[key].(map[string]any)
		if list, is := into[key].([]any); is && len(list) == 1 {
			existing, both = list[0].(map[string]any)
		}
		switch {
		case value == nil:
			delete(into, key)
		case isMap && both:
			merge(existing, inner)
		default:
			into[key] = value
		}
	}
}

// strict returns a client that writes as kubectl does: an unknown field is an error.
func strict(c client.Client) client.Client {
	return client.WithFieldValidation(c, "Strict")
}

// tryCreate asks the API server whether it would take the object.
func tryCreate(ctx context.Context, c client.Client, object client.Object) error {
	return client.NewDryRunClient(strict(c)).Create(ctx, object)
}

// mustSay checks that an error says what a person needs to read; an empty text means no error.
func mustSay(t testing.TB, err error, text string) {
	t.Helper()
	switch {
	case text == "" && err != nil:
		t.Errorf("refused, but it is good: %v", err)
	case text != "" && err == nil:
		t.Errorf("accepted, but it must be refused with %q", text)
	case text != "" && !strings.Contains(err.Error(), text):
		t.Errorf("refused, but the message does not say %q:\n%v", text, err)
	}
}

// testKind tries the good specs, the refusals and the changes of one kind.
func testKind(t *testing.T, kind string, accepted map[string]string, refusals []refusal, changes []change) {
	env := testenv.Get(t)
	namespace := env.Namespace(t)
	for name, spec := range accepted {
		t.Run("accepts/"+name, func(t *testing.T) {
			mustSay(t, tryCreate(t.Context(), env.Client(), manifest(t, kind, namespace, "x", spec)), "")
		})
	}
	for _, try := range refusals {
		t.Run("refuses/"+try.name, func(t *testing.T) {
			mustSay(t, tryCreate(t.Context(), env.Client(), manifest(t, kind, namespace, "x", try.spec)), try.says)
		})
	}
	for i, try := range changes {
		t.Run("change/"+try.name, func(t *testing.T) {
			object := manifest(t, kind, namespace, "change-"+string(rune('a'+i)), try.before)
			if err := strict(env.Client()).Create(t.Context(), object); err != nil {
				t.Fatal(err)
			}
			merge(object.Object["spec"].(map[string]any), parse(t, try.after))
			mustSay(t, strict(env.Client()).Update(t.Context(), object), try.says)
		})
	}
}

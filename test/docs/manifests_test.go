package docs

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/yaml"

	"github.com/usher-media/usher/internal/testenv"
)

// small holds the smallest spec of each kind, into which a piece of a manifest is put.
var small = map[string]string{
	"MediaServer":  `{type: Embedded, url: "http://media.example.org", credentials: {secretRef: {name: admin}}}`,
	"Library":      `{serverRef: {name: home}, displayName: Movies, mediaType: Movies, paths: [/media/movies]}`,
	"User":         `{serverRef: {name: home}, username: mia}`,
	"LibraryGrant": `{libraries: {refs: [{name: movies}]}, users: {all: true}}`,
	"Invite":       `{offers: [{serverRef: {name: home}}]}`,
}

var divider = regexp.MustCompile(`(?m)^---$`)

// TestManifests: the API server takes every manifest of every page, with the kinds and policies that are installed, and each
// piece of one fits a kind.
func TestManifests(t *testing.T) {
	env := testenv.Get(t)
	writer := client.NewDryRunClient(client.WithFieldValidation(env.Client(), metav1.FieldValidationStrict))
	whole := 0
	for _, p := range own(t) {
		blocks, _ := p.blocks()
		for _, b := range blocks {
			if b.language != "yaml" {
				continue
			}
			for _, text := range divider.Split(b.text, -1) {
				var object map[string]any
				if err := yaml.UnmarshalStrict([]byte(text), &object); err != nil {
					t.Errorf("%s:%d: no YAML: %v", b.page, b.line, err)
					continue
				}
				if object["groups"] != nil || object["scrape_configs"] != nil {
					continue // Prometheus'
				}
				if object["mediaserver"] != nil {
					tryValues(t, b)
					continue
				}
				if object["kind"] == nil {
					tryPiece(t, writer, b, object)
					continue
				}
				whole++
				if err := create(t.Context(), env, writer, object); err != nil {
					t.Errorf("%s:%d: %v", b.page, b.line, err)
				}
			}
		}
	}
	if whole < 8 {
		t.Errorf("only %d manifests were found", whole)
	}
}

// tryValues tries values of the chart.
func tryValues(t *testing.T, b block) {
	t.Helper()
	path := filepath.Join(t.TempDir(), "values.yaml")
	if err := os.WriteFile(path, []byte(b.text), 0o600); err != nil {
		t.Fatal(err)
	}
	helm(t, "template", "charts/usher", "--values", path)
}

// create makes an object in dry-run, and its namespace truly.
func create(ctx context.Context, env *testenv.Environment, writer client.Client, object map[string]any) error {
	o := &unstructured.Unstructured{Object: object}
	namespace := &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: o.GetNamespace()}}
	if namespace.Name == "" && strings.HasPrefix(o.GetAPIVersion(), "usher.media/") {
		return fmt.Errorf("%s %s says no namespace", o.GetKind(), o.GetName())
	}
	if namespace.Name != "" {
		if err := env.Client().Create(ctx, namespace); err != nil && !apierrors.IsAlreadyExists(err) {
			return err
		}
	}
	return writer.Create(ctx, o)
}

// tryPiece tries a spec, or a part of one, as each kind: one of them must take it.
func tryPiece(t *testing.T, writer client.Client, b block, piece map[string]any) {
	t.Helper()
	spec, isSpec := piece["spec"].(map[string]any)
	if !isSpec {
		spec = piece
	}
	var refusals []string
	for kind, base := range small {
		merged := map[string]any{}
		if err := yaml.Unmarshal([]byte(base), &merged); err != nil {
			t.Fatal(err)
		}
		for key, value := range spec {
			merged[key] = value
		}
		object := &unstructured.Unstructured{Object: map[string]any{"apiVersion": "usher.media/v1alpha1", "kind": kind, "spec": merged}}
		object.SetNamespace("default")
		object.SetName("piece")
		err := writer.Create(t.Context(), object)
		if err == nil {
			return
		}
		refusals = append(refusals, err.Error())
	}
	t.Errorf("%s:%d: fits no kind:\n%s", b.page, b.line, strings.Join(refusals, "\n"))
}

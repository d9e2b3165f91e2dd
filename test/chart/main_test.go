// Package chart renders charts/usher with Helm itself, over a table of values (charts/usher/ci), and holds what comes out to
// the API server, to the Pod Security level `restricted`, and to config/.
package chart

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/util/yaml"

	"github.com/usher-media/usher/internal/testenv"
)

func TestMain(m *testing.M) { testenv.Main(m) }

const (
	release   = "usher"
	namespace = "usher-system"
)

var root = sync.OnceValues(testenv.Root)

// program is the path of Helm. Building it takes two minutes, once a machine.
var program = sync.OnceValues(func() (string, error) {
	folder, err := root()
	if err != nil {
		return "", err
	}
	command := exec.Command(filepath.Join(folder, "hack", "helm.sh"))
	command.Stderr = os.Stderr
	out, err := command.Output()
	return strings.TrimSpace(string(out)), err
})

// in returns a path below the root of the repository.
func in(t *testing.T, names ...string) string {
	t.Helper()
	folder, err := root()
	if err != nil {
		t.Fatal(err)
	}
	return filepath.Join(append([]string{folder}, names...)...)
}

// helm runs Helm with a home of its own, and returns what it says.
func helm(t *testing.T, args ...string) (string, error) {
	t.Helper()
	path, err := program()
	if err != nil {
		t.Fatalf("get Helm: %v", err)
	}
	home := t.TempDir()
	command := exec.CommandContext(t.Context(), path, args...)
	command.Env = []string{"HOME=" + home, "HELM_CACHE_HOME=" + home, "HELM_CONFIG_HOME=" + home, "HELM_DATA_HOME=" + home, "PATH=" + os.Getenv("PATH")}
	var stdout, stderr bytes.Buffer
	command.Stdout, command.Stderr = &stdout, &stderr
	if err := command.Run(); err != nil {
		return stdout.String(), fmt.Errorf("%w: %s", err, stderr.String())
	}
	return stdout.String(), nil
}

// text renders the chart.
func text(t *testing.T, args ...string) string {
	t.Helper()
	out, err := helm(t, append([]string{"template", release, in(t, "charts", "usher"), "--namespace", namespace}, args...)...)
	if err != nil {
		t.Fatal(err)
	}
	return out
}

// render returns the objects that the chart makes.
func render(t *testing.T, args ...string) []*unstructured.Unstructured {
	t.Helper()
	return objects(t, text(t, args...))
}

func objects(t *testing.T, manifest string) (all []*unstructured.Unstructured) {
	t.Helper()
	decoder := yaml.NewYAMLOrJSONDecoder(strings.NewReader(manifest), len(manifest)+1)
	for {
		object := &unstructured.Unstructured{}
		err := decoder.Decode(&object.Object)
		if errors.Is(err, io.EOF) {
			return all
		}
		if err != nil {
			t.Fatal(err)
		}
		if len(object.Object) > 0 {
			all = append(all, object)
		}
	}
}

// cases are the files of values, by what they are for.
func cases(t *testing.T) map[string]string {
	t.Helper()
	files, err := filepath.Glob(in(t, "charts", "usher", "ci", "*-values.yaml"))
	if err != nil || len(files) < 8 {
		t.Fatalf("only %d files of values: %v", len(files), err)
	}
	all := map[string]string{}
	for _, file := range files {
		all[strings.TrimSuffix(filepath.Base(file), "-values.yaml")] = file
	}
	return all
}

// each runs a test for each file of values, on what the chart makes with it.
func each(t *testing.T, test func(t *testing.T, name string, made []*unstructured.Unstructured)) {
	for name, file := range cases(t) {
		t.Run(name, func(t *testing.T) { test(t, name, render(t, "--values", file)) })
	}
}

func key(o *unstructured.Unstructured) string {
	return strings.Join(strings.Fields(o.GetKind()+" "+o.GetNamespace()+" "+o.GetName()), " ")
}

func ofKind(made []*unstructured.Unstructured, kind string) (some []*unstructured.Unstructured) {
	for _, object := range made {
		if object.GetKind() == kind {
			some = append(some, object)
		}
	}
	return some
}

// names are those of the objects of a kind.
func names(made []*unstructured.Unstructured, kind string) (all []string) {
	for _, object := range ofKind(made, kind) {
		all = append(all, object.GetName())
	}
	return all
}

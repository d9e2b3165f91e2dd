package api

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/usher-media/usher/internal/testenv"
)

// TestSamples applies each household of config/samples as the documentation says, by kubectl, and again: the second
// time changes nothing.
func TestSamples(t *testing.T) {
	for _, folder := range []string{"", "alcoves", "audiobookshelf", "dubby", "jellyfin", "shisho"} {
		t.Run("samples/"+folder, func(t *testing.T) { applySamples(t, folder) })
	}
}

func applySamples(t *testing.T, folder string) {
	env := testenv.Get(t)
	kubeconfig := env.Kubeconfig(t)
	apply := func() string {
		command := exec.CommandContext(t.Context(), env.Kubectl(), "--kubeconfig", kubeconfig,
			"apply", "--validate=strict", "-f", filepath.Join(env.Root, "config", "samples", folder))
		out, err := command.CombinedOutput()
		if err != nil {
			t.Fatalf("kubectl apply -f config/samples/%s: %v\n%s", folder, err, out)
		}
		return string(out)
	}
	for line := range strings.Lines(apply()) {
		if !strings.HasSuffix(line, " created\n") {
			t.Errorf("not created: %s", line)
		}
	}
	for line := range strings.Lines(apply()) {
		// A Secret written with stringData is always said to be configured.
		if !strings.HasSuffix(line, " unchanged\n") && !strings.HasPrefix(line, "secret/") {
			t.Errorf("not stable: %s", line)
		}
	}
}

// TestSamplesAreWhole: the household is what the documentation says it is.
func TestSamplesAreWhole(t *testing.T) {
	root, err := testenv.Root()
	if err != nil {
		t.Fatal(err)
	}
	objects, err := testenv.Objects(filepath.Join(root, "config", "samples"))
	if err != nil {
		t.Fatal(err)
	}
	count := map[string]int{}
	for _, object := range objects {
		count[object.GetKind()]++
		if object.GetKind() != "Namespace" && object.GetNamespace() != "media" {
			t.Errorf("%s %s is not in the namespace media", object.GetKind(), object.GetName())
		}
	}
	for kind, want := range map[string]int{"Namespace": 1, "Secret": 1, "MediaServer": 1, "Library": 4, "User": 7, "LibraryGrant": 3, "Invite": 4} {
		if count[kind] != want {
			t.Errorf("%d of %s, want %d", count[kind], kind, want)
		}
	}
	// kubectl apply -f takes every file of the folder, so one that is no object of the cluster breaks it.
	if _, err := os.Stat(filepath.Join(root, "config", "samples", "kustomization.yaml")); err == nil {
		t.Error("config/samples holds a kustomization.yaml, which kubectl apply -f cannot apply")
	}
}

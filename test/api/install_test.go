package api

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/usher-media/usher/internal/testenv"
)

// TestInstall applies all that a cluster needs, as the README says, and asks kubectl to explain a field.
func TestInstall(t *testing.T) {
	env := testenv.Get(t)
	kubeconfig := env.Kubeconfig(t)
	kubectl := func(args ...string) string {
		t.Helper()
		out, err := exec.CommandContext(t.Context(), env.Kubectl(), append([]string{"--kubeconfig", kubeconfig}, args...)...).CombinedOutput()
		if err != nil {
			t.Fatalf("kubectl %v: %v\n%s", args, err, out)
		}
		return string(out)
	}
	// The test environment has applied the kinds, roles and policies before, hence the force.
	kubectl("apply", "--server-side", "--force-conflicts", "--validate=strict", "-k", filepath.Join(env.Root, "config", "default"))
	if out := kubectl("get", "deployment,serviceaccount", "-n", "usher-system", "-o", "name"); !strings.Contains(out, "deployment.apps/usher\n") {
		t.Errorf("no operator in usher-system:\n%s", out)
	}
	if out := kubectl("explain", "user.spec.adoptionPolicy"); !strings.Contains(out, "Always any, and needs the permission") {
		t.Errorf("kubectl explain says\n%s", out)
	}
}

// TestTheImageIsNamedOnce: who names the image in config/manager has it in everything that is installed, and one that was loaded
// into the node is not looked for elsewhere.
func TestTheImageIsNamedOnce(t *testing.T) {
	env := testenv.Get(t)
	config := filepath.Join(t.TempDir(), "config")
	if err := os.CopyFS(config, os.DirFS(filepath.Join(env.Root, "config"))); err != nil {
		t.Fatal(err)
	}
	named := filepath.Join(config, "manager", "kustomization.yaml")
	text, err := os.ReadFile(named)
	if err != nil {
		t.Fatal(err)
	}
	other := strings.NewReplacer("newName: usher", "newName: images.example.org/usher", "newTag: latest", "newTag: v1").Replace(string(text))
	if err := os.WriteFile(named, []byte(other), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, what := range []string{"manager", "default", "namespaced"} {
		out, err := exec.CommandContext(t.Context(), env.Kubectl(), "kustomize", filepath.Join(config, what)).Output()
		if err != nil {
			t.Fatal(err)
		}
		for _, line := range []string{"image: images.example.org/usher:v1\n", "imagePullPolicy: IfNotPresent\n"} {
			if n := strings.Count(string(out), line); n != 1 {
				t.Errorf("config/%s holds %q %d times", what, line, n)
			}
		}
	}
}

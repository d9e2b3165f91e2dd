package api

import (
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

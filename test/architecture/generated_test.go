package architecture

import (
	"os/exec"
	"testing"

	"github.com/usher-media/usher/internal/testenv"
)

// TestChartIsUpToDate: what the chart has of config/, of the version and of its own values is what `make manifests` writes.
func TestChartIsUpToDate(t *testing.T) {
	root, err := testenv.Root()
	if err != nil {
		t.Fatal(err)
	}
	command := exec.CommandContext(t.Context(), "go", "run", "./hack/chart", "--check")
	command.Dir = root
	if out, err := command.CombinedOutput(); err != nil {
		t.Errorf("%v\n%s", err, out)
	}
}

package controller_test

import (
	"os/exec"
	"strings"
	"sync/atomic"
	"time"

	"github.com/usher-media/usher/internal/testenv"
)

// run does what a message says to run, with the kubectl of the control plane.
func (w *world) run(message string) {
	w.t.Helper()
	_, command, found := strings.Cut(message, "kubectl ")
	if !found {
		w.t.Fatalf("the message names no command: %s", message)
	}
	w.kubectl(strings.Fields(strings.ReplaceAll(command, "'", "")))
}

func (w *world) kubectl(args []string) {
	w.t.Helper()
	w.kubectlOutput(args...)
}

func (w *world) kubectlOutput(args ...string) string {
	w.t.Helper()
	env := testenv.Get(w.t)
	out, err := exec.CommandContext(w.t.Context(), env.Kubectl(), append([]string{"--kubeconfig", env.Kubeconfig(w.t)}, args...)...).CombinedOutput()
	if err != nil {
		w.t.Fatalf("kubectl %v: %v\n%s", args, err, out)
	}
	return string(out)
}

func (w *world) pruneWaitOr(moment time.Duration) time.Duration {
	switch {
	case w.pruneWait < 0:
		return 0
	case w.pruneWait > 0:
		return w.pruneWait
	}
	return moment
}

// aheadClock is the clock of an operator, which a test sets ahead.
type aheadClock struct{ ahead atomic.Int64 }

func (c *aheadClock) Now() time.Time { return time.Now().Add(time.Duration(c.ahead.Load())) }

func (c *aheadClock) Since(at time.Time) time.Duration { return c.Now().Sub(at) }

func (c *aheadClock) set(ahead time.Duration) { c.ahead.Store(int64(ahead)) }

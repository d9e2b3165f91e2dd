package faults

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/usher-media/usher/internal/controller"
	"github.com/usher-media/usher/test/mortal"
)

// covered counts what was tried, for the summary.
var covered struct{ points, struck, moments atomic.Int64 }

// run is how one run of a scenario ended.
type run struct {
	snapshot string
	// writes are those of act, counts how often each was done, in all processes.
	writes []string
	counts map[string]int
	struck string
}

// TestEveryWriteCanFail strikes at each write of each scenario, and compares with the run in which nothing failed.
func TestEveryWriteCanFail(t *testing.T) {
	t.Parallel()
	everyWrite(t, func(t testing.TB, s scenario) system { return newMemory(s.without) }, func(s scenario) bool { return full() || s.quick })
}

// TestEveryRequestToShishoCanFail does the same on Shisho, whose fake has the traps of the real server: there, what can
// fail is each single request of a call, and what people see is what any of the server's lists shows them.
func TestEveryRequestToShishoCanFail(t *testing.T) {
	t.Parallel()
	everyWrite(t, newShisho, func(s scenario) bool {
		able := s.without == nil && (s.needs == nil || s.needs(shishoCapabilities))
		return able && (full() || s.quickShisho)
	})
}

func everyWrite(t *testing.T, system func(testing.TB, scenario) system, takes func(scenario) bool) {
	for _, s := range scenarios {
		if !takes(s) {
			continue
		}
		t.Run(name(s.name), func(t *testing.T) {
			t.Parallel()
			reference := play(t, system(t, s), s, 0, "", "")
			t.Logf("%d writes: %q", len(reference.writes), reference.writes)
			for k := range len(reference.writes) {
				for _, mode := range mortal.Modes {
					t.Run(name(fmt.Sprintf("%s %d", mode, k+1)), func(t *testing.T) {
						t.Parallel()
						got := play(t, system(t, s), s, k+1, mode, reference.snapshot)
						covered.points.Add(1)
						if got.struck != "" {
							covered.struck.Add(1)
						}
						compare(t, s, reference, got)
					})
				}
			}
		})
	}
}

// house is where a scenario is played.
func (s scenario) house(t *testing.T, on system) *house {
	t.Helper()
	h := newHouse(t, on)
	if s.prunes { // on a busy machine, one deletion follows another late
		h.pruneWait = controller.DefaultPruneWait
	}
	return h
}

// play runs a scenario with a fault at the k-th write of its act, and waits until it has ended as wanted; where nothing
// is wanted, until it is quiet.
func play(t *testing.T, on system, s scenario, k int, mode mortal.Mode, want string) run {
	t.Helper()
	h := s.house(t, on)
	h.start()
	h.quiet()
	if s.before != nil {
		s.before(h)
		h.quiet()
	}
	h.followed()
	h.process.Arm(k, mode)
	first := h.process
	s.act(h)
	awaited := want
	if s.finally != nil {
		awaited = "" // what is wanted comes only after that
	}
	h.struck(awaited)
	first.Disarm()
	if first.Dead() && h.process == first {
		<-h.ended
		h.start()
	}
	if s.finally != nil {
		s.finally(h)
	}
	h.endsAs(want)
	covered.moments.Add(int64(h.oracle.verdict()))
	r := run{snapshot: h.snapshot(), writes: first.Writes(), counts: first.Counts(), struck: first.Struck()}
	if h.process != first {
		for name, n := range h.process.Counts() {
			r.counts[name] += n
		}
	}
	if len(h.objects()) > 0 {
		h.oracle.settled()
		h.rest()
		covered.moments.Add(int64(h.oracle.verdict()))
	}
	return r
}

// struck waits until the fault has done its work; where it never strikes, until everything is over.
func (h *house) struck(want string) {
	h.t.Helper()
	written, since := -1, time.Now()
	h.eventually("the fault has struck, or everything is over", func() bool {
		if now := len(h.process.Writes()); now != written {
			written, since = now, time.Now()
		}
		return h.process.Done() || (time.Since(since) > follows+h.pruneWait && (want == "" || h.snapshot() == want))
	})
}

// endsAs waits until everything stands as wanted.
func (h *house) endsAs(want string) {
	h.t.Helper()
	if want == "" {
		h.quiet()
		h.followed()
		return
	}
	defer func() {
		if h.t.Failed() {
			h.t.Logf("%s ended otherwise than a run without a fault:\n%s", h, differences(want, h.snapshot()))
		}
	}()
	h.eventually("it ends like a run without a fault", func() bool { return h.snapshot() == want })
}

// compare holds the writes to the media server against those of the run without a fault: what makes, deletes or
// switches something is done exactly as often.
func compare(t *testing.T, s scenario, reference, got run) {
	t.Helper()
	for name := range either(reference.counts, got.counts) {
		if strings.HasPrefix(name, "api: ") || allowed(s, name, reference.counts[name], got.counts[name]) {
			continue
		}
		t.Errorf("struck at %q: %q was done %d times, and %d times without a fault", got.struck, name, got.counts[name], reference.counts[name])
	}
}

// allowed says whether a write may be done that often when something fails, since it is done so often without.
func allowed(s scenario, name string, without, got int) bool {
	more := got - without
	switch {
	case more == 0:
		return true
	case name == "media: SetPassword", strings.HasSuffix(name, "/reset-password"):
		// It cannot be read back, so it may be set once more; and once may do for two of a call that broke off.
		return more == 1 || (more == -1 && got > 0)
	case strings.HasPrefix(name, "media: SetAccess "): // several changes may become one, and be one without the fault
		return more < 0 || (without > 0 && got <= s.changes)
	case name == "http: POST /users/{id}": // the same for two people, and a call of several requests that broke off begins anew
		return got <= max(without, 2*s.changes)+1
	}
	return false
}

// either has the names of both.
func either(a, b map[string]int) map[string]int {
	both := maps.Clone(a)
	maps.Copy(both, b)
	return both
}

// differences shows the lines that only one of two snapshots has.
func differences(want, got string) string {
	wanted, found := strings.Split(want, "\n"), strings.Split(got, "\n")
	var out []string
	for _, line := range wanted {
		if !slices.Contains(found, line) {
			out = append(out, "- "+line)
		}
	}
	for _, line := range found {
		if !slices.Contains(wanted, line) {
			out = append(out, "+ "+line)
		}
	}
	return strings.Join(out, "\n")
}

func (h *house) gone(object client.Object) {
	h.t.Helper()
	h.eventually(object.GetName()+" is gone", func() bool {
		if apierrors.IsNotFound(h.client.Get(h.t.Context(), client.ObjectKeyFromObject(object), object)) {
			return true
		}
		if h.process.Dead() { // nobody else lets it go
			<-h.ended
			h.start()
		}
		return false
	})
}

// name makes a text fit for a test's name.
func name(text string) string { return strings.ReplaceAll(text, " ", "_") }

package conformance

import (
	"fmt"
	"io"
	"slices"
	"strings"
	"sync"
	"text/tabwriter"

	"github.com/usher-media/usher/internal/media/drivertest"
)

// table collects the results of a run. Safe for concurrent use.
type table struct {
	mu      sync.Mutex
	results []drivertest.Result
}

func (t *table) add(result drivertest.Result) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.results = append(t.results, result)
}

// outcomes in the order of the columns.
var outcomes = []drivertest.Outcome{
	drivertest.Passed, drivertest.Unsupported, drivertest.Failed, drivertest.NotLive,
}

// write prints a line for each rule, and after them each case that did not simply pass.
func (t *table) write(out io.Writer) {
	t.mu.Lock()
	defer t.mu.Unlock()
	var rules []string
	counts := map[string]map[drivertest.Outcome]int{}
	for _, r := range t.results {
		if r.Outcome == drivertest.LeftBehind {
			continue
		}
		if counts[r.Rule] == nil {
			rules, counts[r.Rule] = append(rules, r.Rule), map[drivertest.Outcome]int{}
		}
		counts[r.Rule][r.Outcome]++
	}
	columns := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
	_, _ = fmt.Fprintln(columns, "\nRULE\tPASSED\tUNSUPPORTED\tFAILED\tNOT LIVE")
	total := map[drivertest.Outcome]int{}
	for _, rule := range rules {
		_, _ = fmt.Fprintln(columns, rule+row(counts[rule]))
		for outcome, n := range counts[rule] {
			total[outcome] += n
		}
	}
	_, _ = fmt.Fprintln(columns, "all"+row(total))
	_ = columns.Flush()
	for _, outcome := range []drivertest.Outcome{drivertest.Failed, drivertest.LeftBehind, drivertest.Unsupported, drivertest.NotLive} {
		t.list(out, outcome)
	}
}

func row(counts map[drivertest.Outcome]int) string {
	var cells strings.Builder
	for _, outcome := range outcomes {
		_, _ = fmt.Fprintf(&cells, "\t%d", counts[outcome])
	}
	return cells.String()
}

// list prints the cases of one outcome, and why.
func (t *table) list(out io.Writer, outcome drivertest.Outcome) {
	first := true
	for _, r := range t.results {
		if r.Outcome != outcome {
			continue
		}
		if first {
			_, _ = fmt.Fprintf(out, "\n%s:\n", outcome)
			first = false
		}
		words := slices.DeleteFunc([]string{strings.Trim(r.Rule+"/"+r.Case, "/"), r.Why}, func(s string) bool { return s == "" })
		_, _ = fmt.Fprintln(out, "  "+strings.Join(words, ": "))
	}
}

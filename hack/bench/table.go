package main

import (
	"errors"
	"fmt"
	"io"
	"strings"
	"text/tabwriter"
)

// row is one number, or a heading when it has no value.
type row struct {
	what, value, budget string
	// judged: the budget can be missed; counted: by a count, which is the same on any machine.
	judged, counted, missed bool
}

// table is what a run found.
type table []row

func (t *table) heading(what string) { *t = append(*t, row{what: what}) }

// note is a number without a budget.
func (t *table) note(what, format string, args ...any) {
	*t = append(*t, row{what: what, value: fmt.Sprintf(format, args...)})
}

// breakdown notes counts, the highest first, each also by object when there are any.
func (t *table) breakdown(c counts, objects int) {
	for _, what := range c.keys() {
		if objects > 0 {
			t.note("    "+what, "%d  (%.2f an object)", c[what], float64(c[what])/float64(objects))
		} else {
			t.note("    "+what, "%d", c[what])
		}
	}
}

// most is a count that must not be more than its budget.
func (t *table) most(what string, value, budget float64) {
	*t = append(*t, row{what: what, value: number(value), budget: "at most " + number(budget), judged: true, counted: true, missed: value > budget})
}

// timed is a number that depends on the machine: reported, never asserted.
func (t *table) timed(what, value, budget string, missed bool) {
	*t = append(*t, row{what: what, value: value, budget: budget, judged: true, missed: missed})
}

// number writes a count without a fraction when it has none.
func number(value float64) string {
	return strings.TrimSuffix(fmt.Sprintf("%.2f", value), ".00")
}

// exceeded says which counts are over their budget.
func (t table) exceeded() error {
	var errs []error
	for _, r := range t {
		if r.counted && r.missed {
			errs = append(errs, fmt.Errorf("over budget: %s: %s, budget %s", r.what, r.value, r.budget))
		}
	}
	return errors.Join(errs...)
}

func (t table) write(out io.Writer) {
	w := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
	for _, r := range t {
		verdict := ""
		switch {
		case r.value == "" && r.budget == "":
			_, _ = fmt.Fprintf(w, "\n%s\t\t\t\n", r.what)
			continue
		case r.missed:
			verdict = "MISSED"
		case r.judged:
			verdict = "ok"
		}
		_, _ = fmt.Fprintf(w, "  %s\t%s\t%s\t%s\n", r.what, r.value, r.budget, verdict)
	}
	_ = w.Flush()
}

func (b *bench) print(out io.Writer) {
	_, _ = fmt.Fprintf(out, "\nUsher: %d users, %d libraries, %d edges; API server, media server, operator and this program on one machine\n",
		b.users, b.libraries, b.edges())
	b.table.write(out)
}

func (b *bench) edges() int { return b.users * 2 * b.libraries / shelves }

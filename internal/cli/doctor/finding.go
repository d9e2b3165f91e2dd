package doctor

import (
	"fmt"
	"io"

	"github.com/usher-media/usher/internal/cli/text"
)

// Grade says how bad a finding is.
type Grade int

// The grades.
const (
	// Good: nothing is to be done.
	Good Grade = iota
	// Unknown: it could not be looked at.
	Unknown
	// Notice: somebody should look at it.
	Notice
	// Bad: something does not work.
	Bad
)

// Finding is what was found about one thing.
type Finding struct {
	Grade   Grade
	Message string
	// WayOut is what to do about it; empty where that is nothing.
	WayOut string
}

func good(format string, args ...any) Finding { return Finding{Good, fmt.Sprintf(format, args...), ""} }

func bad(wayOut, format string, args ...any) Finding {
	return Finding{Bad, fmt.Sprintf(format, args...), wayOut}
}

func notice(wayOut, format string, args ...any) Finding {
	return Finding{Notice, fmt.Sprintf(format, args...), wayOut}
}

func unknown(wayOut, format string, args ...any) Finding {
	return Finding{Unknown, fmt.Sprintf(format, args...), wayOut}
}

// colours of the grades on a terminal.
var colours = map[Grade]string{Good: "\x1b[32m", Unknown: "\x1b[33m", Notice: "\x1b[33m", Bad: "\x1b[31m"}

// Print writes the findings, and returns how many are bad.
func Print(out io.Writer, findings []Finding, colour bool) (wrong int, err error) {
	for _, f := range findings {
		mark := map[Grade]string{Good: "✓", Unknown: "?", Notice: "!", Bad: "✗"}[f.Grade]
		if colour {
			mark = colours[f.Grade] + mark + "\x1b[0m"
		}
		said := mark + " " + text.Wrap(f.Message, "  ")
		if f.WayOut != "" {
			said += "\n  → " + text.Wrap(f.WayOut, "    ")
		}
		if _, err := fmt.Fprintln(out, said); err != nil {
			return wrong, err
		}
		if f.Grade == Bad {
			wrong++
		}
	}
	return wrong, nil
}

package main

import (
	"fmt"
	"io"
	"os"
	"strings"
	"time"
)

// report prints what happens: a line each, with a tick or a cross, coloured on a terminal.
type report struct {
	out    io.Writer
	colour bool
	start  time.Time
}

func newReport(file *os.File) *report {
	info, err := file.Stat()
	terminal := err == nil && info.Mode()&os.ModeCharDevice != 0
	return &report{out: file, colour: terminal && os.Getenv("NO_COLOR") == "", start: time.Now()}
}

const (
	green = "32"
	red   = "31"
	bold  = "1"
	faint = "2"
)

func (r *report) paint(code, text string) string {
	if !r.colour {
		return text
	}
	return "\x1b[" + code + "m" + text + "\x1b[0m"
}

// heading begins a part.
func (r *report) heading(text string) {
	fmt.Fprintf(r.out, "\n%s %s\n", r.paint(bold, text), r.paint(faint, fmt.Sprintf("(%d s)", int(time.Since(r.start).Seconds()))))
}

// say prints plain text.
func (r *report) say(format string, args ...any) {
	fmt.Fprintln(r.out, strings.TrimRight(fmt.Sprintf(format, args...), "\n"))
}

// ok prints a line that holds.
func (r *report) ok(format string, args ...any) { r.mark(true, format, args...) }

// failed prints a line that does not hold.
func (r *report) failed(format string, args ...any) { r.mark(false, format, args...) }

func (r *report) mark(holds bool, format string, args ...any) {
	sign := r.paint(green, "✓")
	if !holds {
		sign = r.paint(red, "✗")
	}
	fmt.Fprintf(r.out, "  %s %s\n", sign, fmt.Sprintf(format, args...))
}

// wait prints what is waited for.
func (r *report) wait(format string, args ...any) {
	fmt.Fprintf(r.out, "  %s %s\n", r.paint(faint, "…"), fmt.Sprintf(format, args...))
}

// indented returns a text with each line moved to the right.
func indented(text string) string {
	return "    " + strings.ReplaceAll(strings.TrimRight(text, "\n"), "\n", "\n    ")
}

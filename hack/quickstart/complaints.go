package main

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"

	"github.com/usher-media/usher/internal/media"
)

// complaints returns where the logs are, and the last error in each.
func (q *quickstart) complaints() string {
	text := "Logs: " + q.relative(q.logs)
	files, _ := filepath.Glob(filepath.Join(q.logs, "*.log")) // only a bad pattern makes an error
	for _, file := range files {
		if line := lastError(file); line != "" {
			text += "\n  " + filepath.Base(file) + ": " + line
		}
	}
	return text
}

// lastError returns the last line of a log that speaks of an error, cut to what a person reads.
func lastError(path string) string {
	const width = 300
	content, err := os.ReadFile(path)
	if err != nil {
		return ""
	}
	last := ""
	for line := range bytes.Lines(content) {
		lower := bytes.ToLower(line)
		if bytes.Contains(lower, []byte("error")) || bytes.Contains(lower, []byte("fatal")) || bytes.HasPrefix(line, []byte("panic")) {
			last = strings.TrimSpace(string(line))
		}
	}
	return media.Truncate(last, width)
}

package main

import (
	"bufio"
	"bytes"
	"encoding/json"
	"io"
	"maps"
	"os"
	"slices"
	"strings"
)

// auditPolicy has the API server log what the operator asks of it, and nothing else.
const auditPolicy = `apiVersion: audit.k8s.io/v1
kind: Policy
omitStages: [RequestReceived, ResponseStarted]
rules:
- level: Metadata
  users: [` + operatorName + `]
- level: None
`

// counts says how often what was done.
type counts map[string]int

// since returns what was counted after an earlier moment.
func (c counts) since(before counts) counts {
	after := counts{}
	for what, n := range c {
		if n > before[what] {
			after[what] = n - before[what]
		}
	}
	return after
}

func (c counts) total() (sum int) {
	for _, n := range c {
		sum += n
	}
	return sum
}

// only returns the counts of what a function picks.
func (c counts) only(pick func(what string) bool) counts {
	picked := maps.Clone(c)
	maps.DeleteFunc(picked, func(what string, _ int) bool { return !pick(what) })
	return picked
}

// keys are sorted by count, the highest first.
func (c counts) keys() []string {
	return slices.SortedFunc(maps.Keys(c), func(a, b string) int {
		if c[a] != c[b] {
			return c[b] - c[a]
		}
		return strings.Compare(a, b)
	})
}

// audit counts the operator's requests as the API server logged them, as "verb resource" or "verb resource/subresource".
type audit struct {
	path   string
	offset int64
	counts counts
}

// event is a line of the log.
type event struct {
	Verb      string
	ObjectRef struct{ Resource, Subresource string }
	// RequestURI tells a dry run, as those by which the admission policies are proven: it writes nothing.
	RequestURI string
}

// read takes in what was logged since the last time, and returns all counts.
func (a *audit) read() (counts, error) {
	file, err := os.Open(a.path)
	if err != nil {
		return nil, err
	}
	defer func() { _ = file.Close() }()
	if _, err := file.Seek(a.offset, io.SeekStart); err != nil {
		return nil, err
	}
	for reader := bufio.NewReader(file); ; {
		line, err := reader.ReadBytes('\n')
		if err == io.EOF {
			return maps.Clone(a.counts), nil // a line that is not whole is read the next time
		}
		if err != nil {
			return nil, err
		}
		a.offset += int64(len(line))
		var e event
		if err := json.Unmarshal(bytes.TrimSpace(line), &e); err != nil {
			return nil, err
		}
		if strings.Contains(e.RequestURI, "dryRun=All") {
			continue
		}
		what := e.Verb + " " + e.ObjectRef.Resource
		if e.ObjectRef.Subresource != "" {
			what += "/" + e.ObjectRef.Subresource
		}
		a.counts[what]++
	}
}

// writes picks what changes the cluster. A review of what the operator may do is a question.
func writes(what string) bool {
	verb, resource, _ := strings.Cut(what, " ")
	return resource != "selfsubjectaccessreviews" && slices.Contains([]string{"create", "update", "patch", "delete", "deletecollection"}, verb)
}

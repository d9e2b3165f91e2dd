package main

import (
	"testing"
	"time"
)

func TestParseStat(t *testing.T) {
	const rest = " S 42 1 1 0 -1 4194560 100 0 0 0 150 25 0 0 20 0 9 0 100 1 1"
	for text, want := range map[string]struct {
		name   string
		parent int
		used   time.Duration
		ok     bool
	}{
		"7 (etcd)" + rest:     {"etcd", 42, 1750 * time.Millisecond, true},
		"7 (a (b) c)" + rest:  {"a (b) c", 42, 1750 * time.Millisecond, true},
		"7 (etcd) S 42 1":     {},
		"7 etcd S 42 1 1 0 1": {},
		"":                    {},
	} {
		name, parent, used, ok := parseStat(text)
		if name != want.name || parent != want.parent || used != want.used || ok != want.ok {
			t.Errorf("%q: %q, %d, %v, %v, want %v", text, name, parent, used, ok, want)
		}
	}
}

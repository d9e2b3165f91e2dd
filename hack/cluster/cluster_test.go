//go:build linux

package main

import (
	"context"
	"errors"
	"testing"
)

// TestChangesAfter: what gives or takes access after the mark counts, and neither what came before nor sign-ins and scans.
func TestChangesAfter(t *testing.T) {
	log := []entry{
		{ID: "6", Action: "library.revoke"}, {ID: "5", Action: "session.start"}, {ID: "4", Action: "user.update"},
		{ID: "3", Action: "library.scan"}, {ID: "2", Action: "library.grant"}, {ID: "1", Action: "user.create"},
	}
	log[0].Target.Name, log[2].Target.Name = "Movies", "mia"
	for mark, want := range map[string]string{
		"6": "", "5": "library.revoke Movies", "3": "user.update mia, library.revoke Movies",
		"": "user.create , library.grant , user.update mia, library.revoke Movies",
	} {
		if got := described(changesAfter(log, mark)); got != want {
			t.Errorf("after %q: %q, not %q", mark, got, want)
		}
	}
}

// TestPerform: the first step that fails is the last one, and the whole fails with it.
func TestPerform(t *testing.T) {
	broken := errors.New("broken")
	var ran []string
	named := func(name string, err error) step {
		return step{name, func(context.Context) (string, error) {
			ran = append(ran, name)
			return "seen", err
		}}
	}
	diagnosed := false
	diagnose := func() string {
		diagnosed = true
		return "known"
	}
	if err := perform(t.Context(), []step{named("a", nil), named("b", nil)}, diagnose); err != nil || diagnosed {
		t.Errorf("steps that pass: %v, diagnosed: %t", err, diagnosed)
	}
	ran = nil
	err := perform(t.Context(), []step{named("a", nil), named("b", broken), named("c", nil)}, diagnose)
	if !errors.Is(err, broken) || !diagnosed || len(ran) != 2 {
		t.Errorf("a step that fails: %v, diagnosed: %t, ran %v", err, diagnosed, ran)
	}
}

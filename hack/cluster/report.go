//go:build linux

package main

import (
	"context"
	"fmt"
	"strings"
	"time"
)

// step is a part of the proof. What it returns is what it saw.
type step struct {
	name string
	run  func(context.Context) (string, error)
}

// perform runs steps in order, up to the first that fails, and prints a summary.
func perform(ctx context.Context, steps []step, diagnose func() string) error {
	var summary []string
	began := time.Now()
	for i, s := range steps {
		say("… %s", s.name)
		start := time.Now()
		proof, err := s.run(ctx)
		took := time.Since(start).Seconds()
		if err != nil {
			say("✗ %s (%.1f s): %v", s.name, took, err)
			fmt.Println(diagnose())
			summary = append(summary, fmt.Sprintf("%6.1f s  ✗ %s", took, s.name))
			printSummary(summary, time.Since(began))
			return fmt.Errorf("step %d of %d failed: %s: %w", i+1, len(steps), s.name, err)
		}
		say("✓ %s (%.1f s): %s", s.name, took, proof)
		summary = append(summary, fmt.Sprintf("%6.1f s  ✓ %s", took, s.name))
	}
	printSummary(summary, time.Since(began))
	return nil
}

func printSummary(lines []string, total time.Duration) {
	fmt.Printf("\n  %s\n  %6.1f s  in all\n", strings.Join(lines, "\n  "), total.Seconds())
}

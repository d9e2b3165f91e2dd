package main

import (
	"bufio"
	"context"
	"fmt"
	"os"
	"strconv"
	"strings"
	"time"
)

// budgetMemory is what the operator may keep resident with 10,000 users (design, section 4).
const budgetMemory = 150 << 20

// memory adds users up to the number for the memory, and measures the operator's process.
func (b *bench) memory(ctx context.Context) error {
	if b.memoryUsers == 0 {
		b.say("  left out (--memory-users)")
		return nil
	}
	small, err := b.liveHeap(ctx)
	if err != nil {
		return err
	}
	if b.memoryUsers > b.users {
		if err := b.grow(ctx); err != nil {
			return err
		}
	}
	if _, err := b.idle(ctx); err != nil {
		return err
	}
	large, err := b.liveHeap(ctx)
	if err != nil {
		return err
	}
	t := &b.table
	t.heading(fmt.Sprintf("Memory of the operator, %d users of ten libraries each", b.memoryUsers))
	if b.memoryUsers > b.users {
		t.note("heap a user (with Secret, cache and inventory)", "%.1f KiB", (large-small)/float64(b.memoryUsers-b.users)/1024)
	}
	t.note("live heap", "%.0f MiB", large/(1<<20))
	if err := b.reportResident("after growing to that"); err != nil {
		return err
	}
	if err := b.writeProfiles(ctx, "memory"); err != nil {
		return err
	}
	if err := b.end(b.operator.Process); err != nil {
		return err
	}
	if b.operator, err = b.startOperator(ctx); err != nil {
		return err
	}
	if err := b.awaitReconciles(ctx, b.memoryUsers); err != nil {
		return err
	}
	if _, err := b.idle(ctx); err != nil {
		return err
	}
	return b.reportResident("after a restart with that")
}

// grow applies the users that are missing, and waits until all are Ready.
func (b *bench) grow(ctx context.Context) error {
	watching, stop := context.WithCancel(ctx)
	defer stop()
	r, err := b.watchReady(watching)
	if err != nil {
		return err
	}
	if err := b.await(ctx, r, b.users, b.others()); err != nil {
		return err
	}
	objects := userObjects(namespace, b.users, b.memoryUsers)
	took, err := b.applyAndAwait(ctx, r, objects, b.memoryUsers)
	if err != nil {
		return err
	}
	b.say("  %d more users in %.0f s", len(objects), took.Seconds())
	return nil
}

// liveHeap waits for the next garbage collection, and returns what it found in use, in bytes.
func (b *bench) liveHeap(ctx context.Context) (float64, error) {
	ctx, cancel := context.WithTimeout(ctx, 4*time.Minute) // Go collects every two minutes at the latest
	defer cancel()
	const collections, live = "go_gc_cycles_total_gc_cycles_total", "go_gc_heap_live_bytes"
	first, err := scrape(ctx, b.operator.metrics)
	if err != nil {
		return 0, err
	}
	for {
		found, err := scrape(ctx, b.operator.metrics)
		if err != nil {
			return 0, err
		}
		if found.value(collections) > first.value(collections) {
			return found.value(live), nil
		}
		if err := b.pause(ctx, 100*time.Millisecond); err != nil {
			return 0, fmt.Errorf("no garbage collection came: %w", err)
		}
	}
}

func (b *bench) reportResident(when string) error {
	for _, kind := range []struct{ name, field string }{{"resident, ", "VmRSS"}, {"resident at the highest, ", "VmHWM"}} {
		bytes, err := resident(b.operator.ID(), kind.field)
		if err != nil {
			return err
		}
		b.table.timed(kind.name+when, fmt.Sprintf("%.0f MiB", float64(bytes)/(1<<20)), fmt.Sprintf("under %d MiB", budgetMemory>>20), bytes >= budgetMemory)
	}
	return nil
}

// resident reads a field of a process's status, in bytes. Only Linux tells.
func resident(pid int, field string) (int64, error) {
	file, err := os.Open(fmt.Sprintf("/proc/%d/status", pid))
	if err != nil {
		return 0, fmt.Errorf("the memory of a process is known on Linux only (--memory-users 0 leaves it out): %w", err)
	}
	defer func() { _ = file.Close() }()
	for lines := bufio.NewScanner(file); lines.Scan(); {
		if text, found := strings.CutPrefix(lines.Text(), field+":"); found {
			kilobytes, err := strconv.ParseInt(strings.TrimSuffix(strings.TrimSpace(text), " kB"), 10, 64)
			return kilobytes << 10, err
		}
	}
	return 0, fmt.Errorf("process %d has no %s", pid, field)
}

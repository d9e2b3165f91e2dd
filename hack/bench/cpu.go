package main

import (
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"
)

// clockTick is the unit of CPU times in /proc: a hundredth of a second on every architecture that Go runs on.
const clockTick = 10 * time.Millisecond

// cpuTimes says how much processor time this program and each program that it started have taken, by name. Only Linux
// tells; elsewhere it is empty.
func cpuTimes() map[string]time.Duration {
	taken := map[string]time.Duration{}
	own := os.Getpid()
	stats, _ := filepath.Glob("/proc/[0-9]*/stat")
	for _, path := range stats {
		text, err := os.ReadFile(path)
		if err != nil {
			continue // it has ended
		}
		name, parent, used, ok := parseStat(string(text))
		if pid, _ := strconv.Atoi(filepath.Base(filepath.Dir(path))); ok && (parent == own || pid == own) {
			taken[name] += used
		}
	}
	return taken
}

// parseStat reads the name of a process, its parent, and its user and system time (proc(5)).
func parseStat(text string) (name string, parent int, used time.Duration, ok bool) {
	// A name may have spaces and brackets in it.
	from, to := strings.IndexByte(text, '('), strings.LastIndexByte(text, ')')
	if from < 0 || to < from {
		return "", 0, 0, false
	}
	name = text[from+1 : to]
	fields := strings.Fields(text[to+1:])
	if len(fields) < 13 {
		return "", 0, 0, false
	}
	parent, _ = strconv.Atoi(fields[1])
	user, _ := strconv.Atoi(fields[11])
	system, _ := strconv.Atoi(fields[12])
	return name, parent, time.Duration(user+system) * clockTick, true
}

// reportCPU notes the processor time that each program took between two moments.
func (t *table) reportCPU(what string, before, after map[string]time.Duration) {
	milliseconds := counts{}
	var sum time.Duration
	for name, used := range after {
		milliseconds[name] = int((used - before[name]).Milliseconds())
		sum += used - before[name]
	}
	if len(milliseconds) == 0 {
		return
	}
	t.note(what, "%.1f s", sum.Seconds())
	for _, name := range milliseconds.keys() {
		t.note("    "+name, "%.1f s", float64(milliseconds[name])/1000)
	}
}

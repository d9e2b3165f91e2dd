// Package health says whether the operator can do its work, and what keeps it from it: to the readiness probe, in the log
// and as a metric.
package health

import (
	"context"
	"net/http"
	"sync"
	"time"

	"github.com/go-logr/logr"
	"github.com/prometheus/client_golang/prometheus"
	"sigs.k8s.io/controller-runtime/pkg/healthz"
)

// lookEvery is how often changes of the checks are logged.
const lookEvery = time.Second

// Check returns what is wrong, nil for nothing. It answers at once, from what is known.
type Check func() error

// Monitor holds the checks by name.
type Monitor struct {
	log    logr.Logger
	mu     sync.Mutex
	checks map[string]Check
	probes []*Probe
	said   map[string]string
}

// New makes a Monitor without checks.
func New(log logr.Logger) *Monitor {
	return &Monitor{log: log, checks: map[string]Check{}, said: map[string]string{}}
}

// Add adds a check.
func (m *Monitor) Add(name string, check Check) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.checks[name] = check
}

// AddProbe adds a check that asks. It asks while Run runs.
func (m *Monitor) AddProbe(name string, probe *Probe) {
	m.Add(name, probe.Check)
	m.probes = append(m.probes, probe)
}

// Checkers are the checks as a probe of the manager takes them.
func (m *Monitor) Checkers() map[string]healthz.Checker {
	m.mu.Lock()
	defer m.mu.Unlock()
	out := map[string]healthz.Checker{}
	for name, check := range m.checks {
		out[name] = func(*http.Request) error { return check() }
	}
	return out
}

// Run asks and logs until the context ends.
func (m *Monitor) Run(ctx context.Context) {
	var asking sync.WaitGroup
	defer asking.Wait()
	for _, probe := range m.probes {
		asking.Go(func() { probe.run(ctx) })
	}
	ticker := time.NewTicker(lookEvery)
	defer ticker.Stop()
	for {
		m.look()
		select {
		case <-ctx.Done():
			return
		case <-ticker.C:
		}
	}
}

// look logs what has changed since the last look.
func (m *Monitor) look() {
	for name, err := range m.results() {
		now := ""
		if err != nil {
			now = err.Error()
		}
		before, known := m.said[name]
		m.said[name] = now
		switch {
		case now == before:
		case err != nil:
			m.log.Error(err, "not ready", "check", name)
		case known:
			m.log.Info("ready again", "check", name)
		}
	}
}

func (m *Monitor) results() map[string]error {
	m.mu.Lock()
	defer m.mu.Unlock()
	out := make(map[string]error, len(m.checks))
	for name, check := range m.checks {
		out[name] = check()
	}
	return out
}

var readyDesc = prometheus.NewDesc("usher_ready",
	"1 while the operator can do its work as far as a check goes; 0 while something keeps it from it.", []string{"check"}, nil)

// Describe implements prometheus.Collector.
func (m *Monitor) Describe(ch chan<- *prometheus.Desc) { ch <- readyDesc }

// Collect implements prometheus.Collector.
func (m *Monitor) Collect(ch chan<- prometheus.Metric) {
	for name, err := range m.results() {
		value := 1.0
		if err != nil {
			value = 0
		}
		ch <- prometheus.MustNewConstMetric(readyDesc, prometheus.GaugeValue, value, name)
	}
}

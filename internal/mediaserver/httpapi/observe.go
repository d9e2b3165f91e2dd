package httpapi

import (
	"log/slog"
	"net/http"
	"runtime/debug"
	"strconv"
	"strings"

	"github.com/felixge/httpsnoop"
	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"github.com/prometheus/client_golang/prometheus/promhttp"

	"github.com/usher-media/usher/internal/mediaserver/auth"
)

// observer logs and counts requests. Its labels come from route patterns, never from what a client sends, so that they
// are few and hold nothing private.
type observer struct {
	log       *slog.Logger
	registry  *prometheus.Registry
	requests  *prometheus.CounterVec
	durations *prometheus.HistogramVec
	// client says which network address a request comes from.
	client func(*http.Request) string
}

func newObserver(log *slog.Logger, client func(*http.Request) string) *observer {
	o := &observer{
		log: log, client: client, registry: prometheus.NewRegistry(),
		requests: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "mediaserver_http_requests_total", Help: "Requests by route and status.",
		}, []string{"route", "code"}),
		durations: prometheus.NewHistogramVec(prometheus.HistogramOpts{
			Name: "mediaserver_http_request_duration_seconds", Help: "Time to the end of the answer, by route.",
			Buckets: prometheus.ExponentialBuckets(0.001, 4, 8),
		}, []string{"route"}),
	}
	o.registry.MustRegister(o.requests, o.durations, collectors.NewGoCollector())
	return o
}

// watch counts the passwords that are being hashed, wait for that, or were refused.
func (o *observer) watch(hasher *auth.Hasher) {
	for _, gauge := range []struct {
		name, help string
		value      func(auth.Stats) int64
	}{
		{"mediaserver_password_hashes_running", "Passwords that are being hashed.", func(s auth.Stats) int64 { return s.Running }},
		{"mediaserver_password_hashes_waiting", "Passwords that wait to be hashed.", func(s auth.Stats) int64 { return s.Waiting }},
	} {
		opts := prometheus.GaugeOpts{Name: gauge.name, Help: gauge.help}
		o.registry.MustRegister(prometheus.NewGaugeFunc(opts, func() float64 { return float64(gauge.value(hasher.Stats())) }))
	}
	o.registry.MustRegister(prometheus.NewCounterFunc(prometheus.CounterOpts{
		Name: "mediaserver_password_hashes_refused_total", Help: "Passwords that were not hashed, since too many were waiting.",
	}, func() float64 { return float64(hasher.Stats().Refused) }))
}

// metrics serves what was counted.
func (o *observer) metrics() http.Handler {
	return promhttp.HandlerFor(o.registry, promhttp.HandlerOpts{})
}

// wrap returns next with headers that every answer has, and with each request logged, counted, and kept from ending
// the program.
func (o *observer) wrap(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("X-Content-Type-Options", "nosniff")
		w.Header().Set("Cache-Control", "no-store")
		seen := httpsnoop.CaptureMetricsFn(w, func(w http.ResponseWriter) { o.survive(next, w, r) })
		o.note(r, seen)
	})
}

// survive turns a panic into a logged error.
func (o *observer) survive(next http.Handler, w http.ResponseWriter, r *http.Request) {
	defer func() {
		cause := recover()
		if cause == nil {
			return
		}
		if cause == http.ErrAbortHandler {
			panic(cause)
		}
		o.log.Error("handler panicked", "route", routeOf(r), "cause", cause, "stack", string(debug.Stack()))
		answer(w, http.StatusInternalServerError, textInternal)
	}()
	next.ServeHTTP(w, r)
}

// note logs reads quietly, writes audibly and failures loudly. The path itself is not logged: it may hold anything.
func (o *observer) note(r *http.Request, seen httpsnoop.Metrics) {
	route := routeOf(r)
	o.requests.WithLabelValues(route, strconv.Itoa(seen.Code)).Inc()
	o.durations.WithLabelValues(route).Observe(seen.Duration.Seconds())
	level := slog.LevelInfo
	switch {
	case seen.Code >= http.StatusInternalServerError:
		level = slog.LevelError
	case r.Method == http.MethodGet || r.Method == http.MethodHead:
		level = slog.LevelDebug
	}
	o.log.Log(r.Context(), level, "request", "route", route, "status", seen.Code, "bytes", seen.Written,
		"duration", seen.Duration, "client", o.client(r))
}

// routeOf names the pattern that the request matched, method included.
func routeOf(r *http.Request) string {
	if r.Pattern == "" || r.Pattern == "/" {
		return "none"
	}
	return strings.TrimSpace(r.Pattern)
}

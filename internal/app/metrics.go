package app

import (
	"github.com/prometheus/client_golang/prometheus"
	"sigs.k8s.io/controller-runtime/pkg/metrics"

	"github.com/usher-media/usher/internal/media"
)

var (
	mediaServerCalls = prometheus.NewCounterVec(prometheus.CounterOpts{
		Name: "usher_media_server_calls_total",
		Help: "Calls to media servers, by MediaServer (namespace/name), operation and result (OK, or the class of the error).",
	}, []string{"media_server", "operation", "result"})
	mediaServerCallSeconds = prometheus.NewHistogramVec(prometheus.HistogramOpts{
		Name:    "usher_media_server_call_duration_seconds",
		Help:    "How long calls to media servers take, by operation.",
		Buckets: []float64{.005, .025, .1, .5, 2, 10, 60},
	}, []string{"operation"})
)

func init() {
	metrics.Registry.MustRegister(mediaServerCalls, mediaServerCallSeconds)
}

// forgetCalls drops the series of a MediaServer that is no more.
func forgetCalls(server string) {
	mediaServerCalls.DeletePartialMatch(prometheus.Labels{"media_server": server})
}

func observeCalls(server string, call media.Call) {
	result := string(call.Code)
	if result == "" {
		result = "OK"
	}
	mediaServerCalls.WithLabelValues(server, call.Operation, result).Inc()
	mediaServerCallSeconds.WithLabelValues(call.Operation).Observe(call.Duration.Seconds())
}

package connect

import (
	"net/http"
	"sync/atomic"
)

// countingTransport counts the requests that are sent.
type countingTransport struct {
	sent atomic.Int64
	next http.RoundTripper
}

// around returns a wrapper that counts what goes through another one; nil for none.
func (t *countingTransport) around(inner func(http.RoundTripper) http.RoundTripper) func(http.RoundTripper) http.RoundTripper {
	return func(next http.RoundTripper) http.RoundTripper {
		if inner != nil {
			next = inner(next)
		}
		t.next = next
		return t
	}
}

// RoundTrip implements http.RoundTripper.
func (t *countingTransport) RoundTrip(request *http.Request) (*http.Response, error) {
	t.sent.Add(1)
	return t.next.RoundTrip(request)
}

func (t *countingTransport) count() int64 { return t.sent.Load() }

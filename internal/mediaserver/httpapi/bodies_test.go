package httpapi

import (
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"
)

// connection is an answer that notes the deadlines of what is read.
type connection struct {
	*httptest.ResponseRecorder
	deadlines []time.Time
}

func (c *connection) SetReadDeadline(t time.Time) error {
	c.deadlines = append(c.deadlines, t)
	return nil
}

// A body's deadline begins with the request, and is none for what follows the body: an answer that takes longer, or what is read
// while that is made.
func TestTheDeadlineOfABodyEndsWithIt(t *testing.T) {
	for body, want := range map[string]string{"": "", "{}": "set, lifted"} {
		var got string
		c := &connection{ResponseRecorder: httptest.NewRecorder()}
		handler := limitBodies(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
			if _, err := io.ReadAll(r.Body); err != nil {
				t.Error(err)
			}
			for _, deadline := range c.deadlines {
				word := "set"
				if deadline.IsZero() {
					word = ", lifted"
				}
				got += word
			}
		}), time.Minute)
		request := httptest.NewRequest("POST", "/", strings.NewReader(body))
		if body == "" {
			request.Body = http.NoBody
		}
		handler.ServeHTTP(c, request)
		if got != want {
			t.Errorf("a body of %d bytes: %q, want %q", len(body), got, want)
		}
	}
}

package shisho_test

import (
	"io"
	"net/http"
	"strings"
	"testing"

	"github.com/usher-media/usher/internal/media"
)

// TestListThatMoves: the server counts and reads at two moments. A list that changed meanwhile is read again, and one
// that never agrees with itself is none.
func TestListThatMoves(t *testing.T) {
	w := newWorld(t, "Alpha", "Beta")
	for wrong, want := range map[int]media.Code{1: "", 2: "", 100: media.Unavailable} {
		for _, path := range []string{"/libraries", "/users"} {
			left := wrong
			driver := w.open(func(next http.RoundTripper) http.RoundTripper {
				return tripper(func(request *http.Request) (*http.Response, error) {
					response, err := next.RoundTrip(request)
					if err != nil || request.URL.Path != path || left == 0 {
						return response, err
					}
					left--
					defer func() { _ = response.Body.Close() }()
					body, err := io.ReadAll(response.Body)
					response.Body = io.NopCloser(strings.NewReader(strings.Replace(string(body), `"total":`, `"total":1`, 1)))
					response.ContentLength = -1
					return response, err
				})
			})
			_, err := driver.List(w.ctx())
			w.wantCode(err, want)
		}
	}
}

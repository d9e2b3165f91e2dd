package httpapi

import (
	"io"
	"net/http"
	"time"
)

// limitBodies returns next with a deadline for the body of each request, whether or not anybody reads it: after the answer, the
// HTTP server itself reads what is left.
func limitBodies(next http.Handler, timeout time.Duration) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Body != nil && r.Body != http.NoBody {
			connection := http.NewResponseController(w)
			// It fails where there is no connection, as in a test of a handler.
			if err := connection.SetReadDeadline(time.Now().Add(timeout)); err == nil {
				// The HTTP server looks at its own request to tell whether the connection can be used again.
				r = r.WithContext(r.Context())
				r.Body = &limitedBody{r.Body, connection}
			}
		}
		next.ServeHTTP(w, r)
	})
}

// limitedBody lifts the deadline when the body has arrived: the connection is read on meanwhile, to notice when the client goes
// away, and an answer may take longer than a body.
type limitedBody struct {
	io.ReadCloser
	connection *http.ResponseController
}

func (b *limitedBody) Read(p []byte) (int, error) {
	n, err := b.ReadCloser.Read(p)
	if err == io.EOF {
		_ = b.connection.SetReadDeadline(time.Time{})
	}
	return n, err
}

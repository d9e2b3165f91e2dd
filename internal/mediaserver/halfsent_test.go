package mediaserver_test

import (
	"bufio"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/usher-media/usher/internal/mediaserver"
)

// givenUp is when the test takes a connection for held for ever.
const givenUp = time.Minute

// halfSent sends the beginning of a request, and waits until the server closes the connection. It returns the answer's status,
// 0 for none.
func (w *world) halfSent(method, path, token, contentType, begun string) (status int, err error) {
	address, err := url.Parse(w.url)
	if err != nil {
		return 0, err
	}
	connection, err := net.Dial("tcp", address.Host)
	if err != nil {
		return 0, err
	}
	defer func() { _ = connection.Close() }()
	if err := connection.SetDeadline(time.Now().Add(givenUp)); err != nil {
		return 0, err
	}
	_, err = fmt.Fprintf(connection, "%s %s HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer %s\r\nCookie: mediaserver_session=%s\r\n"+
		"Sec-Fetch-Site: same-origin\r\nContent-Type: %s\r\nContent-Length: 1000\r\n\r\n%s", method, path, token, token, contentType, begun)
	if err != nil {
		return 0, err
	}
	reader := bufio.NewReader(connection)
	response, err := http.ReadResponse(reader, nil)
	if err != nil {
		if err == io.ErrUnexpectedEOF {
			err = nil
		}
		return 0, err
	}
	_, err = io.Copy(io.Discard, reader)
	return response.StatusCode, err
}

// No request is held for ever, whoever half sends it, and wherever to: not to the API, not from a form, not where no body is
// expected at all.
func TestHalfSentRequestsEnd(t *testing.T) {
	w := start(t, func(c *mediaserver.Config) { c.BodyTimeout = 100 * time.Millisecond })
	owner := w.owner()
	w.invite(owner, code, "")
	type request struct{ method, path, contentType, begun string }
	requests := []request{{"POST", "/nothing", "text/plain", "x"}, {"GET", "/healthz", "text/plain", "x"}, {"GET", "/assets/app.css", "text/plain", "x"}}
	for _, row := range pageRows {
		path := strings.ReplaceAll(row.path, "{code}", code)
		requests = append(requests, request{row.method, path, "application/x-www-form-urlencoded", "login=mi"})
	}
	for _, op := range w.operations() {
		requests = append(requests, request{op.method, strings.ReplaceAll(op.path, "{code}", code), "application/json", `{"login":"mi`})
	}
	requests = slices.DeleteFunc(requests, func(r request) bool { return strings.ContainsAny(r.path, "{ ") || r.method == "HEAD" })
	tokens := map[string]string{"stranger": "nonsense", "owner": owner}
	var all sync.WaitGroup
	for _, r := range requests {
		for who, token := range tokens {
			all.Go(func() {
				if status, err := w.halfSent(r.method, r.path, token, r.contentType, r.begun); err != nil || status >= 500 {
					t.Errorf("%s %s by the %s: status %d, %v", r.method, r.path, who, status, err)
				}
			})
		}
	}
	all.Wait()
}

package wire

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"io"
	"mime"
	"net/http"
	"strings"

	"github.com/usher-media/usher/internal/media"
)

// Checker is implemented by what Call.Into points to when not every JSON of the right types is the server's format: a
// page without its items, an account without an id. Its error never shows in a text.
type Checker interface {
	Check() error
}

var (
	errTrailing = errors.New("more than one JSON value")
	errForeign  = errors.New("not JSON")
)

// Decode reads one JSON value into what into points to and checks it, if it is a Checker.
func Decode(body []byte, into any) error {
	decoder := json.NewDecoder(bytes.NewReader(body))
	if err := decoder.Decode(into); err != nil {
		return err
	}
	if _, err := decoder.Token(); !errors.Is(err, io.EOF) {
		return errTrailing
	}
	if checker, ok := into.(Checker); ok {
		return checker.Check()
	}
	return nil
}

func (c *Client) receive(ctx context.Context, call Call, response *http.Response) error {
	switch {
	case response.StatusCode >= 400:
		return c.refuse(call, response)
	case response.StatusCode >= 300:
		return call.fail(media.Unavailable, "the server answered with a redirect: is the url right?")
	case response.StatusCode < 200:
		return call.fail(media.Unavailable, c.stranger())
	}
	body, err := c.read(ctx, call, response)
	if err != nil {
		return err
	}
	return c.accept(call, response, body)
}

// read reads the whole body of a good answer within the bounds.
func (c *Client) read(ctx context.Context, call Call, response *http.Response) ([]byte, error) {
	limit := c.options.BodyLimit
	if call.List {
		limit = c.options.ListLimit
	}
	body, err := io.ReadAll(io.LimitReader(response.Body, limit+1))
	switch {
	case err != nil && ended(ctx, err):
		return nil, broken(call, "the answer was not complete in time", cause(ctx, err))
	case err != nil && cutShort(err):
		return nil, broken(call, "the answer was cut short", err)
	case err != nil:
		return nil, broken(call, "the connection broke before the answer was complete", cause(ctx, err))
	case int64(len(body)) > limit:
		failure := broken(call, "the answer is longer than what is read of one", nil)
		failure.Answered = !call.List // one object that is too long says nothing of the others
		return nil, failure
	}
	return body, nil
}

// accept decodes the body of a good answer.
func (c *Client) accept(call Call, response *http.Response, body []byte) error {
	if raw, ok := call.Into.(*[]byte); ok {
		*raw = body
		return nil
	}
	empty := len(bytes.TrimSpace(body)) == 0
	switch {
	case !empty && isPage(response.Header) && json.Valid(body):
		// What was asked may have been done: only the label is wrong.
		return broken(call, c.stranger(), errForeign)
	case !empty && foreign(response.Header, body):
		// Not even half an answer of this server: whoever answered did nothing of what was asked.
		return call.fail(media.Unavailable, c.stranger()).WithCause(errForeign)
	case call.Want != 0 && call.Want != response.StatusCode:
		return broken(call, c.stranger(), nil)
	case empty && call.Into != nil:
		return broken(call, "the answer was empty", nil)
	case call.Into == nil:
		return nil
	}
	if err := Decode(body, call.Into); err != nil {
		failure := broken(call, c.stranger(), err)
		failure.Answered = json.Valid(body) // one object in a form that is not known says nothing of the others
		return failure
	}
	return nil
}

// stranger says that somebody else answered: a wrong path, a proxy's page, another product.
func (c *Client) stranger() string {
	return "the server did not answer as " + c.options.Server + " does: is the url right?"
}

// foreign says whether an answer that is not empty is not JSON at all, such as a web page.
func foreign(header http.Header, body []byte) bool {
	if isPage(header) {
		return true
	}
	return !strings.ContainsRune(`{["-0123456789tfn`, rune(bytes.TrimSpace(body)[0]))
}

// isPage says whether an answer calls itself a web page.
func isPage(header http.Header) bool {
	kind, _, _ := mime.ParseMediaType(header.Get("Content-Type"))
	return kind == "text/html" || kind == "application/xhtml+xml"
}

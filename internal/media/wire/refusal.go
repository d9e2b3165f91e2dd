package wire

import (
	"io"
	"math"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/usher-media/usher/internal/media"
)

// maxRetryAfter bounds how long a server can make us wait.
const maxRetryAfter = time.Hour

// Refusal is an answer outside 2xx and 3xx, for Options.Classify.
type Refusal struct {
	// Method and Path of the call, the path as a template.
	Method, Path string
	Status       int
	Header       http.Header
	// Body is what was read of the answer, 64 KiB at most. It must never reach an error's text.
	Body []byte
}

// refuse gives an answer outside 2xx and 3xx its class.
func (c *Client) refuse(call Call, response *http.Response) error {
	body, err := io.ReadAll(io.LimitReader(response.Body, refusalLimit))
	if err != nil {
		body = nil
	}
	status := response.StatusCode
	if speaksOfObjects(status) && isPage(response.Header) {
		// A proxy's page "not found" does not say that the account is gone.
		return call.fail(media.Unavailable, c.stranger()).WithCause(errForeign)
	}
	code, words := c.options.Classify(Refusal{Method: call.Method, Path: call.Path, Status: status,
		Header: response.Header, Body: body})
	if code == "" {
		code = call.Codes[status]
	}
	if code == "" {
		code = codeOf(status, response.Header, call.writes())
	}
	switch {
	case words != "":
	case c.guard.Unknown():
		words = c.unknownWords(code)
	default:
		words = wordsOf(code, status)
	}
	failure := call.fail(code, words)
	failure.Answered = true
	if code == media.RateLimited {
		failure.RetryAfter = retryAfter(response.Header)
	}
	return failure
}

// speaksOfObjects says whether a status says something of the object that was asked for.
func speaksOfObjects(status int) bool {
	return status == http.StatusNotFound || status == http.StatusGone || status == http.StatusConflict
}

// codeOf is the table of statuses.
func codeOf(status int, header http.Header, writes bool) media.Code {
	switch status {
	case http.StatusUnauthorized:
		return media.Unauthenticated
	case http.StatusForbidden:
		return media.PermissionDenied
	case http.StatusNotFound, http.StatusGone:
		return media.NotFound
	case http.StatusConflict:
		return media.Conflict
	case http.StatusRequestTimeout:
		return media.Unavailable
	case http.StatusTooManyRequests:
		return media.RateLimited
	case http.StatusServiceUnavailable:
		if retryHeader(header) != "" {
			return media.RateLimited
		}
	}
	switch {
	case status < 500:
		return media.Invalid
	case writes:
		return media.Ambiguous
	}
	return media.Unavailable
}

// wordsOf says what a refusal means, with its status and nothing else of the answer.
func wordsOf(code media.Code, status int) string {
	words := map[media.Code]string{
		media.NotFound:         "there is no such object",
		media.AlreadyExists:    "the name is taken",
		media.Invalid:          "the server refuses what was asked",
		media.Unauthenticated:  "the server refuses the credentials",
		media.PermissionDenied: "the account may not do this",
		media.Conflict:         "the object is in a state that does not allow it",
		media.RateLimited:      "the server asks for patience",
		media.Ambiguous:        "the server failed and may have done it or not",
		media.Unsupported:      "the server cannot do this",
	}[code]
	if words == "" {
		words = "the server is not able to answer"
	}
	return words + " (status " + strconv.Itoa(status) + ")"
}

// unknownWords are those for an answer of which it is not known yet that a server of the type gave it: only what whoever
// wrote the url needs.
func (c *Client) unknownWords(code media.Code) string {
	switch code {
	case media.Unauthenticated:
		return "the server refuses the credentials"
	case media.PermissionDenied:
		return "the account may not do this"
	case media.RateLimited:
		return "the server asks for patience"
	}
	return c.stranger()
}

func retryHeader(header http.Header) string {
	if value := header.Get("Retry-After"); value != "" {
		return value
	}
	return header.Get("X-Retry-After")
}

// retryAfter reads how long the server asks to wait: seconds or a date, from nothing to an hour.
func retryAfter(header http.Header) time.Duration {
	value := strings.TrimSpace(retryHeader(header))
	if seconds, err := strconv.ParseFloat(value, 64); err == nil {
		if math.IsNaN(seconds) {
			return 0
		}
		return time.Duration(min(max(seconds, 0), maxRetryAfter.Seconds()) * float64(time.Second))
	}
	until, err := http.ParseTime(value)
	if err != nil {
		return 0
	}
	// The server's own clock, where it tells the time, makes a difference of clocks harmless.
	now, err := http.ParseTime(header.Get("Date"))
	if err != nil {
		now = time.Now()
	}
	return min(max(until.Sub(now), 0), maxRetryAfter)
}

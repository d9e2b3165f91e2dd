package media

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"
)

// Code is the class of an error. The set is closed: what a caller does depends on nothing else.
type Code string

// The error classes.
const (
	// NotFound: the object does not exist (or may not be seen, which some servers do not tell apart).
	NotFound Code = "NotFound"
	// AlreadyExists: the natural key is taken.
	AlreadyExists Code = "AlreadyExists"
	// Invalid: the server refuses what was asked; asking again does not help.
	Invalid Code = "Invalid"
	// Unauthenticated: the credentials are refused.
	Unauthenticated Code = "Unauthenticated"
	// PermissionDenied: the credentials are good, but may not do this.
	PermissionDenied Code = "PermissionDenied"
	// Conflict: the object is in a state that does not allow it (a library that is not empty, the owner's account).
	Conflict Code = "Conflict"
	// RateLimited: the server asks for patience; RetryAfter says how long.
	RateLimited Code = "RateLimited"
	// Unavailable: the server cannot be reached, or does not answer as its type does. Nothing was done.
	Unavailable Code = "Unavailable"
	// Ambiguous: a write was sent and its answer lost: it may or may not have been done.
	Ambiguous Code = "Ambiguous"
	// Unsupported: the server has no way to do this.
	Unsupported Code = "Unsupported"
)

// Error is an error of a media server. Its text is safe to show: no body, no secret (rules R2, R13).
type Error struct {
	Code Code
	// Op that failed, in words for people; set by Server.
	Op string
	// Message for people.
	Message string
	// RetryAfter is how long the server asks to wait; zero when it does not say.
	RetryAfter time.Duration
	// Answered: the server itself answered, so that an Unavailable is about this one call and says nothing of the
	// connection. See ConcernsConnection.
	Answered bool
	// Unsent: the request that failed was never sent. Server keeps it only where no other request of the call was that may
	// have changed something. See NothingSent.
	Unsent bool
	cause  error
}

// Error returns the text.
func (e *Error) Error() string {
	text := e.Message
	if e.Op != "" {
		text = e.Op + ": " + text
	}
	return text
}

// Unwrap returns the cause, for errors.Is; it is not part of the text.
func (e *Error) Unwrap() error { return e.cause }

// Errorf makes an Error of a class.
func Errorf(code Code, format string, args ...any) *Error {
	return &Error{Code: code, Message: fmt.Sprintf(format, args...)}
}

// WithCause adds what errors.Is may look for. It never shows in the text.
func (e *Error) WithCause(cause error) *Error {
	e.cause = cause
	return e
}

// CodeOf returns the class of an error: that of the Error within, Unavailable for any other, empty for nil.
func CodeOf(err error) Code {
	if err == nil {
		return ""
	}
	if e, ok := errors.AsType[*Error](err); ok {
		return e.Code
	}
	return Unavailable
}

// RetryAfter returns how long the server asks to wait, or zero.
func RetryAfter(err error) time.Duration {
	if e, ok := errors.AsType[*Error](err); ok {
		return e.RetryAfter
	}
	return 0
}

// ConcernsConnection says whether an error is about the server as a whole, so that all of its objects had better wait
// together: it cannot be reached, refuses the credentials or asks for patience. A server that answers one object's
// call with an error of its own (a 500) is reachable: that object waits alone, until the same happens to many calls
// in a row (see Server).
func ConcernsConnection(err error) bool {
	e, ok := errors.AsType[*Error](err)
	switch CodeOf(err) {
	case RateLimited, Unauthenticated:
		return true
	case Unavailable:
		return (!ok || !e.Answered) && !errors.Is(err, context.Canceled)
	}
	return false
}

// maxMessage bounds an error's message in bytes: it ends in status and events.
const maxMessage = 500

// classify makes any error of a driver an Error that names the operation. The text of an error that has no
// class is not shown: nobody vouches for what is in it. Nor is a text that holds one of the call's own secrets,
// should a driver break R13.
func classify(op string, err error, secrets ...string) error {
	if err == nil {
		return nil
	}
	if e, ok := errors.AsType[*Error](err); ok {
		named := *e
		named.Op = op
		named.Message = presentable(e.Message, secrets)
		return &named
	}
	message := "the media server could not be reached"
	if errors.Is(err, context.DeadlineExceeded) || errors.Is(err, context.Canceled) {
		message = "no answer in time"
	}
	return &Error{Code: Unavailable, Op: op, Message: message, cause: err}
}

// presentable makes a driver's message one bounded line without secrets.
func presentable(message string, secrets []string) string {
	for _, secret := range secrets {
		if secret != "" && strings.Contains(message, secret) {
			return "the reason is not shown, since it holds a secret"
		}
	}
	message = strings.Map(func(r rune) rune {
		if unicode.IsControl(r) {
			return ' '
		}
		return r
	}, message)
	return Truncate(message, maxMessage)
}

// cut ends a text that was cut.
const cut = "..."

// Truncate cuts a text to a number of bytes, between two characters.
func Truncate(text string, limit int) string {
	if len(text) <= limit {
		return text
	}
	end, tail := max(limit, 0), ""
	if limit >= len(cut) {
		end, tail = limit-len(cut), cut
	}
	for end > 0 && !utf8.RuneStart(text[end]) {
		end--
	}
	return text[:end] + tail
}

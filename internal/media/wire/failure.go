package wire

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"io"
	"net/url"

	"github.com/go-logr/logr"

	"github.com/usher-media/usher/internal/media"
)

// lost makes the error of a request that got no answer. Before anything was sent nothing can have been done; after
// that a write may have been (R12).
func lost(ctx context.Context, call Call, err error, sent bool) *media.Error {
	if refused, ok := errors.AsType[*media.Error](err); ok && !sent {
		// Refused by us: another server, or why it is not known which.
		failure := call.fail(refused.Code, refused.Message).WithCause(err)
		failure.RetryAfter, failure.Unsent = refused.RetryAfter, true
		return failure
	}
	code := media.Unavailable
	if sent && call.writes() {
		code = media.Ambiguous
	}
	if !sent {
		logr.FromContextOrDiscard(ctx).V(1).Info("no connection to the media server", "cause", err.Error())
	}
	failure := call.fail(code, transportWords(ctx, err, sent)).WithCause(cause(ctx, err))
	failure.Unsent = !sent
	return failure
}

// vague keeps back what answers at an address while it is not known to be a server of the type: whoever may write a url
// learns that it is not the right one, and nothing of what is there.
func (c *Client) vague(call Call, err error) error {
	e, ok := errors.AsType[*media.Error](err)
	if !ok || !c.guard.Unknown() || e.Code != media.Unavailable || e.Answered {
		return err
	}
	var (
		record tls.RecordHeaderError
		alert  tls.AlertError
	)
	if e.Unsent && !errors.As(err, &record) && !errors.As(err, &alert) {
		return err
	}
	vague := call.fail(e.Code, c.stranger()).WithCause(e.Unwrap())
	vague.Unsent = e.Unsent
	return vague
}

// unreachable says all that whoever writes a URL may know of an address that does not answer: a name that is not resolved,
// a port that is closed and one that is filtered look alike, so that nobody maps a network through Usher.
const unreachable = "the server cannot be reached: is the url right, and does the server run?"

// transportWords says what went wrong in words of our own: those of the network name hosts and URLs.
func transportWords(ctx context.Context, err error, sent bool) string {
	var (
		record tls.RecordHeaderError
		alert  tls.AlertError
	)
	untrusted := Untrusted(err)
	switch {
	case sent && ended(ctx, err):
		return "no answer in time"
	case errors.Is(err, errUnknownPeer):
		return "the server does not say who it is, so that nothing is sent to it"
	case untrusted != "":
		return "the server's " + untrusted
	case errors.As(err, &record), errors.As(err, &alert):
		return "the server does not speak TLS as expected: is the url right?"
	case sent:
		return "the connection broke before the answer was complete"
	}
	return unreachable
}

// Untrusted says why a certificate is refused, and which field of the MediaServer mends that; empty for any other error.
func Untrusted(err error) string {
	var (
		certificate *tls.CertificateVerificationError
		unknown     x509.UnknownAuthorityError
		name        x509.HostnameError
		invalid     x509.CertificateInvalidError
	)
	const untrusted = "TLS certificate is not trusted: "
	switch {
	case !errors.As(err, &certificate):
		return ""
	case errors.As(certificate.Err, &unknown):
		return untrusted + "nobody that Usher knows has signed it (give the CA that has in spec.tls.caSecretRef)"
	case errors.As(certificate.Err, &name):
		return untrusted + "it is not for the host of the url (spec.url)"
	case errors.As(certificate.Err, &invalid) && invalid.Reason == x509.Expired:
		return untrusted + "it has expired or is not valid yet (renew it)"
	}
	return untrusted + "it is not valid"
}

// cause keeps what errors.Is may look for, without the URL that net/http wraps around it.
func cause(ctx context.Context, err error) error {
	if ctx.Err() != nil {
		return ctx.Err()
	}
	var wrapped *url.Error
	if errors.As(err, &wrapped) {
		return wrapped.Err
	}
	return err
}

// ended says whether the caller's time is over. A network timeout that comes a moment before the context's own counts.
func ended(ctx context.Context, err error) bool {
	return ctx.Err() != nil || errors.Is(err, context.DeadlineExceeded) || errors.Is(err, context.Canceled)
}

// broken makes the error of an answer that began well: the server may have done what was asked.
func broken(call Call, words string, err error) *media.Error {
	code := media.Unavailable
	if call.writes() {
		code = media.Ambiguous
	}
	failure := call.fail(code, words)
	if err != nil {
		failure = failure.WithCause(err)
	}
	return failure
}

// cutShort says whether a body ended before its announced length.
func cutShort(err error) bool { return errors.Is(err, io.ErrUnexpectedEOF) }

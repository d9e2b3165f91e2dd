package wire

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"io"
	"net"
	"net/url"
	"syscall"

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
	failure := call.fail(code, transportWords(ctx, err, sent)).WithCause(cause(ctx, err))
	failure.Unsent = !sent
	return failure
}

// transportWords says what went wrong in words of our own: those of the network name hosts and URLs.
func transportWords(ctx context.Context, err error, sent bool) string {
	var (
		certificate *tls.CertificateVerificationError
		record      tls.RecordHeaderError
		alert       tls.AlertError
		dns         *net.DNSError
	)
	switch {
	case ended(ctx, err):
		return "no answer in time"
	case errors.Is(err, errUnknownPeer):
		return "the server does not say who it is, so that nothing is sent to it"
	case errors.Is(err, errAddress):
		return "the server's name stands for an address that is never dialled (link-local, multicast or unspecified)"
	case errors.As(err, &certificate):
		return certificateWords(certificate.Err)
	case errors.As(err, &record), errors.As(err, &alert):
		return "the server does not speak TLS as expected: is the url right?"
	case sent:
		return "the connection broke before the answer was complete"
	case errors.As(err, &dns):
		return "the server's name cannot be resolved"
	case errors.Is(err, syscall.ECONNREFUSED):
		return "the connection was refused"
	}
	return "the server cannot be reached"
}

// certificateWords says why a certificate is refused, and what to do.
func certificateWords(err error) string {
	var (
		unknown x509.UnknownAuthorityError
		name    x509.HostnameError
		invalid x509.CertificateInvalidError
	)
	const untrusted = "the server's TLS certificate is not trusted: "
	switch {
	case errors.As(err, &unknown):
		return untrusted + "nobody that Usher knows has signed it (give the CA that has)"
	case errors.As(err, &name):
		return untrusted + "it is not for the host of the url"
	case errors.As(err, &invalid) && invalid.Reason == x509.Expired:
		return untrusted + "it has expired or is not valid yet"
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

package wire

import (
	"crypto/tls"
	"crypto/x509"
	"errors"
	"net"
	"net/http"
	"net/netip"
	"syscall"
	"time"

	"github.com/usher-media/usher/internal/media"
)

const (
	dialTimeout      = 10 * time.Second
	handshakeTimeout = 10 * time.Second
	idleTimeout      = 90 * time.Second
	// idleConnections is how many connections stay open between calls: more than any driver has under way at once.
	idleConnections = 16
	headerLimit     = 64 << 10
)

// errAddress says that a name resolved to an address that is never dialled.
var errAddress = errors.New("address is never dialled")

// newTransport makes the transport below config.Transport, and what dials for it. It answers Invalid for a CA that holds
// no certificate.
func newTransport(config media.Config) (*http.Transport, *dialer, error) {
	security := &tls.Config{MinVersion: tls.VersionTLS12, InsecureSkipVerify: config.InsecureSkipVerify}
	if config.CA != nil {
		security.RootCAs = x509.NewCertPool()
		if !security.RootCAs.AppendCertsFromPEM(config.CA) {
			return nil, nil, media.Errorf(media.Invalid, "the CA holds no PEM certificate")
		}
	}
	dialer := &dialer{plain: Dialer(), secure: security, guard: config.Guard}
	return &http.Transport{
		// A proxy would dial for us, past the guard.
		Proxy:                  nil,
		DialContext:            dialer.dialPlain,
		DialTLSContext:         dialer.dialSecure,
		MaxIdleConns:           idleConnections,
		MaxIdleConnsPerHost:    idleConnections,
		IdleConnTimeout:        idleTimeout,
		MaxResponseHeaderBytes: headerLimit,
		// The bounds on bodies are then bounds on what is transferred, too.
		DisableCompression: true,
	}, dialer, nil
}

// Dialer makes connections as every driver's: never to a link-local, multicast or unspecified address. For drivers that
// speak to a server's database as well.
func Dialer() *net.Dialer { return &net.Dialer{Timeout: dialTimeout, Control: guard} }

// guard runs after the name was resolved and before the connection is made, once for each address.
func guard(_, address string, _ syscall.RawConn) error {
	target, err := netip.ParseAddrPort(address)
	if err != nil || !mayDial(target.Addr()) {
		return errAddress
	}
	return nil
}

// mayDial says whether an address may be a media server's. Loopback and private ones may: servers at home are there.
func mayDial(address netip.Addr) bool {
	address = address.Unmap()
	return !address.IsLinkLocalUnicast() && !address.IsMulticast() && !address.IsUnspecified()
}

// mayDialHost says the same of a URL's host; a name is looked at when it is resolved.
func mayDialHost(host string) bool {
	address, err := netip.ParseAddr(host)
	return err != nil || mayDial(address)
}

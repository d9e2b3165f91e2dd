package wire

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"net"
	"net/http"
	"net/netip"
	"strings"
	"syscall"
	"time"

	"github.com/go-logr/logr"

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

// errAddress says that a name resolved to an address that is not dialled.
var errAddress = errors.New("the address is not dialled unless --allow-server-addresses names it")

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
	dialer := &dialer{plain: Dialer(config.Allowed), secure: security, guard: config.Guard}
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

// Dialer makes connections as every driver's: to no address that media.MayDial refuses. For drivers that speak to a
// server's database as well.
func Dialer(allowed []netip.Prefix) *net.Dialer {
	return &net.Dialer{
		Timeout: dialTimeout,
		// This runs after the name was resolved and before the connection is made, once for each address.
		ControlContext: func(ctx context.Context, _, address string, _ syscall.RawConn) error {
			target, err := netip.ParseAddrPort(address)
			if err == nil && media.MayDial(target.Addr(), allowed) {
				return nil
			}
			logr.FromContextOrDiscard(ctx).Info("refused to dial: "+errAddress.Error(), "address", address)
			return errAddress
		},
	}
}

// CheckHost answers Invalid for the host of a URL that is never dialled. Any other name is looked at when it is resolved.
func CheckHost(host string, allowed []netip.Prefix) error {
	address, err := netip.ParseAddr(host)
	if name := strings.TrimRight(strings.ToLower(host), "."); name == "localhost" || strings.HasSuffix(name, ".localhost") {
		address, err = netip.AddrFrom4([4]byte{127, 0, 0, 1}), nil
	}
	if err != nil || media.MayDial(address, allowed) {
		return nil
	}
	return media.Errorf(media.Invalid, "the url names an address that Usher does not dial (loopback, link-local, multicast, or a metadata service): name the server by another one, or have the operator started with --allow-server-addresses")
}

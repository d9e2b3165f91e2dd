package connect

import (
	"context"
	"fmt"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"slices"
)

// Lookup resolves a host's name.
type Lookup func(ctx context.Context, network, host string) ([]netip.Addr, error)

// keepPrivate says how calls to a URL are kept from sending credentials in the clear over networks of others. For https it is nil.
// For http, each address of the host must be of this machine or of a private network, and calls go to the first of them, whatever
// the name resolves to later. It is an error where one is not.
func keepPrivate(ctx context.Context, address string, lookup Lookup) (func(http.RoundTripper) http.RoundTripper, error) {
	target, err := url.Parse(address)
	if err != nil || target.Scheme != "http" {
		return nil, nil // a URL that is none is refused by the driver
	}
	host := target.Hostname()
	addresses, err := lookup(ctx, "ip", host)
	if err != nil || len(addresses) == 0 {
		return nil, fmt.Errorf("the host of --url cannot be resolved: %q", host)
	}
	private := func(a netip.Addr) bool { a = a.Unmap(); return a.IsLoopback() || a.IsPrivate() }
	if i := slices.IndexFunc(addresses, func(a netip.Addr) bool { return !private(a) }); i >= 0 {
		return nil, fmt.Errorf("%s is %s, which is on no private network, and http:// would send the password there in the clear: "+
			"use https://, or a tunnel to the server, or --allow-plain-http if the network is yours", host, addresses[i])
	}
	port := target.Port()
	if port == "" {
		port = "80"
	}
	pinned := net.JoinHostPort(addresses[0].Unmap().String(), port)
	return func(next http.RoundTripper) http.RoundTripper { return pinnedTransport{next, pinned} }, nil
}

// pinnedTransport sends plain calls to one address, under the name that they were made for.
type pinnedTransport struct {
	next    http.RoundTripper
	address string
}

// RoundTrip implements http.RoundTripper.
func (t pinnedTransport) RoundTrip(request *http.Request) (*http.Response, error) {
	if request.URL.Scheme != "http" {
		return t.next.RoundTrip(request)
	}
	pinned := request.Clone(request.Context())
	if pinned.Host == "" {
		pinned.Host = request.URL.Host
	}
	pinned.URL.Host = t.address
	return t.next.RoundTrip(pinned)
}

package httpapi

import (
	"net"
	"net/http"
	"net/netip"
	"slices"
	"strings"
)

// clientOfRequest returns the network address that a request comes from, without the port.
func (a *api) clientOfRequest(r *http.Request) string {
	return a.client(r.RemoteAddr, strings.Join(r.Header.Values("X-Forwarded-For"), ","))
}

// client returns the network address that a request comes from: that of the connection or, where a trusted proxy holds
// the other end, the rightmost address in X-Forwarded-For that is none of a trusted proxy. What stands left of it was
// written by the client, and may be anything.
func (a *api) client(remote, forwarded string) string {
	client := remote
	if name, _, err := net.SplitHostPort(remote); err == nil {
		client = name
	}
	hops := strings.Split(forwarded, ",")
	for i := len(hops) - 1; i >= 0 && a.trusted(client); i-- {
		address, err := netip.ParseAddr(strings.TrimSpace(hops[i]))
		if err != nil {
			break
		}
		client = address.Unmap().String()
	}
	return client
}

func (a *api) trusted(client string) bool {
	address, err := netip.ParseAddr(client)
	return err == nil && slices.ContainsFunc(a.proxies, func(p netip.Prefix) bool { return p.Contains(address.Unmap()) })
}

package httpapi

import (
	"net/netip"
	"testing"
)

// Only what a trusted proxy wrote counts: a client that sends the header itself gets no other address by it.
func TestTheClientBehindProxies(t *testing.T) {
	a := &api{proxies: []netip.Prefix{netip.MustParsePrefix("10.0.0.0/8"), netip.MustParsePrefix("fd00::/8")}}
	for _, c := range []struct{ remote, forwarded, want string }{
		{"192.0.2.7:5", "", "192.0.2.7"},
		{"192.0.2.7:5", "198.51.100.1", "192.0.2.7"},
		{"10.0.0.1:5", "", "10.0.0.1"},
		{"10.0.0.1:5", "198.51.100.1", "198.51.100.1"},
		{"10.0.0.1:5", "203.0.113.9, 198.51.100.1", "198.51.100.1"},
		{"10.0.0.1:5", "198.51.100.1, 10.0.0.2", "198.51.100.1"},
		{"10.0.0.1:5", "10.0.0.3,10.0.0.2", "10.0.0.3"},
		{"10.0.0.1:5", "198.51.100.1, nonsense", "10.0.0.1"},
		{"10.0.0.1:5", "nonsense, 198.51.100.1", "198.51.100.1"},
		{"[fd00::1]:5", "2001:db8::1", "2001:db8::1"},
		{"10.0.0.1:5", "::ffff:198.51.100.1", "198.51.100.1"},
		{"@", "198.51.100.1", "@"},
	} {
		if got := a.client(c.remote, c.forwarded); got != c.want {
			t.Errorf("from %s with %q: %s, want %s", c.remote, c.forwarded, got, c.want)
		}
	}
}

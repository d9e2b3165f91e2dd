package node

import (
	"context"
	"net"
	"net/netip"
	"testing"
	"time"

	"golang.org/x/net/dns/dnsmessage"
)

func onlyHome(_ context.Context, service, namespace string) (netip.Addr, bool) {
	return netip.MustParseAddr("10.96.1.2"), service == "home" && namespace == "media"
}

// TestDNS: Go's own resolver finds Services, and nothing else.
func TestDNS(t *testing.T) {
	connection, err := net.ListenPacket("udp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	served := make(chan error)
	go func() { served <- ServeDNS(t.Context(), connection, onlyHome) }()
	resolver := &net.Resolver{PreferGo: true, Dial: func(ctx context.Context, _, _ string) (net.Conn, error) {
		return (&net.Dialer{}).DialContext(ctx, "udp", connection.LocalAddr().String())
	}}
	for name, want := range map[string]bool{
		"home.media.svc.cluster.local.": true, "HOME.media.svc.cluster.local.": true, "home.other.svc.cluster.local.": false,
		"x.home.media.svc.cluster.local.": false, "home.media.": false, "home.media.svc.cluster.local.elsewhere.": false,
	} {
		addresses, err := resolver.LookupNetIP(t.Context(), "ip", name)
		var unknown *net.DNSError
		if found := err == nil && len(addresses) == 1 && addresses[0] == netip.MustParseAddr("10.96.1.2"); found != want {
			t.Errorf("%s: %v, %v", name, addresses, err)
		}
		if !want && (!asDNSError(err, &unknown) || !unknown.IsNotFound) {
			t.Errorf("%s: %v, not that there is no such name", name, err)
		}
	}
	if err := connection.Close(); err != nil {
		t.Fatal(err)
	}
	select {
	case err := <-served:
		if err != nil {
			t.Error(err)
		}
	case <-time.After(10 * time.Second):
		t.Error("it still serves")
	}
}

func asDNSError(err error, target **net.DNSError) bool {
	found, ok := err.(*net.DNSError)
	*target = found
	return ok
}

// TestDNSIgnoresWhatIsNoQuestion: neither noise nor an answer is answered.
func TestDNSIgnoresWhatIsNoQuestion(t *testing.T) {
	answer, err := (&dnsmessage.Message{Header: dnsmessage.Header{Response: true}}).Pack()
	if err != nil {
		t.Fatal(err)
	}
	for _, packet := range [][]byte{nil, []byte("noise"), answer} {
		if reply, ok := answerDNS(t.Context(), packet, onlyHome); ok {
			t.Errorf("%q is answered: %q", packet, reply)
		}
	}
}

package node

import (
	"context"
	"errors"
	"net"
	"net/netip"
	"strings"

	"golang.org/x/net/dns/dnsmessage"
)

// Lookup finds the address of a Service; ok is false where there is none.
type Lookup func(ctx context.Context, service, namespace string) (address netip.Addr, ok bool)

// ServeDNS answers what pods ask: the names of Services, as a cluster's DNS does, and no others. It returns when the connection is
// closed.
func ServeDNS(ctx context.Context, connection net.PacketConn, lookup Lookup) error {
	buffer := make([]byte, 4096)
	for {
		n, from, err := connection.ReadFrom(buffer)
		if errors.Is(err, net.ErrClosed) {
			return nil
		}
		if err != nil {
			return err
		}
		if reply, ok := answerDNS(ctx, buffer[:n], lookup); ok {
			if _, err := connection.WriteTo(reply, from); err != nil && !errors.Is(err, net.ErrClosed) {
				return err
			}
		}
	}
}

// answerDNS is the answer to a packet; what is no question gets none.
func answerDNS(ctx context.Context, packet []byte, lookup Lookup) ([]byte, bool) {
	var asked dnsmessage.Message
	if err := asked.Unpack(packet); err != nil || asked.Response || len(asked.Questions) != 1 {
		return nil, false
	}
	question := asked.Questions[0]
	answer := dnsmessage.Message{
		Header: dnsmessage.Header{
			ID: asked.ID, Response: true, Authoritative: true, RecursionDesired: asked.RecursionDesired, RCode: dnsmessage.RCodeNameError,
		},
		Questions: asked.Questions,
	}
	if address, ok := resolve(ctx, question.Name.String(), lookup); ok {
		answer.RCode = dnsmessage.RCodeSuccess
		if question.Type == dnsmessage.TypeA && address.Is4() {
			answer.Answers = []dnsmessage.Resource{{
				Header: dnsmessage.ResourceHeader{Name: question.Name, Type: question.Type, Class: dnsmessage.ClassINET, TTL: 5},
				Body:   &dnsmessage.AResource{A: address.As4()},
			}}
		}
	}
	reply, err := answer.Pack()
	return reply, err == nil
}

// resolve finds what SERVICE.NAMESPACE.svc.cluster.local. stands for.
func resolve(ctx context.Context, name string, lookup Lookup) (netip.Addr, bool) {
	rest, found := strings.CutSuffix(strings.ToLower(name), ".svc.cluster.local.")
	service, namespace, two := strings.Cut(rest, ".")
	if !found || !two || strings.Contains(namespace, ".") {
		return netip.Addr{}, false
	}
	return lookup(ctx, service, namespace)
}

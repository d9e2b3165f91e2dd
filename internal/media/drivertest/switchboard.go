package drivertest

import (
	"io"
	"net"
	"net/url"
	"sync"
	"sync/atomic"
	"testing"
)

// Switchboard is an address behind which one of several servers answers.
type Switchboard struct {
	listener net.Listener
	// next gives the address that the next connection leads to.
	next atomic.Pointer[func() string]
	mu   sync.Mutex
	open []net.Conn
	all  sync.WaitGroup
}

// NewSwitchboard listens on loopback until the test ends. next gives the host and port that each new connection leads to.
func NewSwitchboard(t testing.TB, next func() string) *Switchboard {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	s := &Switchboard{listener: listener}
	s.Lead(next)
	s.all.Go(func() {
		for {
			connection, err := listener.Accept()
			if err != nil {
				return
			}
			s.all.Go(func() { s.connect(connection) })
		}
	})
	t.Cleanup(func() {
		_ = listener.Close()
		s.Cut()
		s.all.Wait()
	})
	return s
}

// URL returns the URL with the switchboard's address in place of its own.
func (s *Switchboard) URL(of string) string {
	moved, err := url.Parse(of)
	if err != nil {
		return of
	}
	moved.Host = s.listener.Addr().String()
	return moved.String()
}

// Lead changes where new connections lead to. Those that there are stay.
func (s *Switchboard) Lead(next func() string) { s.next.Store(&next) }

// Cut breaks all connections.
func (s *Switchboard) Cut() {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, connection := range s.open {
		_ = connection.Close()
	}
	s.open = nil
}

func (s *Switchboard) connect(from net.Conn) {
	to, err := net.Dial("tcp", (*s.next.Load())())
	if err != nil {
		_ = from.Close()
		return
	}
	s.mu.Lock()
	s.open = append(s.open, from, to)
	s.mu.Unlock()
	var both sync.WaitGroup
	both.Go(func() { _, _ = io.Copy(to, from); _ = to.Close() })
	both.Go(func() { _, _ = io.Copy(from, to); _ = from.Close() })
	both.Wait()
}

// addressOf is the host and port of a URL, for NewSwitchboard.
func addressOf(text string) func() string {
	parsed, err := url.Parse(text)
	if err != nil {
		return func() string { return "" }
	}
	return func() string { return parsed.Host }
}

package wire

import (
	"errors"
	"net"
	"net/http"
	"testing"

	"github.com/usher-media/usher/internal/media"
)

// A proxy would dial for us, past every check; that of the environment is not ours to use.
func TestNoProxy(t *testing.T) {
	transport, _, err := newTransport(media.Config{})
	if err != nil {
		t.Fatal(err)
	}
	request, err := http.NewRequest(http.MethodGet, "http://media.example.org", nil)
	if err != nil {
		t.Fatal(err)
	}
	t.Setenv("HTTP_PROXY", "http://proxy.example.org")
	if transport.Proxy != nil {
		if proxy, _ := transport.Proxy(request); proxy != nil {
			t.Errorf("goes by %s", proxy)
		}
	}
}

// What a name stands for is looked at when it is dialled, each time.
func TestDialerLooksAtTheAddress(t *testing.T) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = listener.Close() }()
	_, port, _ := net.SplitHostPort(listener.Addr().String())
	for _, name := range []string{"localhost", "127.0.0.1", "::1", "::ffff:127.0.0.1"} {
		connection, err := Dialer(nil).DialContext(t.Context(), "tcp", net.JoinHostPort(name, port))
		if !errors.Is(err, errAddress) {
			t.Errorf("%s: %v", name, err)
		}
		if err == nil {
			_ = connection.Close()
		}
	}
	connection, err := Dialer(media.Loopback()).DialContext(t.Context(), "tcp", net.JoinHostPort("127.0.0.1", port))
	if err != nil {
		t.Fatal(err)
	}
	_ = connection.Close()
}

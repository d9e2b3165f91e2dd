package drivertest

import (
	"errors"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"time"

	"github.com/usher-media/usher/internal/media"
)

// networkCases: R2, what never reached a server is Unavailable for writes, too, and the error says what to look at.
var networkCases = []testCase{
	{"refused", nobodyThere},
	{"unknown_name", unknownName},
	{"untrusted_certificate", untrusted},
	{"no_tls", noTLS},
	{"another_server", anotherServer},
}

// redirected sends every request to another address, through the driver's own transport.
func redirected(to string) fault {
	target, err := url.Parse(to)
	return func(next http.RoundTripper, request *http.Request) (*http.Response, error) {
		if err != nil {
			return nil, err
		}
		elsewhere := request.Clone(request.Context())
		elsewhere.URL.Scheme, elsewhere.URL.Host, elsewhere.Host = target.Scheme, target.Host, target.Host
		return next.RoundTrip(elsewhere)
	}
}

// unreachable runs every call under the fault: nothing is sent, and each error has the words.
func (f *fixture) unreachable(spoil fault, words string) {
	f.Helper()
	operations := f.operations(f.driver)
	check := f.unchanged()
	f.faults.set(spoil)
	for _, op := range operations {
		err := op.run(f.ctx())
		f.wantCode(err, media.Unavailable)
		if err != nil && !strings.Contains(err.Error(), words) {
			f.Errorf("%s: %q does not say %q", op.name, err, words)
		}
		if !media.ConcernsConnection(err) {
			f.Errorf("%s: %q does not concern the connection", op.name, err)
		}
	}
	f.faults.set(nil)
	check()
}

// nobodyThere: port 1 of loopback, where nobody listens.
func nobodyThere(f *fixture) { f.unreachable(redirected("http://127.0.0.1:1"), "cannot be reached") }

// unknownName fails as net/http does when a name has no address. It asks no name server: what that says of a name
// depends on the machine.
func unknownName(f *fixture) {
	f.unreachable(func(_ http.RoundTripper, request *http.Request) (*http.Response, error) {
		return nil, &net.OpError{Op: "dial", Net: "tcp", Err: &net.DNSError{
			Err: "no such host", Name: request.URL.Hostname(), IsNotFound: true,
		}}
	}, "cannot be reached")
}

// untrusted leads to a server whose certificate nobody vouches for.
func untrusted(f *fixture) {
	server := httptest.NewUnstartedServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {
		f.Error("a request reached a server that is not trusted")
	}))
	server.Config.ErrorLog = quiet
	server.StartTLS()
	f.Cleanup(server.Close)
	f.unreachable(redirected(server.URL), "certificate is not trusted")
}

// noTLS leads to a server that speaks HTTP where HTTPS was asked for.
func noTLS(f *fixture) {
	server := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {
		f.Error("a request was sent without TLS")
	}))
	server.Config.ErrorLog = quiet
	f.Cleanup(server.Close)
	f.unreachable(redirected("https"+strings.TrimPrefix(server.URL, "http")), "TLS")
}

// anotherServer comes to the address while connections to the first are open: no call that writes goes to it.
func anotherServer(f *fixture) {
	other := f.h.fixture(f.TB, f.h.Start)
	board := NewSwitchboard(f.TB, addressOf(f.server.Config.URL))
	config := f.server.Config
	config.URL = board.URL(config.URL)
	var driver media.Driver
	server, err := media.OpenServer(func(config media.Config) (_ media.Driver, err error) {
		driver, err = f.server.Open(config)
		return driver, err
	}, config, time.Now, nil)
	f.must(err)
	f.Cleanup(func() { _ = server.Close() })
	probe, err := server.Probe(f.ctx())
	f.must(err)
	server.Expect(probe.Identity)
	operations := f.operations(driver)
	check, checkOther := f.unchanged(), other.unchanged()
	board.Lead(addressOf(other.server.Config.URL))
	board.Cut()
	for probe.Identity == f.probe.Identity || err != nil { // what was open is found to be broken
		probe, err = server.Probe(f.ctx())
	}
	for _, op := range operations {
		err := op.run(f.ctx())
		// On a busy machine a call may find that there is no time before it finds who answers. None goes through either way,
		// and each says in the end that it is another server.
		for op.write && media.CodeOf(err) == media.Unavailable && !errors.Is(err, media.ErrOtherServer) && f.Context().Err() == nil {
			err = op.run(f.ctx())
		}
		if op.write && !errors.Is(err, media.ErrOtherServer) {
			f.Errorf("%s: %v", op.name, err)
		}
	}
	check()
	checkOther()
	board.Lead(addressOf(f.server.Config.URL))
	board.Cut()
	for probe.Identity != f.probe.Identity || err != nil {
		probe, err = server.Probe(f.ctx())
	}
	for _, op := range operations {
		if err := op.run(f.ctx()); errors.Is(err, media.ErrOtherServer) { // the first server is back
			f.Errorf("%s, after the first server came back: %v", op.name, err)
		}
	}
}

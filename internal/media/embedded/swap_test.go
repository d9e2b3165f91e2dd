package embedded_test

import (
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"reflect"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/usher-media/usher/internal/media"
	"github.com/usher-media/usher/internal/media/drivertest"
	"github.com/usher-media/usher/internal/media/embedded"
)

// watched is an embedded server that counts what it is asked, and the writes that it did.
type watched struct {
	*running
	address                  string
	writes, identities, auth atomic.Int32
}

func watch(t *testing.T, keepAlive bool) *watched {
	t.Helper()
	w := &watched{running: start(t)}
	w.register()
	web := httptest.NewUnstartedServer(http.HandlerFunc(func(answer http.ResponseWriter, r *http.Request) {
		seen := &status{ResponseWriter: answer}
		w.server.Handler().ServeHTTP(seen, r)
		switch {
		case r.URL.Path == "/v1/server" && r.Method == http.MethodGet:
			w.identities.Add(1)
		case strings.HasPrefix(r.URL.Path, "/v1/auth/"):
			w.auth.Add(1)
		case r.Method != http.MethodGet && seen.code != http.StatusUnauthorized:
			w.writes.Add(1)
		}
	}))
	web.Config.SetKeepAlivesEnabled(keepAlive)
	web.Start()
	t.Cleanup(web.Close)
	w.address = strings.TrimPrefix(web.URL, "http://")
	return w
}

type status struct {
	http.ResponseWriter
	code int
}

func (s *status) WriteHeader(code int) {
	s.code = code
	s.ResponseWriter.WriteHeader(code)
}

func (w *watched) always() func() string { return func() string { return w.address } }

// connect opens a Server that expects the server which answers now.
func connect(t *testing.T, address string) *media.Server {
	t.Helper()
	config := media.Config{Allowed: media.Loopback(), URL: address, Credentials: media.Credentials{Username: owner, Password: ownerPassword}}
	server, err := media.OpenServer(embedded.Open, config, time.Now, nil)
	must(t, err)
	t.Cleanup(func() { _ = server.Close() })
	probe, err := server.Probe(t.Context())
	must(t, err)
	server.Expect(probe.Identity)
	must(t, server.Refresh(t.Context(), probe.Self))
	return server
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func person(i int) media.NewAccount {
	return media.NewAccount{Username: fmt.Sprint("person", i), Role: media.RoleMember, Password: "a password 1"}
}

// burst makes accounts, eight at once, and calls after each how many there are.
func burst(t *testing.T, server *media.Server, n int, after func(made int)) (refused int) {
	t.Helper()
	var all sync.WaitGroup
	var made, others, next atomic.Int32
	for range 8 {
		all.Go(func() {
			for i := next.Add(1); int(i) <= n; i = next.Add(1) {
				_, err := server.CreateAccount(t.Context(), person(int(i)))
				switch {
				case err == nil:
					after(int(made.Add(1)))
				case errors.Is(err, media.ErrOtherServer):
					others.Add(1)
				case media.CodeOf(err) != media.Ambiguous && media.CodeOf(err) != media.Unavailable:
					t.Error(err)
				}
			}
		})
	}
	all.Wait()
	return int(others.Load())
}

// In the middle of a burst another server takes the address over, in each of the ways that there are. It gets no write.
func TestSwapInMidBurst(t *testing.T) {
	swaps := map[string]func(s *drivertest.Switchboard, to *watched){
		"all connections break":            func(s *drivertest.Switchboard, to *watched) { s.Lead(to.always()); s.Cut() },
		"new connections lead to the next": func(s *drivertest.Switchboard, to *watched) { s.Lead(to.always()) },
		"they break first":                 func(s *drivertest.Switchboard, to *watched) { s.Cut(); s.Lead(to.always()) },
	}
	for name, swap := range swaps {
		for _, keepAlive := range []bool{true, false} {
			t.Run(fmt.Sprint(name, ", kept alive ", keepAlive), func(t *testing.T) {
				first, second := watch(t, keepAlive), watch(t, true)
				board := drivertest.NewSwitchboard(t, first.always())
				server := connect(t, board.URL("http://first"))
				refused := burst(t, server, 80, func(made int) {
					if made == 20 {
						swap(board, second)
					}
				})
				board.Cut() // so that the burst's own connections do not live on
				_, err := server.CreateAccount(t.Context(), person(1000))
				if !errors.Is(err, media.ErrOtherServer) {
					_, err = server.CreateAccount(t.Context(), person(1000)) // the first may have had a broken one
				}
				if !errors.Is(err, media.ErrOtherServer) {
					t.Errorf("after the swap: %v", err)
				}
				if n := second.writes.Load(); n > 0 {
					t.Errorf("%d writes to the other server (%d were refused)", n, refused)
				}
				board.Lead(first.always())
				board.Cut()
				if _, err := server.CreateAccount(t.Context(), person(1001)); err != nil {
					t.Errorf("the first server is back: %v", err)
				}
			})
		}
	}
}

// Two servers answer in turn: each write goes to the one that is expected, or to none.
func TestTwoServersAtOneAddress(t *testing.T) {
	first, second := watch(t, true), watch(t, true)
	board := drivertest.NewSwitchboard(t, first.always())
	server := connect(t, board.URL("http://first"))
	var turn atomic.Int32
	either := func() string {
		if turn.Add(1)%2 == 0 {
			return second.address
		}
		return first.address
	}
	board.Lead(either)
	burst(t, server, 60, func(made int) {
		if made%10 == 0 {
			board.Cut()
		}
	})
	if n := second.writes.Load(); n > 0 {
		t.Errorf("%d writes to the other server", n)
	}
	if turn.Load() < 4 {
		t.Errorf("only %d connections were made", turn.Load())
	}
}

// Behind a proxy the connection stays and the session ends with the server: the refused write is not sent again.
func TestSwapBehindAProxy(t *testing.T) {
	first, second := watch(t, true), watch(t, true)
	var to atomic.Pointer[watched]
	to.Store(first)
	proxy := httptest.NewServer(&httputil.ReverseProxy{Rewrite: func(r *httputil.ProxyRequest) {
		r.SetURL(&url.URL{Scheme: "http", Host: to.Load().address})
	}})
	t.Cleanup(proxy.Close)
	server, people := connect(t, proxy.URL), connect(t, "http://"+second.address)
	signedIn := second.auth.Load()
	before := people.Inventory().Accounts()
	burst(t, server, 80, func(made int) {
		if made == 20 {
			to.Store(second)
		}
	})
	if second.auth.Load() == signedIn {
		t.Error("nobody came to the other server: this shows nothing")
	}
	accounts, _ := server.Inventory().Counts()
	if made := int(first.writes.Load()); made < 20 || accounts < 20 {
		t.Errorf("%d writes to the first server, %d accounts", made, accounts)
	}
	probe, err := people.Probe(t.Context())
	must(t, err)
	must(t, people.Refresh(t.Context(), probe.Self))
	if after := people.Inventory().Accounts(); second.writes.Load() > 0 || !reflect.DeepEqual(before, after) {
		t.Errorf("%d writes to the other server, which was %v and is %v", second.writes.Load(), before, after)
	}
}

// The identity costs a reading for each connection and one each few seconds, not one for each write.
func TestIdentityCostsNoRequestForEachWrite(t *testing.T) {
	for _, keepAlive := range []bool{true, false} {
		began := time.Now()
		w := watch(t, keepAlive)
		server := connect(t, "http://"+w.address)
		if refused := burst(t, server, 200, func(int) {}); refused > 0 || w.writes.Load() != 200 {
			t.Errorf("%d writes, %d refused", w.writes.Load(), refused)
		}
		// Ten connections, the sign-in's beside, and one reading each four seconds.
		if n, most := int(w.identities.Load()), 14+int(time.Since(began)/time.Second); n > most {
			t.Errorf("kept alive %v: %d readings for 200 writes, at most %d", keepAlive, n, most)
		}
	}
}

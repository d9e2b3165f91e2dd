package connect

import (
	"context"
	"errors"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"net/url"
	"strings"
	"testing"
)

// TestPlainHTTPStaysPrivate: nothing is sent in the clear to an address of others, whatever names lead there.
func TestPlainHTTPStaysPrivate(t *testing.T) {
	for address, want := range map[string]bool{
		"127.0.0.1": true, "::1": true, "10.1.2.3": true, "172.16.0.1": true, "192.168.1.10": true, "fd00::1": true, "::ffff:10.0.0.1": true,
		"8.8.8.8": false, "172.32.0.1": false, "100.64.0.1": false, "169.254.169.254": false, "2001:db8::1": false, "fe80::1": false, "::ffff:8.8.8.8": false,
	} {
		lookup := func(context.Context, string, string) ([]netip.Addr, error) {
			return []netip.Addr{netip.MustParseAddr(address)}, nil
		}
		if _, err := keepPrivate(t.Context(), "http://media.test", lookup); (err == nil) != want {
			t.Errorf("%s: %v", address, err)
		}
		if wrap, err := keepPrivate(t.Context(), "https://media.test", lookup); err != nil || wrap != nil {
			t.Errorf("https to %s: %v", address, err)
		}
	}
	both := func(context.Context, string, string) ([]netip.Addr, error) {
		return []netip.Addr{netip.MustParseAddr("10.0.0.1"), netip.MustParseAddr("8.8.8.8")}, nil
	}
	if _, err := keepPrivate(t.Context(), "http://media.test", both); err == nil || !strings.Contains(err.Error(), "--allow-plain-http") {
		t.Errorf("one of two addresses is of others: %v", err)
	}
	unknown := func(context.Context, string, string) ([]netip.Addr, error) { return nil, errors.New("no such host") }
	if _, err := keepPrivate(t.Context(), "http://media.test", unknown); err == nil {
		t.Error("a name that leads nowhere is taken")
	}
}

// TestCallsGoToTheAddressThatWasChecked, under the host's own name.
func TestCallsGoToTheAddressThatWasChecked(t *testing.T) {
	var host string
	server := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) { host = r.Host }))
	defer server.Close()
	at, err := url.Parse(server.URL)
	if err != nil {
		t.Fatal(err)
	}
	lookup := func(context.Context, string, string) ([]netip.Addr, error) {
		return []netip.Addr{netip.MustParseAddr("127.0.0.1")}, nil
	}
	named := "http://media.test:" + at.Port() // which no resolver knows
	wrap, err := keepPrivate(t.Context(), named, lookup)
	if err != nil {
		t.Fatal(err)
	}
	request, err := http.NewRequestWithContext(t.Context(), "GET", named+"/path", nil)
	if err != nil {
		t.Fatal(err)
	}
	response, err := wrap(http.DefaultTransport).RoundTrip(request)
	if err != nil {
		t.Fatal(err)
	}
	_ = response.Body.Close()
	if want := "media.test:" + at.Port(); host != want {
		t.Errorf("the server was called %q, want %q", host, want)
	}
}

// typed answers questions.
type typed struct{ questions []string }

func (c *typed) Ask(question string) (string, error) {
	c.questions = append(c.questions, question)
	return "alice", nil
}

func (c *typed) AskSecret(question string) (string, error) {
	c.questions = append(c.questions, question)
	return "a secret", nil
}

func TestCredentials(t *testing.T) {
	for name, try := range map[string]struct {
		env      map[string]string
		terminal *typed
		want     string
		asked    int
	}{
		"asked":                  {nil, &typed{}, "alice a secret  ", 2},
		"the password alone":     {map[string]string{UsernameVariable: "bob"}, &typed{}, "bob a secret  ", 1},
		"the environment":        {map[string]string{UsernameVariable: "bob", PasswordVariable: "another"}, &typed{}, "bob another  ", 0},
		"an address is an email": {map[string]string{UsernameVariable: "b@x.org", PasswordVariable: "another"}, nil, "b@x.org another b@x.org ", 0},
		"a token":                {map[string]string{UsernameVariable: "bob", TokenVariable: "token"}, &typed{}, "   token", 0},
		"nobody to ask":          {map[string]string{UsernameVariable: "bob"}, nil, "", 0},
		"a line break":           {map[string]string{UsernameVariable: "bob", PasswordVariable: "an0ther\n"}, nil, "", 0},
	} {
		var terminal Terminal
		if try.terminal != nil {
			terminal = try.terminal
		}
		got, err := Credentials(func(key string) string { return try.env[key] }, terminal)
		said := strings.Join([]string{got.Username, got.Password, got.Email, got.Token}, " ")
		if (err != nil) != (try.want == "") || (err == nil && said != try.want) {
			t.Errorf("%s: %q, %v", name, said, err)
		}
		if try.terminal != nil && len(try.terminal.questions) != try.asked {
			t.Errorf("%s: asked %q", name, try.terminal.questions)
		}
		if err != nil && strings.Contains(err.Error(), "an0ther") {
			t.Errorf("%s: the error holds the password: %v", name, err)
		}
	}
}

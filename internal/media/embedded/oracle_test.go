package embedded_test

import (
	"context"
	"fmt"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/usher-media/usher/internal/media"
	"github.com/usher-media/usher/internal/media/embedded"
)

// listen answers each connection with a text, or by closing it.
func listen(t *testing.T, text string) string {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	must(t, err)
	t.Cleanup(func() { _ = listener.Close() })
	go func() {
		for {
			connection, err := listener.Accept()
			if err != nil {
				return
			}
			_, _ = connection.Write([]byte(text))
			_ = connection.Close()
		}
	}()
	return "http://" + listener.Addr().String()
}

func answering(t *testing.T, status int, header, body string) string {
	t.Helper()
	web := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		name, value, _ := strings.Cut(header, ": ")
		w.Header().Set(name, value)
		w.WriteHeader(status)
		_, _ = w.Write([]byte(body))
	}))
	t.Cleanup(web.Close)
	return web.URL
}

// whatIsTold is the message that ends in the status of a MediaServer with that url.
func whatIsTold(t *testing.T, ctx context.Context, url string, allowed bool) string {
	t.Helper()
	config := media.Config{URL: url, Credentials: media.Credentials{Username: owner, Password: ownerPassword}}
	if allowed {
		config.Allowed = media.Loopback()
	}
	server, err := media.OpenServer(embedded.Open, config, time.Now, nil)
	if err != nil {
		return err.Error()
	}
	t.Cleanup(func() { _ = server.Close() })
	_, err = server.Probe(ctx)
	if err == nil {
		return ""
	}
	return err.Error()
}

// Whoever may write a url learns whether there is a server of the type, and not what else there is, or why not.
func TestAURLMapsNoNetwork(t *testing.T) {
	over, cancel := context.WithCancel(t.Context())
	cancel()
	const nobody = "Probe: GET /v1/server: the server cannot be reached: is the url right, and does the server run?"
	for name, told := range map[string]string{
		"closed":     whatIsTold(t, t.Context(), "http://127.0.0.1:1", true),
		"no name":    whatIsTold(t, t.Context(), "http://no-such-host.invalid", true),
		"no name, s": whatIsTold(t, t.Context(), "https://no-such-host.invalid", true),
		"no time":    whatIsTold(t, over, "http://127.0.0.1:1", true),
	} {
		if told != nobody {
			t.Errorf("%s: %s", name, told)
		}
	}
	const another = "Probe: GET /v1/server: the server did not answer as an Embedded media server does: is the url right?"
	page := answering(t, http.StatusOK, "Content-Type: text/html", "<html>")
	for name, url := range map[string]string{
		"ssh": listen(t, "SSH-2.0-OpenSSH_9.9\r\n"), "closes": listen(t, ""), "half an answer": listen(t, "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n{"),
		"page": page, "no tls": "https" + strings.TrimPrefix(page, "http"), "json": answering(t, http.StatusOK, "X: y", `{"a":1}`),
		"nothing": answering(t, http.StatusOK, "X: y", ""), "redirect": answering(t, http.StatusFound, "Location: http://169.254.169.254/", ""),
		"404": answering(t, http.StatusNotFound, "X: y", "{}"), "400": answering(t, http.StatusBadRequest, "X: y", "{}"),
		"409": answering(t, http.StatusConflict, "X: y", "{}"), "500": answering(t, http.StatusInternalServerError, "X: y", "{}"),
		"503": answering(t, http.StatusServiceUnavailable, "X: y", ""), "418": answering(t, http.StatusTeapot, "X: y", ""),
	} {
		if told := whatIsTold(t, t.Context(), url, true); told != another {
			t.Errorf("%s: %s", name, told)
		}
	}
	for _, status := range []int{401, 403, 429} {
		if told := whatIsTold(t, t.Context(), answering(t, status, "X: y", "{}"), true); strings.Contains(told, fmt.Sprint(status)) {
			t.Errorf("%d: %s", status, told)
		}
	}
}

// Loopback is this machine's: only where it is allowed.
func TestLoopbackOnlyWhereAllowed(t *testing.T) {
	w := watch(t, true)
	for _, host := range []string{"127.0.0.1", "localhost", "[::ffff:127.0.0.1]"} {
		_, port, _ := strings.Cut(w.address, ":")
		if told := whatIsTold(t, t.Context(), "http://"+host+":"+port, false); !strings.Contains(told, "--allow-server-addresses") {
			t.Errorf("%s: %s", host, told)
		}
		if told := whatIsTold(t, t.Context(), "http://"+host+":"+port, true); told != "" {
			t.Errorf("%s, allowed: %s", host, told)
		}
	}
	if n := w.identities.Load(); n == 0 {
		t.Error("nobody came where it is allowed")
	}
}

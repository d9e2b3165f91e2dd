package drivertest

import (
	"encoding/base64"
	"net/http"
	"strings"
	"testing"

	"gopkg.in/dnaeon/go-vcr.v4/pkg/cassette"
)

// exchange is one of a server that shows its secrets wherever it can.
func exchange() *cassette.Interaction {
	return &cassette.Interaction{
		Request: cassette.Request{
			Method: "POST", URL: "http://10.0.0.1:8080/sign-in?token=canary-query&limit=100", Host: "10.0.0.1:8080",
			Body: `{"login":"owner","password":"canary-password","nested":[{"apiKey":"canary-key"}],"mustChangePassword":false}`,
			Headers: http.Header{
				"Authorization": {"Bearer canary-bearer"}, "Cookie": {"session=canary-cookie"}, "X-Whatever": {"canary-other"},
			},
			Form: map[string][]string{"password": {"canary-form"}},
		},
		Response: cassette.Response{
			Body: `{"token":"canary-answer","id":9007199254740993,"words":"your token is canary-answer"}`,
			Headers: http.Header{
				"Content-Type": {"application/json"}, "Set-Cookie": {"session=canary-set; Path=/; HttpOnly"}, "X-Token": {"canary-header"},
			},
		},
	}
}

func TestScrubbedExchangeHoldsNoSecret(t *testing.T) {
	i, s := exchange(), newScrubber(nil, "canary-given")
	if err := s.interaction(i); err != nil {
		t.Fatal(err)
	}
	text := strings.Join([]string{
		i.Request.URL, i.Request.Body, i.Request.Form.Encode(), i.Response.Body, headerText(i.Request.Headers), headerText(i.Response.Headers),
		"canary-given", "canary-bearer",
	}, "\n")
	clean, err := s.file([]byte(text))
	if err != nil || strings.Contains(string(clean), "canary") {
		t.Errorf("%v:\n%s", err, clean)
	}
	for _, kept := range []string{`"login":"owner"`, "limit=100", "application/json", "session=REDACTED; Path=/", "9007199254740993", `"mustChangePassword":false`} {
		if !strings.Contains(string(clean), kept) {
			t.Errorf("%s is gone:\n%s", kept, clean)
		}
	}
}

func headerText(header http.Header) string {
	var text strings.Builder
	_ = header.Write(&text)
	return text.String()
}

// A form body is scrubbed by its fields, and a page is left as it is.
func TestScrubbedBodies(t *testing.T) {
	s := newScrubber(nil)
	for body, want := range map[string]string{
		"login=owner&password=canary-1": "login=owner&password=REDACTED",
		"<p>a=b</p>":                    "<p>a=b</p>",
		"":                              "",
		"plain words":                   "plain words",
	} {
		if got := s.body(body); got != want {
			t.Errorf("%q: got %q, want %q", body, got, want)
		}
	}
}

// What is left in another form stops the recording, without saying what it is.
func TestASecretInAnotherFormStopsTheRecording(t *testing.T) {
	const secret = "canary of a password"
	for name, text := range map[string]string{
		"base64": base64.StdEncoding.EncodeToString([]byte(secret)), "escaped": "canary+of+a+password", "path": "canary%20of%20a%20password",
	} {
		if _, err := newScrubber(nil, secret).file([]byte("x " + text + " y")); err == nil || strings.Contains(err.Error(), "canary") {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestWordsAreReplaced(t *testing.T) {
	clean, err := newScrubber(map[string]string{"/srv/films": "/media", "": "x"}).file([]byte(`{"path":"/srv/films/a"}`))
	if err != nil || string(clean) != `{"path":"/media/a"}` {
		t.Errorf("%s %v", clean, err)
	}
}

// A directory is replaced wherever it is, also as a value of a query.
func TestScrubbedWords(t *testing.T) {
	s := newScrubber(map[string]string{"/canary/of/a/machine": "/media"})
	clean, err := s.file([]byte("path: /canary/of/a/machine/films\nurl: http://x/browse?path=%2Fcanary%2Fof%2Fa%2Fmachine%2Ffilms\n"))
	if want := "path: /media/films\nurl: http://x/browse?path=%2Fmedia%2Ffilms\n"; err != nil || string(clean) != want {
		t.Errorf("got %q (%v), want %q", clean, err, want)
	}
}

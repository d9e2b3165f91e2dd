package drivertest

import (
	"encoding/base64"
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"net/url"
	"regexp"
	"slices"
	"strings"

	"gopkg.in/dnaeon/go-vcr.v4/pkg/cassette"
)

const (
	redacted = "REDACTED"
	// recordedURL stands for the server's address in recordings. Nobody dials it.
	recordedURL = "http://recorded.example.org"
	// shortSecret is how long a value must be to be looked for everywhere.
	shortSecret = 6
)

// secretField says which fields of JSON and of forms hold a secret.
var secretField = regexp.MustCompile(`(?i)(pass(word|phrase|wd)?|token|secret|jwt|cookie|api_?key|session(id)?|^(invite_?)?code)$`)

// keptHeaders are the headers that stay in a recording; all others are left out.
var keptHeaders = []string{"Content-Type", "Retry-After", "X-Retry-After", "Location", "Date"}

// scrubber takes out of recordings what nobody may see, and remembers what it took: no file may hold it.
type scrubber struct {
	secrets map[string]bool
	// words are replaced wherever they are: addresses and directories.
	words map[string]string
}

func newScrubber(words map[string]string, secrets ...string) *scrubber {
	s := &scrubber{secrets: map[string]bool{}, words: maps.Clone(words)}
	for _, secret := range secrets {
		s.secret(secret)
	}
	return s
}

// secret notes a value and the forms in which it could be written.
func (s *scrubber) secret(value string) {
	if len(value) >= shortSecret && value != redacted {
		s.secrets[value] = true
	}
}

// interaction scrubs one exchange, before it is saved.
func (s *scrubber) interaction(i *cassette.Interaction) error {
	s.cookies(i.Request.Headers)
	if _, token, found := strings.Cut(i.Request.Headers.Get("Authorization"), " "); found {
		s.secret(token)
	}
	i.Request.Headers, i.Request.Form = http.Header{}, nil
	i.Request.Body = s.body(i.Request.Body)
	i.Response.Headers = s.responseHeaders(i.Response.Headers)
	i.Response.Body = s.body(i.Response.Body)
	i.Response.ContentLength, i.Response.Duration = int64(len(i.Response.Body)), 0
	i.Request.ContentLength, i.Request.Host, i.Request.RemoteAddr = int64(len(i.Request.Body)), "", ""
	i.Request.URL = s.address(i.Request.URL)
	return nil
}

// address scrubs the values of a query.
func (s *scrubber) address(text string) string {
	address, err := url.Parse(text)
	if err != nil {
		return redacted
	}
	query := address.Query()
	s.form(query)
	address.RawQuery = query.Encode()
	return address.String()
}

func (s *scrubber) form(form url.Values) {
	for name, values := range form {
		if secretField.MatchString(name) {
			for n, value := range values {
				s.secret(value)
				values[n] = redacted
			}
		}
	}
}

func (s *scrubber) cookies(header http.Header) {
	for _, cookie := range (&http.Request{Header: header}).Cookies() {
		s.secret(cookie.Value)
	}
}

// responseHeaders keeps what drivers read, and of a cookie its name.
func (s *scrubber) responseHeaders(header http.Header) http.Header {
	kept := http.Header{}
	for _, name := range keptHeaders {
		if values := header.Values(name); len(values) > 0 {
			kept[name] = values
		}
	}
	for _, cookie := range (&http.Response{Header: header}).Cookies() {
		s.secret(cookie.Value)
		kept.Add("Set-Cookie", (&http.Cookie{Name: cookie.Name, Value: redacted, Path: cookie.Path}).String())
	}
	return kept
}

// body scrubs JSON and forms by the names of their fields; anything else stays, but for the secrets that are known.
func (s *scrubber) body(body string) string {
	var value any
	decoder := json.NewDecoder(strings.NewReader(body))
	decoder.UseNumber()
	if decoder.Decode(&value) == nil && !decoder.More() {
		text, err := json.Marshal(s.value(value))
		if err == nil {
			return string(text)
		}
	}
	if form, err := url.ParseQuery(body); err == nil && strings.Contains(body, "=") && !strings.ContainsAny(body, " <{") {
		s.form(form)
		return form.Encode()
	}
	return body
}

func (s *scrubber) value(value any) any {
	switch v := value.(type) {
	case map[string]any:
		for name, inner := range v {
			if text, ok := inner.(string); ok && text != "" && secretField.MatchString(name) {
				s.secret(text)
				v[name] = redacted
			} else {
				v[name] = s.value(inner)
			}
		}
	case []any:
		for n, inner := range v {
			v[n] = s.value(inner)
		}
	}
	return value
}

// file takes the secrets that are known by now, and the words, out of a whole file; the longest first, since one may be
// part of another. It fails when a secret is still there in another form.
func (s *scrubber) file(content []byte) ([]byte, error) {
	text := string(content)
	longest := func(a, b string) int { return len(b) - len(a) }
	for _, secret := range slices.SortedFunc(maps.Keys(s.secrets), longest) {
		text = strings.ReplaceAll(text, secret, redacted)
	}
	for _, word := range slices.SortedFunc(maps.Keys(s.words), longest) {
		if word != "" {
			text = strings.NewReplacer(
				word, s.words[word], url.QueryEscape(word), url.QueryEscape(s.words[word]),
			).Replace(text)
		}
	}
	for secret := range s.secrets {
		quoted, _ := json.Marshal(secret)
		for _, form := range []string{
			secret, url.QueryEscape(secret), url.PathEscape(secret), strings.Trim(string(quoted), `"`),
			base64.StdEncoding.EncodeToString([]byte(secret)), base64.RawURLEncoding.EncodeToString([]byte(secret)),
		} {
			if strings.Contains(text, form) {
				return nil, fmt.Errorf("a credential is still in the recording: nothing was written")
			}
		}
	}
	return []byte(text), nil
}

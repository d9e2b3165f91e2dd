package drivertest

import (
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/usher-media/usher/internal/media"
)

// Decoded is what a driver made of a body.
type Decoded struct {
	Accounts  []media.Account
	Libraries []media.Library
	// Probes hold at least an identity.
	Probes []media.Probe
}

// Decoder is one of a driver's decoding functions. An error says that the body is not the server's form.
type Decoder func(body []byte) (Decoded, error)

// FuzzDecode gives a driver's decoders anything (R2, R4): they never panic; what they accept has all that decisions are
// made of (an id, a name, a role, an access whose libraries are named); and the text of an error holds nothing of the
// body. The seeds are answers of the server: recorded ones, or those of its contract. Each is also tried cut short at
// every length, and with every field missing, null or of another type, so that `go test` alone, which runs the seeds,
// is a test.
func FuzzDecode(f *testing.F, decoders map[string]Decoder, seeds ...string) {
	const deep = 20_000 // more than encoding/json follows
	for _, seed := range append(seeds,
		"", "null", "[]", "{}", `"text"`, "0", "[null]", `{"items":[null],"data":[null]}`, "\xff\xfe", `{"error":"`+canary+`"}`,
		strings.Repeat("[", deep), strings.Repeat(`{"a":`, deep), `{"id":1e999}`, `{"id":"a","id":"b"}`, "<html>"+canary,
	) {
		f.Add([]byte(seed))
		for _, variant := range variants(seed) {
			f.Add([]byte(variant))
		}
	}
	f.Fuzz(func(t *testing.T, body []byte) {
		for name, decode := range decoders {
			decoded, err := decode(body)
			if err == nil {
				if err := decoded.check(); err != nil {
					t.Errorf("%s accepts %.200q: %v", name, body, err)
				}
				continue
			}
			if failed, ok := errors.AsType[*media.Error](err); ok && strings.Contains(failed.Error(), canary) {
				t.Errorf("%s: an error shows the body: %v", name, err)
			}
		}
	})
}

// check fails for what no decision may be made of.
func (d Decoded) check() error {
	for _, a := range d.Accounts {
		if a.ID == "" || a.Username == "" || a.Role == "" || a.Access.Libraries == nil {
			return fmt.Errorf("account %+v", a)
		}
		for id, role := range a.Access.Libraries {
			if id == "" || role == "" {
				return fmt.Errorf("account %+v", a)
			}
		}
	}
	for _, l := range d.Libraries {
		if l.ID == "" || l.Name == "" {
			return fmt.Errorf("library %+v", l)
		}
	}
	for _, p := range d.Probes {
		if p.Identity == "" {
			return errors.New("a probe without an identity")
		}
	}
	return nil
}

// variants of a seed: cut short, and with each field spoiled in turn.
func variants(seed string) []string {
	var all []string
	for n := 1; n < len(seed) && n < 400; n += 7 {
		all = append(all, seed[:n])
	}
	var value any
	if json.Unmarshal([]byte(seed), &value) != nil {
		return all
	}
	spoil(value, func() {
		if text, err := json.Marshal(value); err == nil {
			all = append(all, string(text))
		}
	})
	return all
}

// spoil takes each field of a value away and makes it null, a number, a text and a list in turn, and tells of each.
func spoil(value any, tell func()) {
	switch v := value.(type) {
	case map[string]any:
		for name, inner := range v {
			delete(v, name)
			tell()
			for _, other := range []any{nil, 7.5, canary, []any{}, ""} {
				v[name] = other
				tell()
			}
			v[name] = inner
			spoil(inner, tell)
		}
	case []any:
		for _, inner := range v {
			spoil(inner, tell)
		}
	}
}

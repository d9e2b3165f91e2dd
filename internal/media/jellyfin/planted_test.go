package jellyfin_test

import (
	"bytes"
	"encoding/json"
	"io"
	"net/http"
	"strings"
	"testing"

	"github.com/usher-media/usher/internal/media"
	"github.com/usher-media/usher/internal/media/jellyfin/jellyfintest"
)

// planting spoils the policies that are written, as other tools have written them.
type planting struct {
	next  http.RoundTripper
	spoil func(policy map[string]any)
}

// RoundTrip implements http.RoundTripper.
func (p planting) RoundTrip(request *http.Request) (*http.Response, error) {
	if request.Method != http.MethodPost || !strings.HasSuffix(request.URL.Path, "/Policy") {
		return p.next.RoundTrip(request)
	}
	var policy map[string]any
	if err := json.NewDecoder(request.Body).Decode(&policy); err != nil {
		return nil, err
	}
	p.spoil(policy)
	body, err := json.Marshal(policy)
	if err != nil {
		return nil, err
	}
	other := request.Clone(request.Context())
	other.Body, other.ContentLength = io.NopCloser(bytes.NewReader(body)), int64(len(body))
	return p.next.RoundTrip(other)
}

// TestPlantedBugs: what opened everything with other tools is never taken for done here, and a new account that came out so is gone
// again: a partial policy, an empty set that means all, a set that is ignored beside "all", and a policy that enables again.
func TestPlantedBugs(t *testing.T) {
	for name, spoil := range map[string]func(policy map[string]any){
		"partial policy": func(policy map[string]any) {
			for field := range policy {
				if field != "EnabledFolders" && !strings.HasSuffix(field, "ProviderId") {
					delete(policy, field)
				}
			}
		},
		"empty set": func(policy map[string]any) {
			if folders, _ := policy["EnabledFolders"].([]any); len(folders) == 0 {
				policy["EnableAllFolders"] = true
			}
		},
		"all besides": func(policy map[string]any) { policy["EnableAllFolders"] = true },
		"enabled":     func(policy map[string]any) { policy["IsDisabled"], policy["EnableAllFolders"] = false, true },
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t, jellyfintest.Options{}, "Alpha", "Beta")
			account := w.person("mia", "Alpha")
			planted := w.open(func(next http.RoundTripper) http.RoundTripper { return planting{next, spoil} })
			_, err := planted.SetAccess(w.ctx(), account, w.access())
			w.wantCode(err, media.Ambiguous)
			want := w.wanted("ben")
			want.Disabled = true
			_, err = planted.CreateAccount(w.ctx(), want)
			w.wantCode(err, media.Ambiguous)
			if people := w.fake.People(); len(people) != 2 {
				t.Errorf("the accounts are %v", people)
			}
		})
	}
}

// What a restart of the server, or its scans, change of what people see is nothing.
func TestRestartsAndScansChangeNothing(t *testing.T) {
	for _, version := range jellyfintest.Versions() {
		w := newWorld(t, jellyfintest.Options{Version: version}, "Alpha", "Beta")
		w.person("mia", "Alpha")
		w.person("tom")
		w.fake.Restart()
		w.fake.Scan()
		accounts := w.look()
		if !accounts["mia"].Access.Equal(w.access("Alpha")) || !accounts["tom"].Access.Equal(w.access()) {
			t.Errorf("%s: listed %+v", version, accounts)
		}
		w.wantSees("mia", "Alpha")
		w.wantSees("tom")
	}
}

// TestFieldsGoBackAsTheyCame: of what is posted, every field but the few that this driver writes is what the server had sent, byte for
// byte, also one that no version known here has.
func TestFieldsGoBackAsTheyCame(t *testing.T) {
	w := newWorld(t, jellyfintest.Options{}, "Alpha", "Beta")
	account := w.person("mia", "Alpha")
	var sent, posted map[string]json.RawMessage
	driver := w.open(func(next http.RoundTripper) http.RoundTripper {
		return exchanging(func(request *http.Request) (*http.Response, error) {
			if strings.HasSuffix(request.URL.Path, "/Policy") {
				if err := json.NewDecoder(request.Body).Decode(&posted); err != nil {
					return nil, err
				}
				return nil, errDead
			}
			response, err := next.RoundTrip(request)
			if err != nil || !strings.HasSuffix(request.URL.Path, string(account.ID)) {
				return response, err
			}
			var u map[string]json.RawMessage
			if err := json.NewDecoder(response.Body).Decode(&u); err != nil {
				return nil, err
			}
			if err := json.Unmarshal(u["Policy"], &sent); err != nil {
				return nil, err
			}
			sent["Unknown"] = json.RawMessage(`{"big":9007199254740993,"exact":1.10,"e":1E+3,"none":null,"text":"Zo\u00eb"}`)
			if u["Policy"], err = json.Marshal(sent); err != nil {
				return nil, err
			}
			body, err := json.Marshal(u)
			response.Body, response.ContentLength = io.NopCloser(bytes.NewReader(body)), int64(len(body))
			return response, err
		})
	})
	_, err := driver.SetAccess(w.ctx(), account, w.access("Alpha", "Beta"))
	w.wantCode(err, media.Unavailable)
	if len(posted) < 30 || string(posted["EnableAllFolders"]) != "false" {
		t.Fatalf("posted %s", posted)
	}
	for field, value := range sent {
		if field != "EnabledFolders" && string(posted[field]) != string(value) {
			t.Errorf("%s was %s, and is posted as %s", field, value, posted[field])
		}
	}
}

type exchanging func(*http.Request) (*http.Response, error)

// RoundTrip implements http.RoundTripper.
func (e exchanging) RoundTrip(request *http.Request) (*http.Response, error) { return e(request) }

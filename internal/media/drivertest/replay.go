package drivertest

import (
	"encoding/json"
	"maps"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"gopkg.in/dnaeon/go-vcr.v4/pkg/cassette"
	"gopkg.in/dnaeon/go-vcr.v4/pkg/recorder"

	"github.com/usher-media/usher/internal/media"
)

// Replay feeds every recording of a directory to a driver: it makes the calls that were made then, and must make of the
// answers what it made of them then, with no request more or less.
func Replay(t *testing.T, open media.Open, directory string) {
	sheets, err := filepath.Glob(filepath.Join(directory, "*.json"))
	if err != nil || len(sheets) == 0 {
		t.Fatalf("there is no recording in %s (%v)", directory, err)
	}
	for _, sheet := range sheets {
		t.Run(strings.TrimSuffix(filepath.Base(sheet), ".json"), func(t *testing.T) { replay(t, open, sheet) })
	}
}

func replay(t *testing.T, open media.Open, sheet string) {
	recording := readRecording(t, sheet)
	name := strings.TrimSuffix(sheet, ".json")
	tape, err := cassette.Load(name)
	mustRecord(t, err)
	var requests atomic.Int64
	driver, err := open(media.Config{Allowed: media.Loopback(),
		URL: recordedURL, Credentials: recording.credentials(),
		Transport: func(http.RoundTripper) http.RoundTripper {
			player, err := recorder.New(name, recorder.WithMode(recorder.ModeReplayOnly), recorder.WithMatcher(sameRequest),
				recorder.WithSkipRequestLatency(true))
			mustRecord(t, err)
			return roundTripper(func(request *http.Request) (*http.Response, error) {
				requests.Add(1)
				return player.RoundTrip(request)
			})
		},
	})
	mustRecord(t, err)
	defer func() { _ = driver.Close() }()
	s := &script{t: t, ctx: recordTime(t), driver: driver, prefix: recording.Prefix,
		path: func(name string) string { return "/media/" + name }}
	s.run()
	for i, want := range recording.Steps {
		if i >= len(s.steps) {
			t.Fatalf("%d calls, %d were recorded", len(s.steps), len(recording.Steps))
		}
		if got := s.steps[i]; got.Call != want.Call || got.Class != want.Class || !sameJSON(got.Result, want.Result) {
			t.Errorf("call %d:\ngot  %s %s %s\nwant %s %s %s", i+1, got.Call, got.Class, got.Result, want.Call, want.Class, want.Result)
		}
	}
	if n := int(requests.Load()); n != len(tape.Interactions) || len(s.steps) != len(recording.Steps) {
		t.Errorf("%d requests for %d calls, recorded were %d for %d", n, len(s.steps), len(tape.Interactions), len(recording.Steps))
	}
}

func readRecording(t *testing.T, sheet string) Recording {
	t.Helper()
	content, err := os.ReadFile(sheet)
	mustRecord(t, err)
	var recording Recording
	mustRecord(t, json.Unmarshal(content, &recording))
	if _, err := time.Parse(time.DateOnly, recording.Date); err != nil || recording.Server == "" || recording.Version == "" ||
		recording.Source != FromServer && recording.Source != ByHand {
		t.Fatalf("a recording says its server, version, date and source (%q or %q): %+v", FromServer, ByHand, recording)
	}
	return recording
}

// credentials are ones of the same kind as were used.
func (r Recording) credentials() media.Credentials {
	var c media.Credentials
	for name, field := range map[string]*string{"username": &c.Username, "email": &c.Email, "password": &c.Password, "token": &c.Token} {
		if slices.Contains(r.Login, name) {
			*field = "recorded-" + name
		}
	}
	return c
}

// sameRequest matches by method, path and query: bodies hold passwords, and those were taken out.
func sameRequest(request *http.Request, recorded cassette.Request) bool {
	was, err := url.Parse(recorded.URL)
	return err == nil && request.Method == recorded.Method && request.URL.Path == was.Path &&
		request.URL.Query().Encode() == was.Query().Encode()
}

// sameJSON compares what was made of an answer; a field that one of the two does not have is as one with its zero value,
// so that a recording stays true when a driver learns to say more.
func sameJSON(a, b json.RawMessage) bool {
	if len(a) == 0 || len(b) == 0 {
		return len(a) == len(b)
	}
	var one, other any
	return json.Unmarshal(a, &one) == nil && json.Unmarshal(b, &other) == nil && reflect.DeepEqual(withoutZeros(one), withoutZeros(other))
}

// withoutZeros takes out of decoded JSON the fields that are zero, and returns it.
func withoutZeros(value any) any {
	switch v := value.(type) {
	case map[string]any:
		maps.DeleteFunc(v, func(_ string, field any) bool { return field == nil || field == false || field == "" || field == 0.0 })
		for _, field := range v {
			withoutZeros(field)
		}
	case []any:
		for _, item := range v {
			withoutZeros(item)
		}
	}
	return value
}

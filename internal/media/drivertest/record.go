package drivertest

import (
	"cmp"
	"context"
	"crypto/rand"
	"encoding/hex"
	"encoding/json"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"gopkg.in/dnaeon/go-vcr.v4/pkg/recorder"

	"github.com/usher-media/usher/internal/media"
)

// Where the answers of a Recording come from.
const (
	FromServer = "recorded from a real server"
	ByHand     = "written by hand"
)

// Recording is what one server answered, at one time, to the calls of a script: the answers are in a cassette of the
// same name (.yaml), and here is what the driver made of them.
type Recording struct {
	// Server is the type, Version what it says of itself or is known to be, Date (as 2026-12-24) when it was asked.
	Server  string `json:"server"`
	Version string `json:"version"`
	Date    string `json:"date"`
	// Source is FromServer or ByHand.
	Source string `json:"source"`
	// Login says which credentials the driver was given: username, email, password, token.
	Login []string `json:"login"`
	// Prefix of the names that the script made.
	Prefix string `json:"prefix"`
	Steps  []Step `json:"steps"`
}

// Recorder says what to record.
type Recorder struct {
	// Server is the type, in small letters: the beginning of the files' names.
	Server string
	// Version is the server's, where it does not say it itself; empty elsewhere.
	Version string
	Open    media.Open
	Config  media.Config
	// Path returns a folder for a library of that name.
	Path func(name string) string
	// Directory that the files are written to.
	Directory string
	// Scrub names words to be replaced, such as directories of the machine.
	Scrub map[string]string
}

// Record runs the script on a server and writes what it answered, without secrets, to two files, whose names it
// returns. The server must be a scratch one: with nobody on it but Usher's account and the owner, and no library. Other
// people's names do not belong into a recording.
func Record(t testing.TB, r Recorder) []string {
	t.Helper()
	cassette := filepath.Join(t.TempDir(), "cassette")
	scrub := newScrubber(r.Scrub, r.Config.Credentials.Password, r.Config.Credentials.Token, r.Config.DatabaseURL)
	scrub.words[strings.TrimRight(r.Config.URL, "/")] = recordedURL
	var tape *recorder.Recorder
	config := r.Config
	config.Transport = func(next http.RoundTripper) http.RoundTripper {
		made, err := recorder.New(cassette, recorder.WithMode(recorder.ModeRecordOnly), recorder.WithRealTransport(next),
			recorder.WithHook(scrub.interaction, recorder.BeforeSaveHook), recorder.WithSkipRequestLatency(true))
		mustRecord(t, err)
		tape = made
		return made
	}
	driver, err := r.Open(config)
	mustRecord(t, err)
	defer func() { _ = driver.Close() }()
	refuseUsed(t, r)
	random := make([]byte, 4)
	_, _ = rand.Read(random) // never fails
	s := &script{t: t, ctx: recordTime(t), driver: driver, prefix: "us" + hex.EncodeToString(random), path: r.Path}
	s.run()
	if tape == nil {
		t.Fatal("the driver made no HTTP transport: there is nothing to record")
	}
	mustRecord(t, tape.Stop())
	var probe media.Probe
	mustRecord(t, json.Unmarshal(s.steps[0].Result, &probe))
	return r.save(t, scrub, cassette+".yaml", Recording{
		Server: r.Server, Version: cmp.Or(r.Version, probe.Version), Date: time.Now().UTC().Format(time.DateOnly), Source: FromServer,
		Login: login(config.Credentials), Prefix: s.prefix, Steps: s.steps,
	})
}

func recordTime(t testing.TB) context.Context {
	ctx, cancel := context.WithTimeout(context.Background(), 2*time.Minute)
	t.Cleanup(cancel)
	return ctx
}

func mustRecord(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// refuseUsed fails unless the server is a scratch one. It asks by a driver of its own, which is not recorded.
func refuseUsed(t testing.TB, r Recorder) {
	t.Helper()
	driver, err := r.Open(r.Config)
	mustRecord(t, err)
	defer func() { _ = driver.Close() }()
	probe, err := driver.Probe(recordTime(t))
	mustRecord(t, err)
	listing, err := driver.List(recordTime(t))
	mustRecord(t, err)
	for _, account := range listing.Accounts {
		if account.ID != probe.Self && account.Role != media.RoleOwner {
			t.Fatal("the server has people: record on a scratch server, whose answers name nobody")
		}
	}
	for _, library := range listing.Libraries {
		if !library.Personal {
			t.Fatal("the server has libraries: record on a scratch server")
		}
	}
}

func login(c media.Credentials) []string {
	var fields []string
	for name, value := range map[string]string{"username": c.Username, "email": c.Email, "password": c.Password, "token": c.Token} {
		if value != "" {
			fields = append(fields, name)
		}
	}
	return fields
}

// save writes both files once both are found to hold no secret.
func (r Recorder) save(t testing.TB, scrub *scrubber, cassette string, recording Recording) []string {
	t.Helper()
	tape, err := os.ReadFile(cassette)
	mustRecord(t, err)
	sheet, err := json.MarshalIndent(recording, "", "  ")
	mustRecord(t, err)
	base := filepath.Join(r.Directory, r.Server+"-"+fileName.Replace(recording.Version))
	contents := map[string][]byte{base + ".yaml": tape, base + ".json": append(sheet, '\n')}
	for name, content := range contents {
		contents[name], err = scrub.file(content)
		mustRecord(t, err)
	}
	mustRecord(t, os.MkdirAll(r.Directory, 0o755))
	var names []string
	for name, content := range contents {
		mustRecord(t, os.WriteFile(name, content, 0o644))
		names = append(names, name)
	}
	return names
}

// fileName makes a version a part of a file's name.
var fileName = strings.NewReplacer("/", "-", " ", "-", ":", "-", "+", "-")

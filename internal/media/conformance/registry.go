package conformance

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"

	"github.com/usher-media/usher/internal/media"
	"github.com/usher-media/usher/internal/media/drivertest"
)

// Settings say which server to test and how to get in.
type Settings struct {
	// Driver is the name that a driver registered, in small letters.
	Driver string
	// Config holds URL, credentials and database.
	Config media.Config
	// MediaRoot is a folder on the server below which libraries may lie.
	MediaRoot string
	// Record is the directory for a recording of the server's answers; empty records nothing.
	Record string
	// Version is the server's, for a recording of one that does not say it.
	Version string
	// Only names the rules to test; none means all.
	Only []string
}

// Live is what a driver brings to be tested on a running server.
type Live struct {
	// Open makes the driver.
	Open media.Open
	// Harness makes the harness: everything that an in-process one has but StartEmpty. Its Start connects to the server
	// of the settings and may fail the test. Fill is not used, Hand may be nil.
	Harness func(Settings) drivertest.Harness
	// Path is the folder of a library of that name on the server, for a recording.
	Path func(t testing.TB, settings Settings, name string) string
}

var drivers = map[string]Live{}

// register adds a driver under its name, in small letters.
func register(name string, live Live) { drivers[name] = live }

// Environment variables that hold the settings. They are not flags, since those show in the list of processes.
const (
	envDriver    = "USHER_DRIVER"
	envURL       = "USHER_URL"
	envUsername  = "USHER_USERNAME"
	envPassword  = "USHER_PASSWORD"
	envEmail     = "USHER_EMAIL"
	envToken     = "USHER_TOKEN"
	envDatabase  = "USHER_DATABASE_URL"
	envMediaRoot = "USHER_MEDIA_ROOT"
	envInsecure  = "USHER_INSECURE_SKIP_VERIFY"
	envRecord    = "USHER_RECORD"
	envVersion   = "USHER_SERVER_VERSION"
	envOnly      = "USHER_ONLY"
)

// settingsFrom reads the environment. It says what is missing and how to give it.
func settingsFrom(getenv func(string) string) (Settings, error) {
	s := Settings{
		Driver: strings.ToLower(getenv(envDriver)), MediaRoot: getenv(envMediaRoot), Record: getenv(envRecord),
		Version: getenv(envVersion),
		Config: media.Config{Allowed: media.Loopback(),
			URL: strings.TrimRight(getenv(envURL), "/"), DatabaseURL: getenv(envDatabase),
			InsecureSkipVerify: getenv(envInsecure) == "1",
			Credentials: media.Credentials{
				Username: getenv(envUsername), Password: getenv(envPassword), Email: getenv(envEmail), Token: getenv(envToken),
			},
		},
	}
	s.Only = strings.FieldsFunc(getenv(envOnly), func(r rune) bool { return r == ',' || r == ' ' })
	known := strings.Join(slices.Sorted(maps.Keys(drivers)), ", ")
	switch _, there := drivers[s.Driver]; {
	case s.Config.URL == "":
		return s, fmt.Errorf("there is no server to test: make conformance DRIVER=embedded URL=http://127.0.0.1:3000")
	case !there:
		return s, fmt.Errorf("there is no live harness for the driver %q: there is %s", s.Driver, known)
	case s.Config.Credentials == media.Credentials{}:
		return s, fmt.Errorf("there are no credentials: set %s and %s, or %s, as the driver's page says", envUsername, envPassword, envToken)
	}
	return s, nil
}

package conformance

import (
	"fmt"
	"os"
	"testing"

	"github.com/usher-media/usher/internal/media/drivertest"
)

// TestLive tests the server that the environment names: `make conformance`. Without one, TestAUsedServer is what says
// that this works.
func TestLive(t *testing.T) {
	settings, err := settingsFrom(os.Getenv)
	switch {
	case err != nil && settings.Config.URL == "":
		t.Skip(err)
	case err != nil:
		t.Fatal(err)
	}
	if settings.Record != "" {
		for _, name := range record(t, settings) {
			_, _ = fmt.Fprintln(os.Stdout, "recorded", name)
		}
		return
	}
	results := run(t, settings)
	results.write(os.Stdout)
}

// run runs the suite on a live server.
func run(t *testing.T, settings Settings) *table {
	results := &table{}
	h := drivers[settings.Driver].Harness(settings)
	h.Live, h.Report, h.Only = true, results.add, settings.Only
	// One at a time: the server has other things to do.
	h.Parallel = false
	drivertest.Run(t, h)
	return results
}

func record(t *testing.T, settings Settings) []string {
	live := drivers[settings.Driver]
	return drivertest.Record(t, drivertest.Recorder{
		Server: settings.Driver, Version: settings.Version, Open: live.Open, Config: settings.Config, Directory: settings.Record,
		Path: func(name string) string { return live.Path(t, settings, name) }, Scrub: map[string]string{settings.MediaRoot: "/media"},
	})
}

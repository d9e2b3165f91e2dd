package conformance

import (
	"testing"

	"github.com/usher-media/usher/internal/media"
	"github.com/usher-media/usher/internal/media/drivertest"
	"github.com/usher-media/usher/internal/media/jellyfin/jellyfintest"
)

// The suite on a Jellyfin that others use, with an API key and with a password: what was there stays as it was, and nothing is left.
func TestAUsedJellyfin(t *testing.T) {
	for name, byKey := range map[string]bool{"key": true, "password": false} {
		t.Run(name, func(t *testing.T) {
			fake, key := jellyfintest.StartReady(t, jellyfintest.Options{})
			settings := Settings{Driver: "jellyfin", MediaRoot: t.TempDir(), Config: media.Config{Allowed: media.Loopback(), URL: fake.URL}}
			if settings.Config.Credentials.Token = key; !byKey {
				settings.Config.Credentials = media.Credentials{Username: jellyfintest.Owner, Password: jellyfintest.OwnerPassword}
			}
			fake.AddLibrary("Movies", "movies", t.TempDir())
			fake.AddAccount("mia", "a password of mia's")
			before := listing(t, settings)
			settings.Only = []string{"R5", "R6", "R7", "R9", "R11", "accounts", "libraries"}
			results := run(t, settings)
			if after := listing(t, settings); after != before {
				t.Errorf("the suite changed what was there:\n%s\n%s", before, after)
			}
			for _, r := range results.results {
				if r.Outcome == drivertest.Failed || r.Outcome == drivertest.LeftBehind {
					t.Errorf("%+v", r)
				}
			}
		})
	}
}

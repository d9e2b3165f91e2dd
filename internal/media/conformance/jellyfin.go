package conformance

import (
	"context"
	"testing"
	"time"

	"github.com/usher-media/usher/internal/media/drivertest"
	"github.com/usher-media/usher/internal/media/embedded/embeddedtest"
	"github.com/usher-media/usher/internal/media/jellyfin"
	"github.com/usher-media/usher/internal/media/jellyfin/jellyfintest"
	"github.com/usher-media/usher/internal/media/jellyfin/suite"
)

func init() {
	register("jellyfin", Live{Open: jellyfin.Open, Harness: jellyfinHarness, Path: jellyfinPath})
}

// jellyfinHarness has the hand of the key, or of one administrator who signs in once. Accounts and libraries can be deleted, so that
// nothing stays behind.
func jellyfinHarness(s Settings) drivertest.Harness {
	h := jellyfintest.Harness(jellyfin.Open, jellyfintest.Options{})
	h.StartEmpty = nil
	var visitor *jellyfintest.Visitor
	keeper := func(ctx context.Context, url string) (_ *jellyfintest.Visitor, err error) {
		c := s.Config.Credentials
		if visitor == nil && c.Token != "" {
			visitor = &jellyfintest.Visitor{URL: url, Token: c.Token}
		}
		if visitor == nil {
			visitor, err = jellyfintest.EnterOn(ctx, url, "usher-conformance", c.Username, c.Password)
		}
		return visitor, err
	}
	h.Start = func(t testing.TB) drivertest.Server {
		if s.MediaRoot == "" {
			t.Fatalf("set %s to an empty folder that the server sees", envMediaRoot)
		}
		ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
		defer cancel()
		as, err := keeper(ctx, s.Config.URL)
		if err != nil {
			t.Fatalf("signing in: %v", err)
		}
		server := jellyfintest.Running(t, jellyfin.Open, as, func(name string) string { return jellyfinPath(t, s, name) })
		server.Config = s.Config
		return server
	}
	return suite.Promises(h, keeper)
}

func jellyfinPath(t testing.TB, s Settings, name string) string {
	return embeddedtest.Directory(t, s.MediaRoot, name)
}

package conformance

import (
	"context"
	"testing"
	"time"

	"github.com/usher-media/usher/internal/media/drivertest"
	"github.com/usher-media/usher/internal/media/embedded/embeddedtest"
	"github.com/usher-media/usher/internal/media/shisho"
	"github.com/usher-media/usher/internal/media/shisho/shishotest"
)

func init() {
	register("shisho", Live{Open: shisho.Open, Harness: shishoHarness, Path: shishoPath})
}

// shishoHarness has the hand of one administrator, who signs in once: sessions last for days. Accounts stay behind,
// deactivated, and so does the placeholder library that they were granted: without it they would be shown every list
// once somebody enabled them.
func shishoHarness(s Settings) drivertest.Harness {
	h := shishotest.Harness()
	h.StartEmpty = nil
	var keeper *shishotest.Visitor
	h.Start = func(t testing.TB) drivertest.Server {
		if s.MediaRoot == "" {
			t.Fatalf("set %s to an empty folder that the server sees", envMediaRoot)
		}
		if keeper == nil {
			ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
			defer cancel()
			c := s.Config.Credentials
			visitor, err := shishotest.Enter(ctx, s.Config.URL, c.Username, c.Password)
			if err != nil {
				t.Fatalf("signing in: %v", err)
			}
			keeper = visitor
		}
		server := shishotest.Running(t, keeper, func(name string) string { return shishoPath(t, s, name) })
		server.Config = s.Config
		return server
	}
	return h
}

func shishoPath(t testing.TB, s Settings, name string) string {
	return embeddedtest.Directory(t, s.MediaRoot, name)
}

package conformance

import (
	"context"
	"testing"
	"time"

	"github.com/usher-media/usher/internal/media/audiobookshelf"
	"github.com/usher-media/usher/internal/media/audiobookshelf/audiobookshelftest"
	"github.com/usher-media/usher/internal/media/drivertest"
	"github.com/usher-media/usher/internal/media/embedded/embeddedtest"
)

func init() {
	register("audiobookshelf", Live{Open: audiobookshelf.Open, Harness: audiobookshelfHarness, Path: audiobookshelfPath})
}

// audiobookshelfHarness has the hand of one administrator: with an API key, or with a password, by which each case signs in,
// since an access token lasts an hour. Server and test must see the media root by the same path. The server's limit of
// sign-ins must be off.
func audiobookshelfHarness(s Settings) drivertest.Harness {
	h := audiobookshelftest.Harness()
	h.StartEmpty = nil
	h.Start = func(t testing.TB) drivertest.Server {
		if s.MediaRoot == "" {
			t.Fatalf("set %s to an empty folder that the server sees", envMediaRoot)
		}
		keeper := &audiobookshelftest.Visitor{URL: s.Config.URL, Token: s.Config.Credentials.Token}
		if keeper.Token == "" {
			ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
			defer cancel()
			var err error
			c := s.Config.Credentials
			if keeper, err = audiobookshelftest.Enter(ctx, s.Config.URL, c.Username, c.Password); err != nil {
				t.Fatalf("signing in: %v", err)
			}
		}
		server := audiobookshelftest.Running(t, keeper, func(name string) string { return audiobookshelfPath(t, s, name) })
		server.Config = s.Config
		return server
	}
	return h
}

func audiobookshelfPath(t testing.TB, s Settings, name string) string {
	return embeddedtest.Directory(t, s.MediaRoot, name)
}

package conformance

import (
	"context"
	"testing"
	"time"

	"github.com/usher-media/usher/internal/media"
	"github.com/usher-media/usher/internal/media/drivertest"
	"github.com/usher-media/usher/internal/media/embedded"
	"github.com/usher-media/usher/internal/media/embedded/embeddedtest"
)

func init() {
	register("embedded", Live{
		Open: embedded.Open, Harness: embeddedHarness,
		Path: func(t testing.TB, s Settings, name string) string {
			return embeddedtest.Directory(t, s.MediaRoot, name)
		},
	})
}

// embeddedHarness signs in once and has all drivers use that session: the server limits how often one account signs in.
func embeddedHarness(s Settings) drivertest.Harness {
	h := embeddedtest.Harness()
	token := s.Config.Credentials.Token
	h.Start = func(t testing.TB) drivertest.Server {
		if token == "" {
			ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
			defer cancel()
			c := s.Config.Credentials
			made, err := embeddedtest.Server{URL: s.Config.URL}.Token(ctx, c.Username, c.Password)
			if err != nil {
				t.Fatalf("signing in: %v", err)
			}
			token = made
		}
		if s.MediaRoot == "" {
			t.Fatalf("set %s to a folder below one of the server's media roots", envMediaRoot)
		}
		config := s.Config
		config.Credentials = media.Credentials{Token: token}
		return embeddedtest.Serve(t, config, s.MediaRoot, token)
	}
	return h
}

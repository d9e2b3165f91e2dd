package jellyfin_test

import (
	"context"
	"testing"

	"go.uber.org/goleak"

	"github.com/usher-media/usher/internal/media/drivertest"
	"github.com/usher-media/usher/internal/media/jellyfin"
	"github.com/usher-media/usher/internal/media/jellyfin/jellyfintest"
	"github.com/usher-media/usher/internal/media/jellyfin/suite"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func keeper(ctx context.Context, url string) (*jellyfintest.Visitor, error) {
	return jellyfintest.EnterOn(ctx, url, "memory", jellyfintest.Owner, jellyfintest.OwnerPassword)
}

// TestConformance runs everything against each release.
func TestConformance(t *testing.T) {
	for _, version := range jellyfintest.Versions() {
		t.Run(string(version), func(t *testing.T) {
			drivertest.Run(t, suite.Promises(jellyfintest.Harness(jellyfin.Open, jellyfintest.Options{Version: version}), keeper))
		})
	}
}

// TestConformanceByKey runs what depends on who Usher is with an API key, which has no account.
func TestConformanceByKey(t *testing.T) {
	for _, version := range jellyfintest.Versions() {
		t.Run(string(version), func(t *testing.T) {
			h := suite.Promises(jellyfintest.HarnessByKey(jellyfin.Open, jellyfintest.Options{Version: version}), keeper)
			h.Only = []string{
				"R1", "R4", "R5", "R6", "R7", "R8", "R9", "R10", "R11", "R12", "accounts", "passwords", "libraries",
				"matrix/Probe", "matrix/Account", "matrix/DeleteLibrary",
			}
			drivertest.Run(t, h)
		})
	}
}

// Where a rename takes the server a while, the driver waits until the library has its id.
func TestConformanceSlow(t *testing.T) {
	h := suite.Promises(jellyfintest.Harness(jellyfin.Open, jellyfintest.Options{SlowReads: 1}), keeper)
	h.Only = []string{"R8", "libraries", "matrix/UpdateLibrary"}
	drivertest.Run(t, h)
}

func BenchmarkDriver(b *testing.B) {
	drivertest.Benchmark(b, suite.Promises(jellyfintest.Harness(jellyfin.Open, jellyfintest.Options{}), keeper))
}

package shisho_test

import (
	"os"
	"strings"
	"testing"

	"go.uber.org/goleak"

	"github.com/usher-media/usher/internal/media/drivertest"
	"github.com/usher-media/usher/internal/media/shisho/shishotest"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func TestConformance(t *testing.T) { drivertest.Run(t, shishotest.Harness()) }

// TestConformanceLive runs against the real servers that USHER_SHISHO_URL names: two, separated by a space, each with
// ENVIRONMENT=test. They are emptied.
func TestConformanceLive(t *testing.T) {
	urls := strings.Fields(os.Getenv("USHER_SHISHO_URL"))
	if len(urls) < 2 {
		t.Skip("USHER_SHISHO_URL does not name two real servers: TestConformance runs against the fake")
	}
	drivertest.Run(t, shishotest.Live(urls...))
}

func BenchmarkDriver(b *testing.B) { drivertest.Benchmark(b, shishotest.Harness()) }

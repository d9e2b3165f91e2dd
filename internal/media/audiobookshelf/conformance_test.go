package audiobookshelf_test

import (
	"testing"

	"go.uber.org/goleak"

	"github.com/usher-media/usher/internal/media/audiobookshelf/audiobookshelftest"
	"github.com/usher-media/usher/internal/media/drivertest"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func TestConformance(t *testing.T) { drivertest.Run(t, audiobookshelftest.Harness()) }

func BenchmarkDriver(b *testing.B) { drivertest.Benchmark(b, audiobookshelftest.Harness()) }

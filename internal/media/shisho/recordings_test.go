package shisho_test

import (
	"testing"

	"github.com/usher-media/usher/internal/media/drivertest"
	"github.com/usher-media/usher/internal/media/shisho"
)

// What real servers answered, of every version that was recorded, means to the driver what it meant then.
func TestRecordings(t *testing.T) { drivertest.Replay(t, shisho.Open, "testdata/recordings") }

package faults

import (
	"flag"
	"fmt"
	"os"
	"testing"
	"time"

	"github.com/usher-media/usher/internal/testenv"
)

// leaseDuration of the leader elections here.
const leaseDuration = 1500 * time.Millisecond

// full says whether everything is to be tried, and not the quick part.
func full() bool { return os.Getenv("USHER_FAULTS") == "full" }

func TestMain(m *testing.M) {
	flag.Parse()
	// The tests wait far more than they work.
	if err := flag.Set("test.parallel", "24"); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	testenv.Main(m)
}

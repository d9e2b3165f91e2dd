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

// pruneWait is how long a deletion waits here; it is shorter than what tells that everything is over.
const pruneWait = 300 * time.Millisecond

// full says whether everything is to be tried, and not the quick part.
func full() bool { return os.Getenv("USHER_FAULTS") == "full" }

func TestMain(m *testing.M) {
	flag.Parse()
	// The tests wait far more than they work.
	if err := flag.Set("test.parallel", "24"); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	if full() {
		go tell()
	}
	testenv.Main(summed{m})
}

// summed says at the end how much was tried.
type summed struct{ *testing.M }

func (s summed) Run() int {
	start := time.Now()
	code := s.M.Run()
	fmt.Printf("faults: %s in %s\n", tried(), time.Since(start).Round(time.Second))
	return code
}

// tell says every while how far it is.
func tell() {
	for range time.Tick(20 * time.Second) {
		fmt.Println("...", tried())
	}
}

func tried() string {
	return fmt.Sprintf("%d points of failure (%d at a write), %d bursts of %d random operations in all, %d moments looked at",
		covered.points.Load(), covered.struck.Load(), sequences.Load(), operations.Load(), covered.moments.Load())
}

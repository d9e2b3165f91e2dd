package drivertest

import (
	"fmt"
	"testing"

	"github.com/usher-media/usher/internal/media"
)

// Benchmark measures what a resync and a change of access cost.
func Benchmark(b *testing.B, h Harness) {
	b.Run("List", func(b *testing.B) { benchmarkList(b, h) })
	b.Run("SetAccess", func(b *testing.B) { benchmarkSetAccess(b, h) })
}

// benchmarkList lists 300 accounts of ten libraries each and 20 libraries.
func benchmarkList(b *testing.B, h Harness) {
	f := h.fixture(b, h.Start)
	ids := f.libraries(benchmarkNames(20)...)
	many(300, func(i int) {
		if _, err := f.driver.CreateAccount(f.ctx(), f.wanted(fmt.Sprintf("person%03d", i), access(ids[:10]...))); err != nil {
			b.Errorf("account %d: %v", i, err)
		}
	})
	before, _ := f.faults.count()
	b.ReportAllocs()
	b.ResetTimer()
	for range b.N {
		listing, err := f.driver.List(f.ctx())
		f.must(err)
		if len(listing.Accounts) != 301 {
			b.Fatalf("listed %d accounts", len(listing.Accounts))
		}
	}
	b.StopTimer()
	requests, _ := f.faults.count()
	b.ReportMetric(float64(requests-before)/float64(b.N), "requests/op")
}

// benchmarkSetAccess changes between two sets of 25 libraries.
func benchmarkSetAccess(b *testing.B, h Harness) {
	f := h.fixture(b, h.Start)
	ids := f.libraries(benchmarkNames(50)...)
	sets := []media.Access{access(ids[:25]...), access(ids[25:]...)}
	account := f.account("mia", sets[0])
	before := f.writes()
	b.ReportAllocs()
	b.ResetTimer()
	for i := range b.N {
		after, err := f.driver.SetAccess(f.ctx(), account, sets[(i+1)%2])
		f.must(err)
		account = after
	}
	b.StopTimer()
	b.ReportMetric(float64(f.writes()-before)/float64(b.N), "writes/op")
}

func benchmarkNames(n int) []string {
	names := make([]string, n)
	for i := range names {
		names[i] = fmt.Sprintf("Library %02d", i)
	}
	return names
}

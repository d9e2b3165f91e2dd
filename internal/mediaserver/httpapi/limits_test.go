package httpapi

import (
	"strconv"
	"testing"
	"time"
)

// A flood of invented names must not eat the memory.
func TestBucketsAreBounded(t *testing.T) {
	now := time.Date(2026, 6, 1, 12, 0, 0, 0, time.UTC)
	l := newLimiter(Limits{PerClient: 5, PerAccount: 5}, func() time.Time { return now })
	for i := range 3 * maxBuckets {
		if err := l.allow(strconv.Itoa(i), strconv.Itoa(i)); err != nil {
			t.Fatal(err)
		}
		if len(l.buckets) > maxBuckets {
			t.Fatalf("%d buckets", len(l.buckets))
		}
	}
}

func TestNoLimitKeepsNothing(t *testing.T) {
	l := newLimiter(Limits{}, time.Now)
	for range 1000 {
		if err := l.allow("client", "account"); err != nil {
			t.Fatal(err)
		}
	}
	if len(l.buckets) != 0 {
		t.Errorf("%d buckets", len(l.buckets))
	}
}

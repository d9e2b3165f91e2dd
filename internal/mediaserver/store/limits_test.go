package store

import (
	"fmt"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

// A bucket holds so many tries at once, and fills again within a minute, one by one.
func TestBucketsFillAgain(t *testing.T) {
	now := noon
	s, err := Open(t.Context(), Config{Location: newDatabase(t), Clock: func() time.Time { return now }})
	must(t, err)
	t.Cleanup(func() { _ = s.Close() })
	take := func(key string, want time.Duration) {
		t.Helper()
		wait, err := s.Take(t.Context(), key, 6)
		if must(t, err); wait != want {
			t.Errorf("%s at %v: wait %v, want %v", key, now.Sub(noon), wait, want)
		}
	}
	for range 6 {
		take("mia", 0)
	}
	take("mia", 10*time.Second)
	take("ben", 0)
	now = now.Add(4 * time.Second)
	take("mia", 6*time.Second)
	now = now.Add(6 * time.Second)
	take("mia", 0)
	take("mia", 10*time.Second)
	now = now.Add(time.Hour)
	for range 6 {
		take("mia", 0)
	}
	take("mia", 10*time.Second)
}

// Tries that race do not pass together.
func TestRacingTriesPassOnce(t *testing.T) {
	s := open(t)
	var passed atomic.Int32
	var wait sync.WaitGroup
	for range 30 {
		wait.Go(func() {
			if delay, err := s.Take(t.Context(), "mia", 5); err != nil {
				t.Error(err)
			} else if delay == 0 {
				passed.Add(1)
			}
		})
	}
	wait.Wait()
	if passed.Load() != 5 {
		t.Errorf("%d tries passed", passed.Load())
	}
}

// A flood of invented names must not fill the database for ever, and no name is stored as it is.
func TestFullBucketsAreForgotten(t *testing.T) {
	now := noon
	s, err := Open(t.Context(), Config{Location: newDatabase(t), Clock: func() time.Time { return now }})
	must(t, err)
	t.Cleanup(func() { _ = s.Close() })
	const flood = 1000
	for i := range flood {
		now = now.Add(time.Minute + time.Microsecond)
		_, err := s.Take(t.Context(), fmt.Sprint("name", i), 5)
		must(t, err)
	}
	left, err := s.read.NewSelect().Table("rate_limits").Count(t.Context())
	if must(t, err); left > flood/2 {
		t.Errorf("%d of %d buckets are left", left, flood)
	}
	named, err := s.read.NewSelect().Table("rate_limits").Where("key_hash LIKE ?", "%name%").Count(t.Context())
	if must(t, err); named > 0 {
		t.Error("a name is stored")
	}
}

package controller

import (
	"testing"
	"testing/synctest"
	"time"
)

// TestChangesAreGathered: a burst is followed once, when it is over; one that goes on is followed nevertheless.
func TestChangesAreGathered(t *testing.T) {
	for _, test := range []struct {
		name  string
		every time.Duration
		lasts time.Duration
		want  []time.Duration
	}{
		{"one change", time.Hour, time.Millisecond, []time.Duration{time.Second}},
		{"a burst", 130 * time.Millisecond, 2 * time.Second, []time.Duration{2950 * time.Millisecond}},
		{"without end", 130 * time.Millisecond, 12 * time.Second, []time.Duration{5 * time.Second, 10070 * time.Millisecond, 12960 * time.Millisecond}},
		{"now and then", 3 * time.Second, 7 * time.Second, []time.Duration{time.Second, 4 * time.Second, 7 * time.Second}},
	} {
		t.Run(test.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				g, began := newGathering[string](time.Second, 5*time.Second), time.Now()
				var followed []time.Duration
				for time.Since(began) < test.lasts {
					g.changed("status", func() { followed = append(followed, time.Since(began)) })
					time.Sleep(test.every)
					synctest.Wait()
				}
				time.Sleep(time.Minute)
				synctest.Wait()
				if len(followed) != len(test.want) {
					t.Fatalf("followed at %v, want %v", followed, test.want)
				}
				for i, want := range test.want {
					if followed[i] != want {
						t.Errorf("followed at %v, want %v", followed, test.want)
					}
				}
				if len(g.pending) != 0 {
					t.Errorf("%d bursts are not forgotten", len(g.pending))
				}
			})
		})
	}
}

package enqueue

import (
	"slices"
	"testing"
	"testing/synctest"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/usher-media/usher/api/v1alpha1"
)

// TestChangesAreDebounced: a burst is handed on once, when it is over; one that goes on is handed on nevertheless.
func TestChangesAreDebounced(t *testing.T) {
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
				d, began := newDebouncer(time.Second, 5*time.Second), time.Now()
				var followed []time.Duration
				object := &v1alpha1.User{}
				for time.Since(began) < test.lasts {
					d.changed(object, func([]client.Object) { followed = append(followed, time.Since(began)) })
					time.Sleep(test.every) // of the test's own clock
					synctest.Wait()
				}
				time.Sleep(time.Minute) // of the test's own clock
				synctest.Wait()
				if len(followed) != len(test.want) {
					t.Fatalf("followed at %v, want %v", followed, test.want)
				}
				for i, want := range test.want {
					if followed[i] != want {
						t.Errorf("followed at %v, want %v", followed, test.want)
					}
				}
				if len(d.pending) != 0 {
					t.Errorf("%d bursts are not forgotten", len(d.pending))
				}
			})
		})
	}
}

// TestNoStateOfABurstIsLost: who was selected in between may have been given something, and is followed too.
func TestNoStateOfABurstIsLost(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := newDebouncer(time.Second, 5*time.Second)
		var seen []client.Object
		labelled := func(name, set string) client.Object {
			return &v1alpha1.Library{ObjectMeta: metav1.ObjectMeta{UID: types.UID(name), Name: name, Labels: map[string]string{"set": set}}}
		}
		for _, object := range []client.Object{labelled("movies", "a"), labelled("movies", "b"), labelled("tv", "a"), labelled("movies", "b"), labelled("movies", "c")} {
			d.changed(object, func(objects []client.Object) { seen = objects })
		}
		time.Sleep(2 * time.Second) // of the test's own clock
		synctest.Wait()
		var got []string
		for _, object := range seen {
			got = append(got, object.GetName()+" "+object.GetLabels()["set"])
		}
		slices.Sort(got)
		if want := []string{"movies a", "movies b", "movies c", "tv a"}; !slices.Equal(got, want) {
			t.Errorf("followed %v, want %v", got, want)
		}
	})
}

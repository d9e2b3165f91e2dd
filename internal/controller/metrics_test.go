package controller_test

import (
	"strings"
	"testing"

	"github.com/prometheus/client_golang/prometheus/testutil"

	"github.com/usher-media/usher/api/v1alpha1"
	"github.com/usher-media/usher/internal/media"
	"github.com/usher-media/usher/internal/media/memory"
)

func TestMetricsTellTheStateOfEverything(t *testing.T) {
	t.Parallel()
	w := newWorld(t, memory.Options{})
	stalled := w.user("boss")
	stalled.Spec.Role = "Projectionist"
	w.create(w.library("movies"), w.user("ann"), stalled, w.grant("g", "*", "*"))
	w.seesExactly("ann", "movies")
	w.ready(&v1alpha1.User{}, "ann")
	w.condition(&v1alpha1.User{}, "boss", v1alpha1.ConditionStalled, "True", "")
	w.store.EditAccount("ann", func(a *media.Account) { a.Access = media.Access{} })
	w.look()
	w.seesExactly("ann", "movies")
	w.eventually("the drift is counted", func() bool {
		return w.metric("usher_drift_found_total") == 1 && w.metric("usher_drift_repaired_total") == 1
	})

	want := `
# HELP usher_media_server_up 1 when the MediaServer (namespace/name) was reached, and is who it should be, at the last look.
# TYPE usher_media_server_up gauge
usher_media_server_up{media_server="NAMESPACE/home"} 1
# HELP usher_objects Objects by kind, state and whether they are Ready (True, False, Unknown).
# TYPE usher_objects gauge
usher_objects{kind="Library",ready="True",state=""} 1
usher_objects{kind="LibraryGrant",ready="True",state="Active"} 1
usher_objects{kind="MediaServer",ready="True",state="Connected"} 1
usher_objects{kind="User",ready="False",state="Pending"} 1
usher_objects{kind="User",ready="True",state="Active"} 1
`
	want = strings.ReplaceAll(want, "NAMESPACE", w.namespace)
	if err := testutil.GatherAndCompare(w.metrics, strings.NewReader(want), "usher_objects", "usher_media_server_up"); err != nil {
		t.Error(err)
	}
	if problems, err := testutil.GatherAndLint(w.metrics); err != nil || len(problems) > 0 {
		t.Errorf("%v %v", problems, err)
	}
}

// metric is the sum of a counter or gauge.
func (w *world) metric(name string) (sum float64) {
	families, err := w.metrics.Gather()
	if err != nil {
		w.t.Fatal(err)
	}
	for _, family := range families {
		if family.GetName() == name {
			for _, one := range family.GetMetric() {
				sum += one.GetCounter().GetValue() + one.GetGauge().GetValue()
			}
		}
	}
	return sum
}

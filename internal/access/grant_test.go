package access

import (
	"testing"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/usher-media/usher/api/v1alpha1"
)

// TestGrantsOverTime: which LibraryGrants give something now, which did until their time was over, and when that changes.
func TestGrantsOverTime(t *testing.T) {
	now := time.Date(2026, 6, 1, 12, 0, 0, 0, time.UTC)
	at := func(d time.Duration) *v1alpha1.Time { moment := v1alpha1.NewTime(now.Add(d)); return &moment }
	never := time.Time{}
	for name, try := range map[string]struct {
		spec          v1alpha1.LibraryGrantSpec
		deleted       bool
		active, given int
		next          time.Time
	}{
		"for ever":                  {active: 1, given: 1},
		"until later":               {spec: v1alpha1.LibraryGrantSpec{NotAfter: at(time.Hour)}, active: 1, given: 1, next: now.Add(time.Hour)},
		"until now":                 {spec: v1alpha1.LibraryGrantSpec{NotAfter: at(0)}, given: 1},
		"from now":                  {spec: v1alpha1.LibraryGrantSpec{NotBefore: at(0)}, active: 1, given: 1},
		"from later":                {spec: v1alpha1.LibraryGrantSpec{NotBefore: at(time.Minute)}, next: now.Add(time.Minute)},
		"disabled":                  {spec: v1alpha1.LibraryGrantSpec{Disabled: true}},
		"disabled, and ended":       {spec: v1alpha1.LibraryGrantSpec{Disabled: true, NotAfter: at(-time.Hour)}},
		"being deleted":             {deleted: true},
		"being deleted until later": {deleted: true, spec: v1alpha1.LibraryGrantSpec{NotAfter: at(time.Hour)}},
	} {
		grant := v1alpha1.LibraryGrant{Spec: try.spec}
		if try.deleted {
			grant.DeletionTimestamp = &metav1.Time{Time: now}
		}
		for _, grants := range [][]v1alpha1.LibraryGrant{{grant}, {{}, grant}, {grant, {}}} { // beside one without an end
			others := len(grants) - 1
			active, next := ActiveGrants(grants, NewGrant, now)
			given := GivenUntilNow(grants, NewGrant, now)
			if len(active) != try.active+others || len(given) != try.given+others || !next.Equal(try.next) {
				t.Errorf("%s: %d are active and %d given until now, of which %d are others, and that changes at %v; want %d, %d, %v",
					name, len(active), len(given), others, next, try.active, try.given, try.next)
			}
		}
	}
	if Earlier(now, never) != now || Earlier(never, now) != now || Earlier(now, now.Add(-1)) != now.Add(-1) || Earlier(now, now.Add(1)) != now {
		t.Error("the earlier of two moments is another")
	}
}

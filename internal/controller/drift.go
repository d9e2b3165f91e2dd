package controller

import (
	"strings"
	"time"

	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/usher-media/usher/api/v1alpha1"
)

// agreed says whether the status says that the server agreed with this very generation when it was last seen: what differs then,
// differs though no manifest changed.
func agreed(o object, handled int64) bool {
	inSync := meta.FindStatusCondition(*o.StatusConditions(), v1alpha1.ConditionInSync)
	if inSync == nil || inSync.ObservedGeneration != o.GetGeneration() {
		return false
	}
	unseen := inSync.Status == metav1.ConditionUnknown && (inSync.Reason == v1alpha1.ReasonServerUnavailable || inSync.Reason == v1alpha1.ReasonRateLimited)
	return inSync.Status == metav1.ConditionTrue || (unseen && handled == o.GetGeneration())
}

// foundDrift returns a drift that was just found, or nil when what differs is no drift.
func (k *Kit) foundDrift(kind string, agreed bool, words []string) *v1alpha1.Drift {
	if !agreed || len(words) == 0 {
		return nil
	}
	k.counters.driftFound.WithLabelValues(kind).Inc()
	return &v1alpha1.Drift{DetectedAt: v1alpha1.NewTime(k.Clock.Now()), Differences: words[:min(len(words), 10)]}
}

func repaired(drift *v1alpha1.Drift, now time.Time) *v1alpha1.Drift {
	drift.RepairedAt = new(v1alpha1.NewTime(now))
	return drift
}

// observed is the outcome of mode Observe when something differs.
func observed(words []string) *outcome {
	o := held(v1alpha1.ReasonObserving, "mode Observe, would change: "+bounded(strings.Join(words, "; "), 500))
	return &o
}

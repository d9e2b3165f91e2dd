package controller

import (
	"fmt"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/usher-media/usher/api/v1alpha1"
	"github.com/usher-media/usher/internal/access"
	"github.com/usher-media/usher/internal/media"
)

type outcomeKind int

const (
	// kindDone: the generation is handled and the server agrees.
	kindDone outcomeKind = iota
	// kindHeld: held on purpose (paused, observing): nothing is left to do under the mode that is set.
	kindHeld
	// kindWaiting: something outside must change first, and wakes the object when it does.
	kindWaiting
	// kindRetry: failed, and is tried again with backoff.
	kindRetry
	// kindStalled: only a person can mend it.
	kindStalled
	// kindGone: the object is let go; there is no status to write.
	kindGone
)

// outcome is how a reconcile ended.
type outcome struct {
	kind            outcomeKind
	reason, message string
	// after asks for another look after that long, whatever else happens; zero does not ask.
	after time.Duration
	err   error
	// early: the operator has just started and has not looked at the server yet. Who has a status keeps it until then.
	early bool
	// brief: over in a moment, and not worth a status.
	brief bool
	// connected: a MediaServer was reached and is used, though a person must mend its manifest.
	connected bool
}

func done(reason, message string) outcome {
	return outcome{kind: kindDone, reason: reason, message: message}
}

func held(ready, message string) outcome {
	return outcome{kind: kindHeld, reason: ready, message: message}
}

func waiting(reason, format string, args ...any) *outcome {
	return &outcome{kind: kindWaiting, reason: reason, message: fmt.Sprintf(format, args...)}
}

func stalled(reason, format string, args ...any) *outcome {
	return &outcome{kind: kindStalled, reason: reason, message: fmt.Sprintf(format, args...)}
}

// retry is for a failed call to Kubernetes or to a media server. The message of an error of Kubernetes names
// objects, never their content.
func retry(err error) *outcome {
	return &outcome{kind: kindRetry, reason: v1alpha1.ReasonRetrying, message: err.Error(), err: err}
}

// unreadable is the outcome of an object with a date or duration that cannot be read; nil when all can.
func unreadable(o object) *outcome {
	if err := access.Unreadable(o); err != nil {
		return stalled(v1alpha1.ReasonInvalidSpec, "%s", err)
	}
	return nil
}

// orSooner returns the outcome with another look at a moment, when that comes before the one it asks for.
func (o outcome) orSooner(now, at time.Time) outcome {
	if at.IsZero() {
		return o
	}
	after := max(at.Sub(now), time.Millisecond)
	if o.after == 0 || after < o.after {
		o.after = after
	}
	return o
}

// inSync says whether the media server agrees: known only once a reconcile has compared.
func (o outcome) inSync() metav1.ConditionStatus {
	switch {
	case o.kind == kindDone:
		return metav1.ConditionTrue
	case o.kind == kindHeld && o.reason == v1alpha1.ReasonObserving:
		return metav1.ConditionFalse
	}
	return metav1.ConditionUnknown
}

// conditions sets Ready, Reconciling and Stalled for an outcome (design D7), and InSync where the object has a
// counterpart on a media server.
func (o outcome) conditions(conditions *[]metav1.Condition, counterpart bool, generation int64, now time.Time) {
	ready := metav1.ConditionFalse
	if o.kind == kindDone || o.kind == kindHeld {
		ready = metav1.ConditionTrue
	}
	set := func(kind string, status metav1.ConditionStatus) {
		setCondition(conditions, metav1.Condition{Type: kind, Status: status, Reason: o.reason, Message: o.message, ObservedGeneration: generation}, now)
	}
	set(v1alpha1.ConditionReady, ready)
	if counterpart {
		set(v1alpha1.ConditionInSync, o.inSync())
	}
	if o.kind == kindWaiting || o.kind == kindRetry {
		set(v1alpha1.ConditionReconciling, metav1.ConditionTrue)
	} else {
		removeCondition(conditions, v1alpha1.ConditionReconciling)
	}
	if o.kind == kindStalled {
		set(v1alpha1.ConditionStalled, metav1.ConditionTrue)
	} else {
		removeCondition(conditions, v1alpha1.ConditionStalled)
	}
}

// handled says whether the generation is handled, so that observedGeneration may move.
func (o outcome) handled() bool {
	return o.kind == kindDone || o.kind == kindStalled || o.kind == kindHeld
}

// fromServer turns an error of a media server into an outcome for the object that it happened to. Errors of the
// connection itself have been reported to it before (see reportFailure).
func fromServer(err error) *outcome {
	switch media.CodeOf(err) {
	case media.Unavailable:
		if media.ConcernsConnection(err) {
			return waiting(v1alpha1.ReasonServerUnavailable, "%s", err)
		}
	case media.RateLimited:
		return waiting(v1alpha1.ReasonRateLimited, "%s", err)
	case media.PermissionDenied:
		return stalled(v1alpha1.ReasonRefused, "%s: Usher's account on the server may not do this", err)
	case media.Unauthenticated:
		return waiting(v1alpha1.ReasonServerNotReady, "%s; see the MediaServer", err)
	case media.Conflict, media.AlreadyExists:
		return stalled(v1alpha1.ReasonConflict, "%s", err)
	case media.Unsupported:
		return stalled(v1alpha1.ReasonUnsupported, "%s", err)
	case media.Invalid:
		return stalled(v1alpha1.ReasonRefused, "%s", err)
	}
	o := retry(err)
	o.message += "; it is tried again by itself"
	return o
}

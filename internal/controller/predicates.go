package controller

import (
	"cmp"
	"maps"
	"slices"
	"strings"

	apiequality "k8s.io/apimachinery/pkg/api/equality"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/controller/controllerutil"
	"sigs.k8s.io/controller-runtime/pkg/event"
	"sigs.k8s.io/controller-runtime/pkg/predicate"

	"github.com/usher-media/usher/api/v1alpha1"
	"github.com/usher-media/usher/internal/access"
)

// changedByOthers passes what somebody else changed: spec, labels, annotations, deletion, and the loss of what Usher
// wrote. It holds back Usher's own record, finalizer and status, which would bring each object back once for nothing.
var changedByOthers = updates(func(before, now client.Object) bool {
	return before.GetGeneration() != now.GetGeneration() ||
		!maps.Equal(before.GetLabels(), now.GetLabels()) ||
		!maps.Equal(withoutRecord(before), withoutRecord(now)) ||
		lost(before, now)
})

// serverChanged passes what somebody else changed of a MediaServer and that means something to Usher. Each is a look at the
// server, and editors may change labels and annotations of others as often as they like.
var serverChanged = updates(func(before, now client.Object) bool {
	return before.GetGeneration() != now.GetGeneration() || !maps.Equal(ours(before), ours(now)) || lost(before, now)
})

// ours are the annotations that people set for Usher.
func ours(object client.Object) map[string]string {
	annotations := withoutRecord(object)
	maps.DeleteFunc(annotations, func(name, _ string) bool { return !strings.HasPrefix(name, annotationPrefix) })
	return annotations
}

const annotationPrefix = "usher.media/"

// updates passes updates by what differs. A cache that missed how an object was deleted and made again under its name
// tells that as an update, too: the generations of two objects say nothing about each other.
func updates(differs func(before, now client.Object) bool) predicate.Funcs {
	return predicate.Funcs{UpdateFunc: func(e event.UpdateEvent) bool {
		return madeAgain(e) || differs(e.ObjectOld, e.ObjectNew)
	}}
}

func madeAgain(e event.UpdateEvent) bool { return e.ObjectOld.GetUID() != e.ObjectNew.GetUID() }

// changedLater passes what changedByOthers passes of an object that is not new.
var changedLater = predicate.Funcs{CreateFunc: func(event.CreateEvent) bool { return false }, UpdateFunc: changedByOthers.UpdateFunc}

func withoutRecord(object client.Object) map[string]string {
	annotations := maps.Clone(object.GetAnnotations())
	delete(annotations, v1alpha1.AnnotationOwned)
	return annotations
}

func lost(before, now client.Object) bool {
	had := before.GetAnnotations()[v1alpha1.AnnotationOwned] != "" || controllerutil.ContainsFinalizer(before, v1alpha1.Finalizer)
	has := parseRecord(now).Server != "" && controllerutil.ContainsFinalizer(now, v1alpha1.Finalizer)
	return had && !has && now.GetDeletionTimestamp().IsZero()
}

// whatOthersDependOn passes changes that matter to other objects: what changedByOthers passes, the record (an id that
// became known), and a status that changed.
var whatOthersDependOn = updates(func(before, now client.Object) bool {
	return before.GetResourceVersion() != now.GetResourceVersion()
})

// idOrSelection passes changes of a Library's labels, deletion and id: what decides which edges it is part of. It also
// passes that making it has come to nothing for now, so that nobody waits for it, and that its access is taken back.
var idOrSelection = updates(func(before, now client.Object) bool {
	old, fresh := before.(*v1alpha1.Library), now.(*v1alpha1.Library)
	return knownAs(old) != knownAs(fresh) || !maps.Equal(before.GetLabels(), now.GetLabels()) ||
		before.GetDeletionTimestamp().IsZero() != now.GetDeletionTimestamp().IsZero() || access.Withdrawn(old) != access.Withdrawn(fresh) ||
		(onItsWay(old) && !onItsWay(fresh) && knownAs(fresh)[1] == "")
})

// onItsWay says whether a Library is so new that nothing has been said of it yet.
func onItsWay(library *v1alpha1.Library) bool {
	return meta.FindStatusCondition(library.Status.Conditions, v1alpha1.ConditionReady) == nil
}

// knownAs is the server and the id of a Library there; in mode Observe, which records nothing, as its status has it. One
// that is in doubt is known as another.
func knownAs(library *v1alpha1.Library) [2]string {
	r := parseRecord(library)
	id := cmp.Or(r.ID, library.Status.ExternalID)
	if r.Doubt != nil {
		id += " in doubt"
	}
	return [2]string{r.Server, id}
}

// notItsOwn holds back that a User made its own credentials Secret. That it was changed, passes: by somebody else, as a rule.
var notItsOwn = predicate.Funcs{
	CreateFunc: func(e event.CreateEvent) bool { return !ofUser(e.Object) },
	UpdateFunc: func(e event.UpdateEvent) bool {
		return e.ObjectOld.GetResourceVersion() != e.ObjectNew.GetResourceVersion()
	},
}

func ofUser(object client.Object) bool {
	owner := metav1.GetControllerOf(object)
	return owner != nil && owner.Kind == "User" && owner.APIVersion == v1alpha1.GroupVersion.String()
}

// specOrAccount passes changes of a Redemption that matter to its User: what it gives, and to which account.
var specOrAccount = updates(func(before, now client.Object) bool {
	return before.GetGeneration() != now.GetGeneration() ||
		!slices.Equal(before.(*v1alpha1.Redemption).Status.Accounts, now.(*v1alpha1.Redemption).Status.Accounts)
})

// specOnly passes changes of the spec.
var specOnly = updates(func(before, now client.Object) bool { return before.GetGeneration() != now.GetGeneration() })

// plansBegunOrDone passes that an object has a plan (mode Observe), or has one no more, or that a conflict with it begins or
// ends.
var plansBegunOrDone = predicate.Funcs{
	CreateFunc:  func(event.CreateEvent) bool { return false },
	DeleteFunc:  func(e event.DeleteEvent) bool { return plans(e.Object) },
	GenericFunc: func(event.GenericEvent) bool { return false },
	UpdateFunc: func(e event.UpdateEvent) bool {
		return plans(e.ObjectOld) != plans(e.ObjectNew) || declinesPlan(e.ObjectOld) != declinesPlan(e.ObjectNew)
	},
}

// declinesPlan says whether an object shows a plan, though it is in conflict.
func declinesPlan(o client.Object) bool { return plans(o) && declines(o.(object)) }

// braked passes that the disruption limit holds a User, or does so no more.
var braked = predicate.Funcs{
	CreateFunc:  func(event.CreateEvent) bool { return false },
	DeleteFunc:  func(event.DeleteEvent) bool { return false },
	GenericFunc: func(event.GenericEvent) bool { return false },
	UpdateFunc:  func(e event.UpdateEvent) bool { return isBraked(e.ObjectOld) != isBraked(e.ObjectNew) },
}

func isBraked(o client.Object) bool {
	ready := meta.FindStatusCondition(*o.(object).StatusConditions(), v1alpha1.ConditionReady)
	return ready != nil && ready.Reason == v1alpha1.ReasonDisruptionLimit
}

func plans(o client.Object) bool {
	_, planned := summaryOf(o.(object))
	return planned > 0
}

// deletions passes only that an object is gone.
var deletions = predicate.Funcs{
	CreateFunc:  func(event.CreateEvent) bool { return false },
	UpdateFunc:  madeAgain,
	GenericFunc: func(event.GenericEvent) bool { return false },
}

// releases passes that an object is gone, or let go with its MediaServer.
var releases = predicate.Funcs{
	CreateFunc:  func(event.CreateEvent) bool { return false },
	GenericFunc: func(event.GenericEvent) bool { return false },
	UpdateFunc: func(e event.UpdateEvent) bool {
		return madeAgain(e) || (controllerutil.ContainsFinalizer(e.ObjectOld, v1alpha1.Finalizer) && !controllerutil.ContainsFinalizer(e.ObjectNew, v1alpha1.Finalizer))
	},
}

// asksOtherwise passes that the status of a MediaServer says otherwise since when who writes Users and Libraries is asked, or which
// of them are accepted.
var asksOtherwise = predicate.Funcs{
	CreateFunc:  func(event.CreateEvent) bool { return false },
	DeleteFunc:  func(event.DeleteEvent) bool { return false },
	GenericFunc: func(event.GenericEvent) bool { return false },
	UpdateFunc: func(e event.UpdateEvent) bool {
		old, fresh := e.ObjectOld.(*v1alpha1.MediaServer), e.ObjectNew.(*v1alpha1.MediaServer)
		return !apiequality.Semantic.DeepEqual(old.Status.TakingOver, fresh.Status.TakingOver) ||
			!apiequality.Semantic.DeepEqual(old.Status.AcceptedObjects, fresh.Status.AcceptedObjects)
	},
}

// askedForALook passes a changed reconcile-now annotation.
var askedForALook = predicate.Funcs{
	CreateFunc:  func(event.CreateEvent) bool { return false },
	DeleteFunc:  func(event.DeleteEvent) bool { return false },
	GenericFunc: func(event.GenericEvent) bool { return false },
	UpdateFunc: func(e event.UpdateEvent) bool {
		const name = v1alpha1.AnnotationReconcileNow
		return e.ObjectOld.GetAnnotations()[name] != e.ObjectNew.GetAnnotations()[name]
	},
}

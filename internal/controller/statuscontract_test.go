package controller_test

import (
	"context"
	"fmt"

	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/usher-media/usher/api/v1alpha1"
)

// checkStatusContract checks every object of the namespace against the rules of design D7, at the end of every test.
func (w *world) checkStatusContract() {
	ctx := context.Background()
	for _, list := range []client.ObjectList{&v1alpha1.MediaServerList{}, &v1alpha1.LibraryList{}, &v1alpha1.UserList{}, &v1alpha1.LibraryGrantList{}, &v1alpha1.InviteList{}} {
		if err := w.client.List(ctx, list, client.InNamespace(w.namespace)); err != nil {
			w.t.Errorf("status contract: %v", err)
			continue
		}
		_ = meta.EachListItem(list, func(o runtime.Object) error {
			object := o.(withStatus)
			for _, problem := range statusProblems(object) {
				w.t.Errorf("status contract: %T %s: %s", object, object.GetName(), problem)
			}
			return nil
		})
	}
}

// statusProblems says which rules of the status contract an object breaks.
func statusProblems(object withStatus) (problems []string) {
	conditions := *object.StatusConditions()
	if len(conditions) == 0 {
		return nil // not looked at yet
	}
	is := func(kind string) bool { return meta.IsStatusConditionTrue(conditions, kind) }
	complain := func(format string, args ...any) { problems = append(problems, fmt.Sprintf(format, args...)) }
	ready := meta.FindStatusCondition(conditions, v1alpha1.ConditionReady)
	if ready == nil {
		return []string{"has conditions, but no Ready"}
	}
	if is(v1alpha1.ConditionReady) && (is(v1alpha1.ConditionReconciling) || is(v1alpha1.ConditionStalled)) {
		complain("Ready, and Reconciling or Stalled as well")
	}
	if is(v1alpha1.ConditionReconciling) && is(v1alpha1.ConditionStalled) {
		complain("both Reconciling and Stalled")
	}
	if inSync := meta.FindStatusCondition(conditions, v1alpha1.ConditionInSync); inSync != nil {
		onPurpose := ready.Reason == v1alpha1.ReasonPaused || ready.Reason == v1alpha1.ReasonObserving
		if is(v1alpha1.ConditionInSync) && (!is(v1alpha1.ConditionReady) || onPurpose) {
			complain("InSync, and not Ready or held on purpose")
		}
		if is(v1alpha1.ConditionReady) && !onPurpose && !is(v1alpha1.ConditionInSync) {
			complain("Ready under no other mode than Enforce, and not InSync")
		}
	} else if _, isGrant := object.(*v1alpha1.LibraryGrant); !isGrant {
		complain("has no InSync")
	}
	if !is(v1alpha1.ConditionReady) && !is(v1alpha1.ConditionReconciling) && !is(v1alpha1.ConditionStalled) {
		complain("not Ready, and neither Reconciling nor Stalled")
	}
	for _, condition := range conditions {
		if condition.Reason == "" || condition.Message == "" {
			complain("%s has no reason or message", condition.Type)
		}
		if condition.ObservedGeneration == 0 || condition.ObservedGeneration > object.GetGeneration() {
			complain("%s observed generation %d of %d", condition.Type, condition.ObservedGeneration, object.GetGeneration())
		}
		abnormal := condition.Type == v1alpha1.ConditionReconciling || condition.Type == v1alpha1.ConditionStalled
		if abnormal && condition.Status != metav1.ConditionTrue {
			complain("%s is there and not True", condition.Type)
		}
	}
	return problems
}

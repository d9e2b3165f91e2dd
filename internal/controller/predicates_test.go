package controller

import (
	"testing"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/event"
	"sigs.k8s.io/controller-runtime/pkg/predicate"

	"github.com/usher-media/usher/api/v1alpha1"
)

// TestMadeAgainUnderItsName: a cache that lists anew, as after a watch that ended with 410, tells of an object that was
// deleted and made again as of one update, between two objects that may look the same.
func TestMadeAgainUnderItsName(t *testing.T) {
	for name, c := range map[string]struct {
		passes  predicate.Predicate
		objects func(metav1.ObjectMeta) client.Object
	}{
		"changedByOthers":    {changedByOthers, func(m metav1.ObjectMeta) client.Object { return &v1alpha1.LibraryGrant{ObjectMeta: m} }},
		"whatOthersDependOn": {whatOthersDependOn, func(m metav1.ObjectMeta) client.Object { return &v1alpha1.User{ObjectMeta: m} }},
		"idOrSelection":      {idOrSelection, func(m metav1.ObjectMeta) client.Object { return &v1alpha1.Library{ObjectMeta: m} }},
		"specOrAccount":      {specOrAccount, func(m metav1.ObjectMeta) client.Object { return &v1alpha1.Redemption{ObjectMeta: m} }},
		"specOnly":           {specOnly, func(m metav1.ObjectMeta) client.Object { return &v1alpha1.LibraryGrant{ObjectMeta: m} }},
		"deletions":          {deletions, func(m metav1.ObjectMeta) client.Object { return &v1alpha1.User{ObjectMeta: m} }},
	} {
		t.Run(name, func(t *testing.T) {
			first := c.objects(metav1.ObjectMeta{Name: "same", UID: "first", Generation: 1})
			second := c.objects(metav1.ObjectMeta{Name: "same", UID: "second", Generation: 1})
			if !c.passes.Update(event.UpdateEvent{ObjectOld: first, ObjectNew: second}) {
				t.Error("holds back that it is another object")
			}
			if c.passes.Update(event.UpdateEvent{ObjectOld: first, ObjectNew: first}) {
				t.Error("passes what has not changed")
			}
		})
	}
}

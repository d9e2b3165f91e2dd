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
		"serverChanged":      {serverChanged, func(m metav1.ObjectMeta) client.Object { return &v1alpha1.MediaServer{ObjectMeta: m} }},
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

// TestWhatEditorsMayChangeIsNoLookAtTheServer: labels of a MediaServer and annotations of others are theirs to change, and each look
// costs a listing.
func TestWhatEditorsMayChangeIsNoLookAtTheServer(t *testing.T) {
	for name, try := range map[string]struct {
		change func(*v1alpha1.MediaServer)
		looks  bool
	}{
		"a label":                 {func(s *v1alpha1.MediaServer) { s.Labels = map[string]string{"a": "b"} }, false},
		"an annotation of others": {func(s *v1alpha1.MediaServer) { metav1.SetMetaDataAnnotation(&s.ObjectMeta, "a", "b") }, false},
		"the record": {func(s *v1alpha1.MediaServer) {
			metav1.SetMetaDataAnnotation(&s.ObjectMeta, v1alpha1.AnnotationOwned, "{}")
		}, false},
		"an annotation for Usher": {func(s *v1alpha1.MediaServer) {
			metav1.SetMetaDataAnnotation(&s.ObjectMeta, v1alpha1.AnnotationPaused, "")
		}, true},
		"another annotation for Usher": {func(s *v1alpha1.MediaServer) { delete(s.Annotations, v1alpha1.AnnotationProceed) }, true},
		"the spec":                     {func(s *v1alpha1.MediaServer) { s.Generation++ }, true},
	} {
		t.Run(name, func(t *testing.T) {
			before := &v1alpha1.MediaServer{ObjectMeta: metav1.ObjectMeta{UID: "one", Generation: 1}}
			metav1.SetMetaDataAnnotation(&before.ObjectMeta, v1alpha1.AnnotationProceed, "2026-11-29T08:00:00Z")
			now := before.DeepCopy()
			try.change(now)
			if looks := serverChanged.Update(event.UpdateEvent{ObjectOld: before, ObjectNew: now}); looks != try.looks {
				t.Errorf("is a look: %t, want %t", looks, try.looks)
			}
		})
	}
}

package app

import (
	"testing"
	"unsafe"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/usher-media/usher/api/v1alpha1"
)

func cachedUser(name, grant string) *v1alpha1.User {
	user := &v1alpha1.User{
		ObjectMeta: metav1.ObjectMeta{
			Name: name, Namespace: "media", Labels: map[string]string{"team": "a"},
			ManagedFields: []metav1.ManagedFieldsEntry{{Manager: "kubectl"}},
			Annotations:   map[string]string{corev1.LastAppliedConfigAnnotation: "{}", "usher.media/owned": "{}"},
		},
	}
	user.Status.Access = &v1alpha1.UserAccessStatus{Total: 1, Items: []v1alpha1.UserAccessEntry{{Library: "movies", Role: "Viewer", Through: []string{grant}}}}
	return user
}

func TestCachedObjectsAreSlim(t *testing.T) {
	users := []*v1alpha1.User{cachedUser("ann", "team"), cachedUser("ben", "team"), cachedUser("mia", "kids")}
	for _, user := range users {
		if _, err := slim(user); err != nil {
			t.Fatal(err)
		}
		if len(user.ManagedFields) > 0 || len(user.Annotations) != 1 || user.Labels["team"] != "a" || user.Namespace != "media" {
			t.Errorf("cached as %v", user.ObjectMeta)
		}
	}
	same := func(a, b *v1alpha1.User) bool {
		return unsafe.SliceData(a.Status.Access.Items) == unsafe.SliceData(b.Status.Access.Items)
	}
	if !same(users[0], users[1]) || same(users[0], users[2]) {
		t.Error("equal lists of access are to be one, and no others")
	}
	if got := users[2].Status.Access.Items[0].Through[0]; got != "kids" {
		t.Errorf("mia's access comes through %s", got)
	}
	secret := &metav1.PartialObjectMetadata{ObjectMeta: metav1.ObjectMeta{
		Name: "s", ResourceVersion: "7", Labels: map[string]string{"a": "b"}, OwnerReferences: []metav1.OwnerReference{{Name: "ann"}},
	}}
	if _, err := slim(secret); err != nil || secret.Labels != nil || secret.ResourceVersion != "7" || len(secret.OwnerReferences) != 1 {
		t.Errorf("%v, cached as %v", err, secret.ObjectMeta)
	}
}

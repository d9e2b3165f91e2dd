package app

import (
	"strings"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	toolscache "k8s.io/client-go/tools/cache"
	"k8s.io/utils/lru"

	"github.com/usher-media/usher/api/v1alpha1"
	"github.com/usher-media/usher/internal/access"
)

// slimmed returns the cache's transform: slim, and each version of a LibraryGrant shares what it has in common with the one
// that is compiled.
func slimmed(grants *access.GrantCache) toolscache.TransformFunc {
	return func(in any) (any, error) {
		out, err := slim(in)
		if grant, ok := out.(*v1alpha1.LibraryGrant); ok {
			grants.Share(grant)
		}
		return out, err
	}
}

// slim takes out of an object, before it is cached, what no reconciler reads: with ten thousand Users that is most of
// the memory. What is written is always a difference, so that nothing is lost for its not being here.
func slim(in any) (any, error) {
	object, err := meta.Accessor(in)
	if err != nil {
		return in, nil // a tombstone
	}
	object.SetManagedFields(nil)
	annotations := object.GetAnnotations()
	delete(annotations, corev1.LastAppliedConfigAnnotation)
	if len(annotations) == 0 {
		object.SetAnnotations(nil)
	}
	switch o := in.(type) {
	case *metav1.PartialObjectMetadata: // a Secret: whose it is, and whether it has changed
		o.Labels, o.Annotations = nil, nil
	case *v1alpha1.User:
		shareUser(o)
	}
	return in, nil
}

// What many Users have in common is kept once. Nobody changes a cached object, and so what it shares with others.
var (
	commonTexts = lru.New(4096)
	commonLists = lru.New(1024)
)

// shareUser makes of a User what thousands have in common one: texts, and whole lists of access.
func shareUser(user *v1alpha1.User) {
	share(&user.Namespace, &user.Kind, &user.APIVersion, &user.Spec.ServerRef.Name)
	labels := make(map[string]string, len(user.Labels))
	for name, value := range user.Labels {
		labels[shared(name)] = shared(value)
	}
	user.Labels = labels
	for i := range user.Status.Conditions {
		c := &user.Status.Conditions[i]
		share(&c.Type, &c.Reason, &c.Message)
	}
	if user.Status.Access != nil {
		user.Status.Access.Items = sharedList(user.Status.Access.Items)
	}
}

func sharedList(items []v1alpha1.UserAccessEntry) []v1alpha1.UserAccessEntry {
	var key strings.Builder
	for _, item := range items {
		for _, text := range append([]string{item.Library, string(item.Role)}, item.Through...) {
			key.WriteString(text)
			key.WriteByte(' ') // in no name, role or word
		}
		key.WriteByte('/')
	}
	if known, found := commonLists.Get(key.String()); found {
		return known.([]v1alpha1.UserAccessEntry)
	}
	commonLists.Add(key.String(), items)
	return items
}

func share(texts ...*string) {
	for _, text := range texts {
		*text = shared(*text)
	}
}

func shared(text string) string {
	if known, found := commonTexts.Get(text); found {
		return known.(string)
	}
	commonTexts.Add(text, text)
	return text
}

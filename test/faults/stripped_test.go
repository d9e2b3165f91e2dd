package faults

import (
	"fmt"
	"testing"

	corev1 "k8s.io/api/core/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/usher-media/usher/api/v1alpha1"
)

// TestStripped takes away by hand what Usher wrote. It writes it again, and nothing happens on the media server.
func TestStripped(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name string
		from func(h *house) client.Object
		take func(client.Object)
	}{
		{"the finalizer of a User", aUser, withoutFinalizers},
		{"the finalizer of a Library", aLibrary, withoutFinalizers},
		{"the finalizer of a MediaServer", aServer, withoutFinalizers},
		{"the record of a User", aUser, withoutRecord},
		{"the record of a Library", aLibrary, withoutRecord},
		{"the record of a MediaServer", aServer, withoutRecord},
		{"all annotations and finalizers of a User", aUser, func(o client.Object) { withoutFinalizers(o); o.SetAnnotations(nil) }},
		{"the status of a User", aUser, func(o client.Object) { o.(*v1alpha1.User).Status = v1alpha1.UserStatus{} }},
		{"the status of a Library", aLibrary, func(o client.Object) { o.(*v1alpha1.Library).Status = v1alpha1.LibraryStatus{} }},
		{"the status of a MediaServer", aServer, func(o client.Object) { o.(*v1alpha1.MediaServer).Status = v1alpha1.MediaServerStatus{} }},
		{"the status of a LibraryGrant", aGrant, func(o client.Object) { o.(*v1alpha1.LibraryGrant).Status = v1alpha1.LibraryGrantStatus{} }},
	} {
		for _, restarted := range []bool{false, true} {
			t.Run(name(fmt.Sprintf("%s restarted=%t", c.name, restarted)), func(t *testing.T) {
				t.Parallel()
				h := newHouse(t, newMemory(nil))
				h.start()
				household(h)
				edit(h, h.user("ann"), func(u *v1alpha1.User) { u.Spec.AdoptionPolicy = v1alpha1.AccountAdoptionAlways })
				h.quiet()
				h.followed()
				h.process.Arm(0, "")
				object := c.from(h)
				if err := h.client.Get(t.Context(), client.ObjectKeyFromObject(object), object); err != nil {
					t.Fatal(err)
				}
				base := object.DeepCopyObject().(client.Object)
				c.take(object)
				if err := h.client.Patch(t.Context(), object.DeepCopyObject().(client.Object), client.MergeFrom(base)); err != nil {
					t.Fatal(err)
				}
				if err := h.client.Status().Patch(t.Context(), object, client.MergeFrom(base)); err != nil {
					t.Fatal(err)
				}
				if restarted {
					h.restart()
				}
				h.look()
				h.quiet()
				for write := range h.process.Counts() {
					if len(write) > 7 && write[:7] == "media: " {
						t.Errorf("for want of what Usher keeps in Kubernetes: %s", write)
					}
				}
				covered.points.Add(1)
				covered.moments.Add(int64(h.oracle.verdict()))
				h.rest()
				h.everythingGoes()
			})
		}
	}
}

func aUser(h *house) client.Object    { return h.user("ann") }
func aLibrary(h *house) client.Object { return h.library("movies") }
func aServer(h *house) client.Object  { return h.mediaServer() }
func aGrant(h *house) client.Object   { return h.grant("all", "", "") }

func withoutFinalizers(o client.Object) { o.SetFinalizers(nil) }

func withoutRecord(o client.Object) {
	annotations := o.GetAnnotations()
	delete(annotations, v1alpha1.AnnotationOwned)
	o.SetAnnotations(annotations)
}

// everythingGoes deletes all of it, which leaves no finalizer behind.
func (h *house) everythingGoes() {
	h.t.Helper()
	for _, object := range h.objects() {
		h.delete(object)
	}
	h.delete(&corev1.Secret{ObjectMeta: h.meta(secretName)})
	h.eventually("all objects are gone", func() bool { return len(h.objects()) == 0 })
}

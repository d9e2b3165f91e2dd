package controller_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/usher-media/usher/api/v1alpha1"
	"github.com/usher-media/usher/internal/media"
	"github.com/usher-media/usher/internal/media/memory"
)

// accepting has a MediaServer accept what is made with it and before.
func accepting(server *v1alpha1.MediaServer) {
	metav1.SetMetaDataAnnotation(&server.ObjectMeta, v1alpha1.AnnotationAcceptObjectsBefore, time.Now().Add(time.Hour).UTC().Format(time.RFC3339))
}

// TestWhatNobodyWasAskedForIsNotTakenOver: a User or Library that was there before its MediaServer said Always, or before its
// MediaServer, takes over nothing that is in use, until it says so itself or somebody accepts it.
func TestWhatNobodyWasAskedForIsNotTakenOver(t *testing.T) {
	t.Parallel()
	always := func(s *v1alpha1.MediaServer) { s.Spec.AdoptionPolicy = v1alpha1.AccountAdoptionAlways }
	for name, plant := range map[string]func(w *world){
		"before the MediaServer": func(w *world) {
			server := w.mediaServer()
			always(server)
			w.create(w.user("boss"), w.library("private"), server)
		},
		"before it says Always": func(w *world) {
			w.create(w.mediaServer(), w.user("boss"), w.library("private"))
			w.condition(&v1alpha1.User{}, "boss", v1alpha1.ConditionStalled, metav1.ConditionTrue, v1alpha1.ReasonConflict)
			edit(w, w.mediaServer(), always)
		},
		"in the same moment": func(w *world) {
			server := w.mediaServer()
			always(server)
			w.create(server, w.user("boss"), w.library("private"))
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newIdleWorld(t, memory.Options{})
			w.store.AddAccount(media.Account{Username: "boss", Role: media.RoleMember}, "boss's own password")
			w.store.AddLibrary(media.Library{Name: "Private", MediaType: "Movies", Paths: []string{"/media/private"}})
			before := fmt.Sprint(w.store.Accounts(), w.store.Libraries())
			w.start()
			plant(w)
			message := ""
			w.eventually("the User says why not", func() bool {
				message = w.condition(&v1alpha1.User{}, "boss", v1alpha1.ConditionStalled, metav1.ConditionTrue, v1alpha1.ReasonConflict).Message
				return strings.Contains(message, `add the line "adoptionPolicy: Always" to spec here`)
			})
			w.eventually("the Library says why not", func() bool {
				stalled := w.condition(&v1alpha1.Library{}, "private", v1alpha1.ConditionStalled, metav1.ConditionTrue, v1alpha1.ReasonConflict)
				return strings.Contains(stalled.Message, `add the line "adoptionPolicy: IfUnique" to spec`) && strings.Contains(stalled.Message, "so that nobody was asked for permission")
			})
			if after := fmt.Sprint(w.store.Accounts(), w.store.Libraries()); after != before {
				t.Errorf("what is somebody's was changed:\n%s\n%s", before, after)
			}
			_, command, _ := strings.Cut(message, v1alpha1.AnnotationAcceptObjectsBefore+"=")
			moment, _, _ := strings.Cut(command, ")")
			edit(w, w.mediaServer(), func(s *v1alpha1.MediaServer) {
				metav1.SetMetaDataAnnotation(&s.ObjectMeta, v1alpha1.AnnotationAcceptObjectsBefore, moment)
			})
			w.ready(&v1alpha1.User{}, "boss")
			w.ready(&v1alpha1.Library{}, "private")
			if n := len(w.store.Libraries()); n != 1 {
				t.Errorf("%d libraries, want the one that was there", n)
			}
		})
	}
}

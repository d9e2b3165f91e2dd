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

// accept has a person accept what is there, once Usher has noted what the MediaServer says.
func (w *world) accept() {
	w.t.Helper()
	w.eventually("the MediaServer is noted", func() bool {
		server := get(w, &v1alpha1.MediaServer{}, serverName)
		return server.Spec.AdoptionPolicy != v1alpha1.AccountAdoptionAlways || w.noted(server)
	})
	edit(w, w.mediaServer(), func(s *v1alpha1.MediaServer) {
		metav1.SetMetaDataAnnotation(&s.ObjectMeta, v1alpha1.AnnotationAcceptObjectsBefore, time.Now().Add(time.Second).UTC().Format(time.RFC3339Nano))
	})
}

func (w *world) noted(server *v1alpha1.MediaServer) bool {
	return server.Status.TakingOver != nil && server.Status.TakingOver.Generation == server.Generation
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
			if command := "kubectl annotate mediaserver home -n " + w.namespace + " --overwrite usher.media/accept-objects-before=$(date -u +%Y-%m-%dT%H:%M:%SZ)"; !strings.Contains(message, command) {
				t.Errorf("the message does not give the command %s: %s", command, message)
			}
			w.sync()
			w.sync()
			if again := w.condition(&v1alpha1.User{}, "boss", v1alpha1.ConditionStalled, metav1.ConditionTrue, v1alpha1.ReasonConflict); again.Message != message {
				t.Errorf("another look says it otherwise: %s\nwas %s", again.Message, message)
			}
			w.accept()
			w.ready(&v1alpha1.User{}, "boss")
			w.ready(&v1alpha1.Library{}, "private")
			if n := len(w.store.Libraries()); n != 1 {
				t.Errorf("%d libraries, want the one that was there", n)
			}
		})
	}
}

// saying has the MediaServer say another adoptionPolicy, and waits until Usher has noted that.
func (w *world) saying(policy v1alpha1.AccountAdoptionPolicy) {
	w.t.Helper()
	edit(w, w.mediaServer(), func(s *v1alpha1.MediaServer) { s.Spec.AdoptionPolicy = policy })
	w.eventually("it is noted", func() bool {
		server := get(w, &v1alpha1.MediaServer{}, serverName)
		return w.noted(server) || (policy != v1alpha1.AccountAdoptionAlways && server.Status.TakingOver == nil)
	})
}

// TestAnAcceptanceEndsWithTheAlwaysItWasFor: what an editor changes of an accepted Library while the MediaServer says otherwise,
// nobody is asked for. At the next Always it takes nothing over, although the annotation is there still, until it is accepted again.
func TestAnAcceptanceEndsWithTheAlwaysItWasFor(t *testing.T) {
	t.Parallel()
	for name, moment := range map[string]func() time.Time{
		"accepted now":                   func() time.Time { return time.Now().Add(time.Second) },
		"accepted ahead, against advice": func() time.Time { return time.Now().Add(20 * time.Second) },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t, memory.Options{})
			private := w.store.AddLibrary(media.Library{Name: "Private", MediaType: "Movies", Paths: []string{"/media/private"}})
			for range 2 {
				w.store.AddLibrary(media.Library{Name: "Nothing", MediaType: "Movies", Paths: []string{"/media/nothing"}})
			}
			w.sync()
			nothing := w.library("nothing")
			w.create(nothing)
			w.condition(&v1alpha1.Library{}, "nothing", v1alpha1.ConditionStalled, metav1.ConditionTrue, v1alpha1.ReasonAmbiguousName)
			w.saying(v1alpha1.AccountAdoptionAlways)
			edit(w, w.mediaServer(), func(s *v1alpha1.MediaServer) {
				metav1.SetMetaDataAnnotation(&s.ObjectMeta, v1alpha1.AnnotationAcceptObjectsBefore, moment().UTC().Format(time.RFC3339Nano))
			})
			w.eventually("the acceptance is noted", func() bool {
				return get(w, &v1alpha1.MediaServer{}, serverName).Status.AcceptedObjects != nil
			})
			w.saying(v1alpha1.AccountAdoptionIfDisabled)
			edit(w, nothing, func(l *v1alpha1.Library) { l.Spec.DisplayName = "Private" })
			w.saying(v1alpha1.AccountAdoptionAlways)
			w.sync()
			w.eventually("the Library says why not", func() bool {
				stalled := w.condition(&v1alpha1.Library{}, "nothing", v1alpha1.ConditionStalled, metav1.ConditionTrue, v1alpha1.ReasonConflict)
				return strings.Contains(stalled.Message, "so that nobody was asked for permission")
			})
			if got := get(w, &v1alpha1.Library{}, "nothing"); got.Status.ExternalID == string(private) {
				t.Error("the Library took over what no administrator accepted")
			}
			w.accept()
			w.ready(&v1alpha1.Library{}, "nothing")
		})
	}
}

// TestAcceptancesEndWithTheirMediaServer: while the MediaServer is away, an editor changes the paths of Libraries that somebody had
// accepted. They count for nothing when the MediaServer is applied again, with all of its annotations.
func TestAcceptancesEndWithTheirMediaServer(t *testing.T) {
	t.Parallel()
	w := newIdleWorld(t, memory.Options{})
	w.start()
	server := func() *v1alpha1.MediaServer {
		s := w.mediaServer()
		s.Spec.MediaRoots = []v1alpha1.LibraryPath{"/media"}
		metav1.SetMetaDataAnnotation(&s.ObjectMeta, v1alpha1.AnnotationAcceptObjectsBefore, time.Now().Add(-time.Minute).UTC().Format(time.RFC3339))
		return s
	}
	allowed, accepted := w.library("allowed"), w.library("accepted")
	metav1.SetMetaDataAnnotation(&allowed.ObjectMeta, v1alpha1.AnnotationAllowPaths, `["/srv/allowed"]`)
	w.create(allowed, accepted)
	edit(w, allowed, func(l *v1alpha1.Library) { l.Spec.Paths = []v1alpha1.LibraryPath{"/srv/allowed", "/etc"} })
	edit(w, accepted, func(l *v1alpha1.Library) { l.Spec.Paths = []v1alpha1.LibraryPath{"/etc"} })
	w.create(server())
	for name, says := range map[string]string{
		"allowed":  `kubectl annotate library allowed -n ` + w.namespace + ` --overwrite usher.media/allow-paths='["/srv/allowed","/etc"]'`,
		"accepted": `kubectl annotate library accepted -n ` + w.namespace + ` --overwrite usher.media/allow-paths='["/etc"]'`,
	} {
		stalled := w.condition(&v1alpha1.Library{}, name, v1alpha1.ConditionStalled, metav1.ConditionTrue, v1alpha1.ReasonInvalidSpec)
		if !strings.Contains(stalled.Message, says) {
			t.Errorf("the message of %s does not give the command %s: %s", name, says, stalled.Message)
		}
	}
	if libraries := w.store.Libraries(); len(libraries) != 0 {
		t.Errorf("libraries were made with paths that nobody was asked for: %v", libraries)
	}
	edit(w, allowed, func(l *v1alpha1.Library) { l.Spec.Paths = []v1alpha1.LibraryPath{"/srv/allowed"} })
	w.ready(&v1alpha1.Library{}, "allowed")
	w.accept()
	w.ready(&v1alpha1.Library{}, "accepted")
}

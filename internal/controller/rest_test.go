package controller_test

import (
	"fmt"
	"testing"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/usher-media/usher/api/v1alpha1"
	"github.com/usher-media/usher/internal/media"
	"github.com/usher-media/usher/internal/media/memory"
)

func withoutLibraryRoles(c *media.Capabilities) {
	c.LibraryRoles = []media.LibraryRole{media.LibraryViewer}
}

func TestRestWritesNothing(t *testing.T) {
	t.Parallel()
	const users = 200
	w := newWorld(t, memory.Options{})
	for i := range 4 {
		w.create(w.library(fmt.Sprintf("l%d", i)))
	}
	w.create(w.grant("all", "*", "*"))
	for i := range users {
		w.create(w.user(fmt.Sprintf("u%03d", i)))
	}
	for i := range users {
		w.ready(&v1alpha1.User{}, fmt.Sprintf("u%03d", i))
	}
	w.condition(&v1alpha1.LibraryGrant{}, "all", v1alpha1.ConditionApplied, metav1.ConditionTrue, "")
	w.eventually("every library shows its members", func() bool {
		for i := range 4 {
			if m := get(w, &v1alpha1.Library{}, fmt.Sprintf("l%d", i)).Status.Members; m == nil || m.Total != users+1 {
				return false
			}
		}
		return true
	})
	written := w.counting.take()
	t.Logf("kubernetes writes for %d users, 4 libraries: %v", users, written)
	// The operator's own key is one more.
	if secrets := written["create *v1.Secret"] + written["update *v1.Secret"]; secrets > users+1 {
		t.Errorf("%d writes of Secrets for %d passwords", secrets, users)
	}
	w.sync() // what was on its way has come through
	w.sync()
	w.counting.take()
	w.store.ResetCalls()

	w.sync()
	w.sync()
	if writes := w.counting.take(); len(writes) > 0 {
		t.Errorf("a resync with nothing to do wrote to Kubernetes: %v", writes)
	}
	if writes := w.store.WriteCount(); writes > 0 {
		t.Errorf("a resync with nothing to do wrote to the server: %v", w.store.Counts())
	}
	for op, count := range w.store.Counts() {
		if op != memory.List && op != memory.Probe {
			t.Errorf("a resync made %d calls of %s", count, op)
		}
	}

	w.stop()
	w.counting.take()
	w.start()
	w.sync()
	w.sync()
	if writes := w.counting.take(); len(writes) > 0 {
		t.Errorf("a restart without changes wrote to Kubernetes: %v", writes)
	}
	if writes := w.store.WriteCount(); writes > 0 {
		t.Errorf("a restart without changes wrote to the server: %v", w.store.Counts())
	}
}

func TestDriftIsRepaired(t *testing.T) {
	t.Parallel()
	w := newWorld(t, memory.Options{})
	w.create(w.library("movies"), w.library("tv"), w.user("ann"), w.grant("g", "movies", "ann"))
	w.ready(&v1alpha1.Library{}, "tv")
	w.seesExactly("ann", "movies")
	w.ready(&v1alpha1.User{}, "ann")
	tv := media.LibraryID(ownedID(get(w, w.library("tv"), "tv")))

	w.store.EditAccount("ann", func(a *media.Account) {
		a.Access = media.Access{Libraries: map[media.LibraryID]media.LibraryRole{tv: media.LibraryViewer}}
		a.DisplayName = "somebody"
	})
	w.look()
	w.seesExactly("ann", "movies")
	w.eventually("the drift is reported as repaired", func() bool {
		drift := get(w, &v1alpha1.User{}, "ann").Status.Drift
		return drift != nil && drift.RepairedAt != nil && len(drift.Differences) == 2
	})

	w.store.EditLibrary(tv, func(l *media.Library) { l.Name = "Telly" })
	w.look()
	w.eventually("the library has its name again", func() bool { _, found := w.store.Library("Tv"); return found })
	w.eventually("the library's drift is reported", func() bool { return get(w, &v1alpha1.Library{}, "tv").Status.Drift != nil })
}

func TestAccessToUndeclaredLibrariesIsKeptOrRemoved(t *testing.T) {
	t.Parallel()
	w := newWorld(t, memory.Options{})
	undeclared := w.store.AddLibrary(media.Library{Name: "Private", MediaType: "Movies", Paths: []string{"/private"}})
	w.create(w.library("movies"), w.user("ann"), w.grant("g", "movies", "ann"))
	w.seesExactly("ann", "movies")
	w.store.EditAccount("ann", func(a *media.Account) {
		a.Access = a.Access.Clone()
		a.Access.Libraries[undeclared] = media.LibraryViewer
	})
	w.sync()
	w.delete(w.grant("g", "movies", "ann"))
	w.seesExactly("ann", "private")
	edit(w, w.mediaServer(), func(s *v1alpha1.MediaServer) { s.Spec.UnmanagedAccess = v1alpha1.UnmanagedAccessRemove })
	w.seesExactly("ann")
}

// TestAskingForLooksIsBounded: who may write a User or Library may ask for a look at its server, and has it looked at once a second,
// however often they ask.
func TestAskingForLooksIsBounded(t *testing.T) {
	t.Parallel()
	w := newWorld(t, memory.Options{})
	w.create(w.user("ann"), w.library("movies"))
	w.ready(&v1alpha1.User{}, "ann")
	w.ready(&v1alpha1.Library{}, "movies")
	w.sync()
	began, before := time.Now(), w.store.Count(memory.List)
	const asked = 60
	for i := range asked / 2 {
		again := func(m *metav1.ObjectMeta) {
			metav1.SetMetaDataAnnotation(m, v1alpha1.AnnotationReconcileNow, fmt.Sprint(i))
		}
		edit(w, w.user("ann"), func(u *v1alpha1.User) { again(&u.ObjectMeta) })
		edit(w, w.library("movies"), func(l *v1alpha1.Library) { again(&l.ObjectMeta) })
	}
	w.eventually("the server is looked at", func() bool { return w.store.Count(memory.List) > before })
	looks, most := w.store.Count(memory.List)-before, 2+int(time.Since(began)/time.Second)
	t.Logf("%d looks for %d demands within %s", looks, asked, time.Since(began))
	if looks > most {
		t.Errorf("%d looks for %d demands within %s, want one a second", looks, asked, time.Since(began))
	}
}

package controller_test

import (
	"strings"
	"testing"

	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/usher-media/usher/api/v1alpha1"
	"github.com/usher-media/usher/internal/media/memory"
	"github.com/usher-media/usher/internal/testenv"
)

const twinURL = "http://twin.test"

// twin is another MediaServer, which leads to the world's server at another address.
func (w *world) twin() *v1alpha1.MediaServer {
	w.fleet.Put(twinURL, w.store)
	twin := w.mediaServer()
	twin.Name, twin.Spec.URL = "twin", twinURL
	return twin
}

// wantTwinStalled waits until the MediaServer is stalled for another one, which it names.
func (w *world) wantTwinStalled(name, holder string) {
	w.t.Helper()
	c := w.condition(&v1alpha1.MediaServer{}, name, v1alpha1.ConditionStalled, metav1.ConditionTrue, v1alpha1.ReasonDuplicateClaim)
	if !strings.Contains(c.Message, "MediaServer "+holder+" ") {
		w.t.Errorf("the message does not name %s: %s", holder, c.Message)
	}
}

func annotate(w *world, name, key, value string) {
	w.t.Helper()
	edit(w, &v1alpha1.MediaServer{ObjectMeta: w.meta(name)}, func(s *v1alpha1.MediaServer) {
		metav1.SetMetaDataAnnotation(&s.ObjectMeta, key, value)
	})
}

// Two MediaServers of one namespace lead to one server: the younger one's objects are not written, until the older is gone.
func TestTwoMediaServersForOneServer(t *testing.T) {
	t.Parallel()
	w := newWorld(t, memory.Options{})
	w.create(w.library("movies"), w.user("ann"), w.grant("g", "movies", "ann"))
	w.ready(&v1alpha1.User{}, "ann")
	w.seesExactly("ann", "movies")
	w.store.ResetCalls()
	other := w.user("ann-twin")
	other.Spec.ServerRef.Name, other.Spec.Username, other.Spec.AdoptionPolicy = "twin", "ann", v1alpha1.AccountAdoptionAlways
	library := w.library("films")
	library.Spec.ServerRef.Name, library.Spec.DisplayName, library.Spec.Embedded = "twin", "Movies", &v1alpha1.EmbeddedLibrary{Emoji: new("🦊")}
	w.create(w.twin(), other, library)
	w.wantTwinStalled("twin", serverName)
	w.condition(&v1alpha1.User{}, "ann-twin", v1alpha1.ConditionReady, metav1.ConditionFalse, v1alpha1.ReasonServerNotReady)
	w.sync()
	w.ready(&v1alpha1.User{}, "ann")
	if n := w.store.WriteCount(); n > 0 {
		t.Errorf("%d writes: %v", n, w.store.Writes())
	}
	if owned := get(w, w.mediaServer(), "twin").Annotations[v1alpha1.AnnotationOwned]; owned != "" {
		t.Errorf("the twin recorded the server: %s", owned)
	}
	if shared := meta.FindStatusCondition(get(w, w.mediaServer(), serverName).Status.Conditions, v1alpha1.ConditionIdentityShared); shared != nil {
		t.Errorf("within one namespace: %v", shared)
	}
	w.delete(w.user("ann"), w.grant("g", "movies", "ann"), w.library("movies"), w.mediaServer())
	w.gone(w.mediaServer())
	w.ready(&v1alpha1.MediaServer{}, "twin")
}

// At one moment both are there, neither with a record: exactly one writes.
func TestTwoMediaServersAtOnce(t *testing.T) {
	t.Parallel()
	w := newIdleWorld(t, memory.Options{})
	w.create(w.mediaServer(), w.twin())
	w.start()
	w.oneWrites()
}

// oneWrites waits until of two MediaServers one is Ready and one Stalled. Made within a second, no age tells which.
func (w *world) oneWrites() {
	w.t.Helper()
	w.eventually("one is Ready and one Stalled", func() bool {
		ready, stalled := 0, 0
		for _, name := range []string{serverName, "twin"} {
			conditions := get(w, &v1alpha1.MediaServer{}, name).Status.Conditions
			if meta.IsStatusConditionTrue(conditions, v1alpha1.ConditionReady) {
				ready++
			}
			if meta.IsStatusConditionTrue(conditions, v1alpha1.ConditionStalled) {
				stalled++
			}
		}
		return ready == 1 && stalled == 1
	})
}

// After a restore of the cluster, ages say nothing: the one with the record goes on. A look at both does not change that,
// nor does another start of the operator.
func TestTheRecordBeatsAge(t *testing.T) {
	t.Parallel()
	w := newIdleWorld(t, memory.Options{})
	older := w.twin()
	older.Annotations = map[string]string{v1alpha1.AnnotationPaused: "true"}
	w.create(older)
	w.start()
	w.create(w.mediaServer())
	w.ready(&v1alpha1.MediaServer{}, serverName)
	annotate(w, "twin", v1alpha1.AnnotationPaused, "false")
	w.wantTwinStalled("twin", serverName)
	w.stop()
	w.start()
	w.look()
	w.ready(&v1alpha1.MediaServer{}, serverName)
	w.wantTwinStalled("twin", serverName)
}

// A copy of a server's data has its identity. At another address it can be declared to be one; at the same it cannot.
func TestDeclaredCopy(t *testing.T) {
	t.Parallel()
	w := newWorld(t, memory.Options{})
	w.create(w.twin())
	w.wantTwinStalled("twin", serverName)
	identity := get(w, w.mediaServer(), serverName).Status.Identity
	annotate(w, "twin", v1alpha1.AnnotationDistinctServer, "something else")
	w.wantTwinStalled("twin", serverName)
	annotate(w, "twin", v1alpha1.AnnotationDistinctServer, identity)
	w.ready(&v1alpha1.MediaServer{}, "twin")
	const sameAddress = "http://MEMORY.test:80/"
	w.fleet.Put(sameAddress, w.store)
	edit(w, w.twin(), func(s *v1alpha1.MediaServer) { s.Spec.URL = sameAddress })
	w.oneWrites()
}

// A plan may be made of a server that another MediaServer manages, since it writes nothing.
func TestObserverBeside(t *testing.T) {
	t.Parallel()
	w := newWorld(t, memory.Options{})
	observer := w.twin()
	observer.Spec.Mode = v1alpha1.ModeObserve
	w.create(observer)
	w.ready(&v1alpha1.MediaServer{}, "twin", serverName)
	edit(w, w.twin(), func(s *v1alpha1.MediaServer) { s.Spec.Mode = v1alpha1.ModeEnforce })
	w.wantTwinStalled("twin", serverName)
}

// Servers without accounts are nobody's: they are not compared.
func TestEmptyServersAreNotCompared(t *testing.T) {
	t.Parallel()
	w := newIdleWorld(t, memory.Options{SetupRequired: true, Identity: "nobody's"})
	w.start()
	twin := w.twin()
	w.fleet.Put(twinURL, memory.NewStore(memory.Options{SetupRequired: true, Identity: "nobody's"}))
	w.create(w.mediaServer(), twin)
	for _, name := range []string{serverName, "twin"} {
		w.condition(&v1alpha1.MediaServer{}, name, v1alpha1.ConditionReady, metav1.ConditionFalse, v1alpha1.ReasonSetupRequired)
	}
}

// Across namespaces nobody is stopped, and both say so without naming each other; the metric names both.
func TestOneServerInTwoNamespaces(t *testing.T) {
	t.Parallel()
	w := newIdleWorld(t, memory.Options{})
	abroad := testenv.Get(t).Namespace(t)
	w.alsoWatched = []string{abroad}
	w.start()
	there, secret := w.twin(), w.secret("home-admin", map[string]string{"username": memory.DefaultOwner, "password": memory.DefaultPassword})
	there.Namespace, secret.Namespace = abroad, abroad
	w.create(w.mediaServer(), secret, there)
	shared := func(namespace, name string) *metav1.Condition {
		server := &v1alpha1.MediaServer{}
		if err := w.client.Get(t.Context(), client.ObjectKey{Namespace: namespace, Name: name}, server); err != nil {
			t.Fatal(err)
		}
		if !meta.IsStatusConditionTrue(server.Status.Conditions, v1alpha1.ConditionReady) {
			return nil
		}
		return meta.FindStatusCondition(server.Status.Conditions, v1alpha1.ConditionIdentityShared)
	}
	w.eventually("both say so", func() bool { return shared(w.namespace, serverName) != nil && shared(abroad, "twin") != nil })
	if c := shared(w.namespace, serverName); c.Status != metav1.ConditionTrue || strings.Contains(c.Message, abroad) {
		t.Errorf("got %v", c)
	}
	here, other := w.namespace+"/"+serverName, abroad+"/twin"
	families, err := w.metrics.Gather()
	if err != nil {
		t.Fatal(err)
	}
	pairs := map[string]bool{}
	for _, family := range families {
		if family.GetName() == "usher_media_server_identity_shared" {
			for _, one := range family.GetMetric() {
				pairs[one.GetLabel()[0].GetValue()+" "+one.GetLabel()[1].GetValue()] = true
			}
		}
	}
	if len(pairs) != 2 || !pairs[here+" "+other] || !pairs[other+" "+here] {
		t.Errorf("the metric tells of %v", pairs)
	}
	if err := w.client.Delete(t.Context(), there); err != nil {
		t.Fatal(err)
	}
	w.eventually("it is alone again", func() bool { return shared(w.namespace, serverName) == nil })
	if n := len(w.store.Writes(memory.SetAccess)); n > 0 {
		t.Errorf("%d writes", n)
	}
}

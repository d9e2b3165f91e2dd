package controller_test

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/util/retry"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/usher-media/usher/api/v1alpha1"
	"github.com/usher-media/usher/internal/app"
	"github.com/usher-media/usher/internal/media"
	"github.com/usher-media/usher/internal/media/memory"
	"github.com/usher-media/usher/internal/testenv"
)

func TestMain(m *testing.M) { testenv.Main(m) }

const (
	serverName = "home"
	serverURL  = "http://memory.test"
)

// world is one namespace with a MediaServer in memory and an operator of its own.
type world struct {
	t         *testing.T
	client    client.Client
	namespace string
	fleet     *memory.Fleet
	store     *memory.Store
	// counting counts the operator's writes to Kubernetes.
	counting *countingClient
	// metrics are the operator's own.
	metrics *prometheus.Registry
	// logged is everything that the operator logged, at every level.
	logged *logBook
	stop   func()
	// probes is where the operator answers /readyz, and policiesEvery how often it proves the admission policies; empty and
	// zero for nowhere and the usual.
	probes        string
	policiesEvery time.Duration
	// releaseAfter is the operator's grace for objects whose MediaServer is gone; zero for the usual.
	releaseAfter time.Duration
	// alsoWatched are other namespaces that the operator looks at.
	alsoWatched []string
	// clock is the operator's, which may be ahead.
	clock *aheadClock
	// pruneWait is how long the operator has a deletion wait; zero for a moment, negative for the usual.
	pruneWait time.Duration
}

// newWorld starts an operator on a namespace of its own, and a MediaServer that is connected.
func newWorld(t *testing.T, options memory.Options) *world {
	t.Helper()
	w := newIdleWorld(t, options)
	w.start()
	w.create(w.mediaServer())
	w.ready(&v1alpha1.MediaServer{}, serverName)
	return w
}

// newIdleWorld is a world whose operator has not started, and without a MediaServer.
func newIdleWorld(t *testing.T, options memory.Options) *world {
	t.Helper()
	env := testenv.Get(t)
	w := &world{t: t, client: env.Client(), namespace: env.Namespace(t), fleet: &memory.Fleet{}, store: memory.NewStore(options), counting: &countingClient{}, logged: &logBook{}, clock: &aheadClock{}}
	w.fleet.Put(serverURL, w.store)
	w.create(w.secret("home-admin", map[string]string{"username": memory.DefaultOwner, "password": memory.DefaultPassword}))
	t.Cleanup(func() { w.checkStatusContract() })
	return w
}

// start starts the operator; it stops with the test, or by stop.
func (w *world) start() { w.t.Helper(); w.openAs(w.fleet.Open) }

// openAs starts an operator whose drivers come from open.
func (w *world) openAs(open media.Open) {
	w.t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	w.metrics = prometheus.NewRegistry()
	mgr, err := app.New(ctx, testenv.Get(w.t).Config(), app.Options{
		Namespace: w.namespace, WatchNamespaces: append([]string{w.namespace}, w.alsoWatched...), MetricsAddress: "0", ProbeAddress: cmp.Or(w.probes, "0"),
		Drivers:   map[v1alpha1.MediaServerType]media.Open{v1alpha1.MediaServerEmbedded: open},
		PruneWait: w.pruneWaitOr(200 * time.Millisecond), Clock: w.clock,
		Name: w.namespace + "-", NewClient: w.counting.wrap, Logger: w.logged.logger(), Metrics: w.metrics, ReleaseAfter: w.releaseAfter,
		PoliciesProvenEvery: w.policiesEvery, AllowServerAddresses: media.Loopback(),
	})
	if err != nil {
		cancel()
		w.t.Fatal(err)
	}
	ended := make(chan error, 1)
	go func() { ended <- mgr.Start(ctx) }()
	var stopped bool
	w.stop = func() {
		if stopped {
			return
		}
		stopped = true
		cancel()
		if err := <-ended; err != nil {
			w.t.Errorf("the operator ended with: %v", err)
		}
	}
	w.t.Cleanup(w.stop)
}

func (w *world) mediaServer() *v1alpha1.MediaServer {
	return &v1alpha1.MediaServer{ObjectMeta: w.meta(serverName), Spec: v1alpha1.MediaServerSpec{
		Type: v1alpha1.MediaServerEmbedded, URL: serverURL,
		Credentials: v1alpha1.Credentials{SecretRef: v1alpha1.SecretReference{Name: "home-admin"}},
		MediaRoots:  []v1alpha1.LibraryPath{"/"},
	}}
}

func (w *world) library(name string, labels ...string) *v1alpha1.Library {
	return &v1alpha1.Library{ObjectMeta: w.meta(name, labels...), Spec: v1alpha1.LibrarySpec{
		ServerRef: v1alpha1.LocalReference{Name: serverName}, DisplayName: strings.ToUpper(name[:1]) + name[1:],
		MediaType: v1alpha1.MediaTypeMovies, Paths: []v1alpha1.LibraryPath{v1alpha1.LibraryPath("/media/" + name)},
	}}
}

func (w *world) user(name string, labels ...string) *v1alpha1.User {
	return &v1alpha1.User{ObjectMeta: w.meta(name, labels...), Spec: v1alpha1.UserSpec{
		ServerRef: v1alpha1.LocalReference{Name: serverName}, Username: name,
	}}
}

// grant joins Libraries and Users by label "set" each, or by name where the text has no "=".
func (w *world) grant(name, libraries, users string) *v1alpha1.LibraryGrant {
	return &v1alpha1.LibraryGrant{ObjectMeta: w.meta(name), Spec: v1alpha1.LibraryGrantSpec{
		Libraries: targets(libraries), Users: targets(users),
	}}
}

func targets(text string) v1alpha1.Targets {
	if text == "*" {
		return v1alpha1.Targets{All: true}
	}
	if key, value, isLabel := strings.Cut(text, "="); isLabel {
		return v1alpha1.Targets{Selector: &v1alpha1.LabelSelector{MatchLabels: map[string]v1alpha1.LabelValue{key: v1alpha1.LabelValue(value)}}}
	}
	var t v1alpha1.Targets
	for name := range strings.SplitSeq(text, ",") {
		t.Refs = append(t.Refs, v1alpha1.LocalReference{Name: name})
	}
	return t
}

func (w *world) secret(name string, data map[string]string) *corev1.Secret {
	return &corev1.Secret{ObjectMeta: w.meta(name), StringData: data}
}

// meta makes metadata; labels come as key=value.
func (w *world) meta(name string, labels ...string) metav1.ObjectMeta {
	m := metav1.ObjectMeta{Namespace: w.namespace, Name: name, Labels: map[string]string{}}
	for _, label := range labels {
		key, value, _ := strings.Cut(label, "=")
		m.Labels[key] = value
	}
	return m
}

func (w *world) create(objects ...client.Object) {
	w.t.Helper()
	for _, object := range objects {
		if err := w.client.Create(w.t.Context(), object); err != nil {
			w.t.Fatal(err)
		}
	}
}

func (w *world) delete(objects ...client.Object) {
	w.t.Helper()
	for _, object := range objects {
		if err := w.client.Delete(w.t.Context(), object); err != nil {
			w.t.Fatal(err)
		}
	}
}

// get reads an object by name into a fresh one of the same kind.
func get[T client.Object](w *world, into T, name string) T {
	w.t.Helper()
	if err := w.client.Get(w.t.Context(), types.NamespacedName{Namespace: w.namespace, Name: name}, into); err != nil {
		w.t.Fatal(err)
	}
	return into
}

// edit changes an object by a merge patch, so that the operator's own writes do not get in the way.
func edit[T client.Object](w *world, object T, change func(T)) {
	w.t.Helper()
	get(w, object, object.GetName())
	base := object.DeepCopyObject().(client.Object)
	change(object)
	if err := w.client.Patch(w.t.Context(), object, client.MergeFrom(base)); err != nil {
		w.t.Fatal(err)
	}
}

// replace updates an object as a whole. What the operator wrote since it was read is a conflict, as for every client, and the
// object is read again.
func replace[T client.Object](w *world, object T, change func(now T)) {
	w.t.Helper()
	err := retry.RetryOnConflict(retry.DefaultBackoff, func() error {
		get(w, object, object.GetName())
		change(object)
		return w.client.Update(w.t.Context(), object)
	})
	if err != nil {
		w.t.Fatal(err)
	}
}

// ready waits until the object is Ready as of its generation, and returns it.
func (w *world) ready(object withStatus, names ...string) {
	w.t.Helper()
	for _, name := range names {
		w.condition(object, name, v1alpha1.ConditionReady, metav1.ConditionTrue, "")
	}
}

type withStatus interface {
	client.Object
	StatusConditions() *[]metav1.Condition
}

// condition waits for a condition as of the object's generation; an empty reason takes any.
func (w *world) condition(object withStatus, name, kind string, status metav1.ConditionStatus, reason string) *metav1.Condition {
	w.t.Helper()
	var last *metav1.Condition
	defer func() {
		if w.t.Failed() {
			w.t.Logf("%T %s: last %s condition: %+v", object, name, kind, last)
		}
	}()
	w.eventually(fmt.Sprintf("%T %s has %s=%s %s", object, name, kind, status, reason), func() bool {
		if err := w.client.Get(w.t.Context(), types.NamespacedName{Namespace: w.namespace, Name: name}, object); err != nil {
			return false
		}
		last = meta.FindStatusCondition(*object.StatusConditions(), kind)
		return last != nil && last.Status == status && (reason == "" || last.Reason == reason) && last.ObservedGeneration == object.GetGeneration()
	})
	return last
}

func (w *world) eventually(what string, condition func() bool) {
	w.t.Helper()
	testenv.Eventually(w.t, what, condition)
}

func (w *world) key(name string) types.NamespacedName {
	return types.NamespacedName{Namespace: w.namespace, Name: name}
}

// gone waits until an object is let go.
func (w *world) gone(object client.Object) {
	w.t.Helper()
	w.eventually(object.GetName()+" is gone", func() bool {
		err := w.client.Get(w.t.Context(), client.ObjectKeyFromObject(object), object)
		return client.IgnoreNotFound(err) == nil && err != nil
	})
}

// sync makes the operator look at the server now, and waits until it has.
func (w *world) sync() {
	w.t.Helper()
	before := w.store.Count(memory.List)
	w.look()
	w.eventually("the server is listed again", func() bool { return w.store.Count(memory.List) > before })
}

func (w *world) look() {
	w.t.Helper()
	edit(w, &v1alpha1.MediaServer{ObjectMeta: w.meta(serverName)}, func(s *v1alpha1.MediaServer) {
		metav1.SetMetaDataAnnotation(&s.ObjectMeta, v1alpha1.AnnotationReconcileNow, time.Now().Format(time.RFC3339Nano))
	})
}

// sees is what a person sees, by the names of the libraries on the server, sorted.
func (w *world) sees(username string) []string {
	w.t.Helper()
	account, found := w.store.Account(username)
	if !found {
		return nil
	}
	names := []string{}
	for _, library := range w.store.Libraries() {
		if account.Access.All || account.Access.Libraries[library.ID] != "" {
			names = append(names, strings.ToLower(library.Name))
		}
	}
	slices.Sort(names)
	return names
}

// seesExactly waits until a person sees exactly these libraries.
func (w *world) seesExactly(username string, libraries ...string) {
	w.t.Helper()
	slices.Sort(libraries)
	w.eventually(fmt.Sprintf("%s sees exactly %v", username, libraries), func() bool {
		return fmt.Sprint(w.sees(username)) == fmt.Sprint(append([]string{}, libraries...))
	})
}

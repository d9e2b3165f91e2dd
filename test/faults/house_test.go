package faults

import (
	"context"
	"fmt"
	"strings"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/apimachinery/pkg/util/wait"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/log"

	"github.com/usher-media/usher/api/v1alpha1"
	"github.com/usher-media/usher/internal/app"
	"github.com/usher-media/usher/internal/media"
	"github.com/usher-media/usher/internal/testenv"
	"github.com/usher-media/usher/test/mortal"
)

const (
	serverName = "home"
	secretName = "home-admin"
)

// house is a namespace with a MediaServer, what serves it, and the oracle that watches.
type house struct {
	t         testing.TB
	client    client.Client
	namespace string
	system    system
	oracle    *oracle
	// process is the operator that runs, if any, and ended is closed when it is gone.
	process *mortal.Process
	ended   chan struct{}
	// informers is the hook for its cache; nil for none.
	informers *informers
	// elect makes it take part in a leader election.
	elect bool
	// stale has its cache not wait until it has seen what its client wrote.
	stale bool
	// up brings back a server that a scenario took down.
	up func()
	// pruneWait is how long a deletion waits; zero for as long as usual.
	pruneWait time.Duration
	// backups each put the server back to what it was.
	backups []func()
	// firstKey is the operator's key that another has taken the place of; nil while it is in place.
	firstKey map[string][]byte
	// takenBack are the uses whose Redemptions a person deleted.
	takenBack []use
	// heal ends the troubles that a random sequence has made.
	heal []func()
}

// newHouse makes a namespace whose MediaServer is connected.
func newHouse(t testing.TB, system system) *house {
	t.Helper()
	env := testenv.Get(t)
	h := &house{t: t, client: env.Client(), namespace: env.Namespace(t), system: system, pruneWait: pruneWait}
	h.oracle = newOracle(h)
	h.create(h.secret(secretName, system.credentials()), h.mediaServer())
	t.Cleanup(func() {
		if h.process != nil {
			h.kill()
		}
	})
	return h
}

// start starts an operator, at which no fault strikes until it is armed.
func (h *house) start() {
	h.t.Helper()
	p := mortal.New(h.oracle.look)
	p.LongestCall = h.system.longestCall()
	h.startWith(p, h.system.open(p))
}

// startWith starts an operator as a process, with drivers whose writes are the process's.
func (h *house) startWith(p *mortal.Process, open media.Open) {
	h.t.Helper()
	h.process, h.ended = p, make(chan struct{})
	options := app.Options{
		Namespace: h.namespace, WatchNamespaces: []string{h.namespace}, MetricsAddress: "0", ProbeAddress: "0", Name: h.namespace + "-",
		Drivers:   map[v1alpha1.MediaServerType]media.Open{h.system.kind(): open},
		NewClient: p.NewClient, LeaderElect: h.elect, LeaseDuration: leaseDuration, Logger: log.Log, PruneWait: h.pruneWait, AllowServerAddresses: media.Loopback(),
	}
	if h.stale { // several namespaces have no such cache
		options.WatchNamespaces = append(options.WatchNamespaces, "default")
	}
	if h.informers != nil {
		options.NewInformer = h.informers.new
	}
	mgr, err := app.New(p.Context(), testenv.Get(h.t).Config(), options)
	if err != nil {
		h.t.Fatal(err)
	}
	ended := h.ended
	go func() {
		defer close(ended)
		_ = mgr.Start(p.Context()) // how a process ends that is killed does not matter
	}()
}

// kill ends the operator without any goodbye, and waits until it is gone.
func (h *house) kill() {
	h.process.Kill()
	<-h.ended
}

// restart kills the operator and starts another.
func (h *house) restart() {
	h.t.Helper()
	h.kill()
	h.start()
}

func (h *house) meta(name string) metav1.ObjectMeta {
	return metav1.ObjectMeta{Namespace: h.namespace, Name: name}
}

func (h *house) mediaServer() *v1alpha1.MediaServer {
	return &v1alpha1.MediaServer{ObjectMeta: h.meta(serverName), Spec: v1alpha1.MediaServerSpec{
		Type: h.system.kind(), URL: h.system.url(), Credentials: v1alpha1.Credentials{SecretRef: v1alpha1.SecretReference{Name: secretName}},
		SyncInterval: new(v1alpha1.NewDuration(time.Hour)), MediaRoots: []v1alpha1.LibraryPath{"/"},
	}}
}

func (h *house) library(name string) *v1alpha1.Library {
	return &v1alpha1.Library{ObjectMeta: h.meta(name), Spec: v1alpha1.LibrarySpec{
		ServerRef: v1alpha1.LocalReference{Name: serverName}, DisplayName: displayName(name),
		MediaType: h.system.mediaType(), Paths: []v1alpha1.LibraryPath{v1alpha1.LibraryPath(h.system.path(name))},
		AdoptionPolicy: v1alpha1.LibraryAdoptionIfUnique,
	}}
}

func displayName(library string) string { return strings.ToUpper(library[:1]) + library[1:] }

func (h *house) user(name string, labels ...string) *v1alpha1.User {
	user := &v1alpha1.User{ObjectMeta: h.meta(name), Spec: v1alpha1.UserSpec{
		ServerRef: v1alpha1.LocalReference{Name: serverName}, Username: name,
	}}
	for _, label := range labels {
		key, value, _ := strings.Cut(label, "=")
		metav1.SetMetaDataLabel(&user.ObjectMeta, key, value)
	}
	return user
}

// grant joins Libraries and Users: names with commas between, "*" for all, or one label as key=value.
func (h *house) grant(name, libraries, users string) *v1alpha1.LibraryGrant {
	return &v1alpha1.LibraryGrant{ObjectMeta: h.meta(name), Spec: v1alpha1.LibraryGrantSpec{Libraries: targets(libraries), Users: targets(users)}}
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

func (h *house) secret(name string, data map[string]string) *corev1.Secret {
	return &corev1.Secret{ObjectMeta: h.meta(name), StringData: data}
}

// create, edit and delete are what people do: each is a revision of the manifests that the oracle must know of.
func (h *house) create(objects ...client.Object) {
	h.t.Helper()
	for _, object := range objects {
		h.oracle.beforeChange(object)
		if err := h.client.Create(context.Background(), object); err != nil {
			h.t.Fatal(err)
		}
	}
}

func (h *house) delete(objects ...client.Object) {
	h.t.Helper()
	for _, object := range objects {
		h.oracle.beforeDelete(object)
		if err := h.client.Delete(context.Background(), object); client.IgnoreNotFound(err) != nil {
			h.t.Fatal(err)
		}
	}
}

// edit changes an object by a merge patch, so that the operator's own writes do not get in the way.
func edit[T client.Object](h *house, object T, change func(T)) {
	h.t.Helper()
	if err := h.client.Get(context.Background(), client.ObjectKeyFromObject(object), object); err != nil {
		h.t.Fatal(err)
	}
	base := object.DeepCopyObject().(client.Object)
	change(object)
	h.oracle.beforeChange(object)
	if err := h.client.Patch(context.Background(), object, client.MergeFrom(base)); err != nil {
		h.t.Fatal(err)
	}
}

// look makes the operator look at the server now.
func (h *house) look() {
	h.t.Helper()
	server := h.mediaServer()
	patch := fmt.Sprintf(`{"metadata":{"annotations":{%q:%q}}}`, v1alpha1.AnnotationReconcileNow, time.Now().Format(time.RFC3339Nano))
	err := h.client.Patch(context.Background(), server, client.RawPatch(types.MergePatchType, []byte(patch)))
	if client.IgnoreNotFound(err) != nil { // one that is gone is not looked at any more
		h.t.Fatal(err)
	}
}

func (h *house) eventually(what string, condition func() bool) {
	h.t.Helper()
	// Many houses ask at once, and each answer takes a list of every kind.
	const every, atMost = 100 * time.Millisecond, 90 * time.Second
	err := wait.PollUntilContextTimeout(context.Background(), every, atMost, true, func(context.Context) (bool, error) { return condition(), nil })
	if err != nil {
		h.t.Fatalf("%s: not seen within %s: %s", h, atMost, what)
	}
}

func (h *house) key(name string) client.ObjectKey {
	return client.ObjectKey{Namespace: h.namespace, Name: name}
}

func (h *house) String() string { return fmt.Sprintf("namespace %s", h.namespace) }

package app_test

import (
	"cmp"
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/go-logr/logr/funcr"
	"github.com/prometheus/client_golang/prometheus"
	dto "github.com/prometheus/client_model/go"
	corev1 "k8s.io/api/core/v1"
	rbacv1 "k8s.io/api/rbac/v1"
	apiextensionsv1 "k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/rest"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/metrics"

	"github.com/usher-media/usher/api/v1alpha1"
	"github.com/usher-media/usher/internal/app"
	"github.com/usher-media/usher/internal/media"
	"github.com/usher-media/usher/internal/media/memory"
	"github.com/usher-media/usher/internal/testenv"
)

func TestMain(m *testing.M) { testenv.Main(m) }

// replica is one operator.
type replica struct {
	t       *testing.T
	metrics *prometheus.Registry
	probes  string
	mu      sync.Mutex
	log     strings.Builder
}

func startReplica(t *testing.T, cfg *rest.Config, name, namespace string, o app.Options) *replica {
	t.Helper()
	r := &replica{t: t, metrics: prometheus.NewRegistry(), probes: freeAddress(t)}
	ctx, cancel := context.WithCancel(context.Background())
	o.Namespace, o.MetricsAddress, o.ProbeAddress, o.Name, o.Metrics = namespace, cmp.Or(o.MetricsAddress, "0"), r.probes, namespace+name+"-", r.metrics
	o.Logger = funcr.New(func(prefix, args string) {
		r.mu.Lock()
		defer r.mu.Unlock()
		fmt.Fprintln(&r.log, prefix, args)
	}, funcr.Options{})
	mgr, err := app.New(ctx, cfg, o)
	if err != nil {
		cancel()
		t.Fatal(err)
	}
	ended := make(chan error, 1)
	go func() { ended <- mgr.Start(ctx) }()
	t.Cleanup(func() { cancel(); <-ended })
	return r
}

func freeAddress(t *testing.T) string {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer listener.Close()
	return listener.Addr().String()
}

// readyz is the status of the readiness probe, and which checks it names as failed.
func (r *replica) readyz() (status int, failed string) {
	response, err := http.Get("http://" + r.probes + "/readyz")
	if err != nil {
		return 0, ""
	}
	defer response.Body.Close()
	text, _ := io.ReadAll(response.Body)
	var names []string
	for line := range strings.Lines(string(text)) {
		if name, bad := strings.CutPrefix(line, "[-]"); bad {
			names = append(names, strings.Fields(name)[0])
		}
	}
	return response.StatusCode, strings.Join(names, " ")
}

// awaitReady waits for the probe's answer, and for the metric to say the same.
func (r *replica) awaitReady(ready bool, checks ...string) {
	r.t.Helper()
	testenv.Eventually(r.t, fmt.Sprintf("ready: %t, failed: %v", ready, checks), func() bool {
		status, failed := r.readyz()
		if (status == http.StatusOK) != ready {
			return false
		}
		for _, check := range checks {
			if !strings.Contains(failed, check) || r.value("usher_ready", check) != 0 {
				return false
			}
		}
		return true
	})
}

func (r *replica) logged() string {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.log.String()
}

// series are the series of a metric.
func (r *replica) series(name string) []*dto.Metric {
	families, err := r.metrics.Gather()
	if err != nil {
		r.t.Error(err)
	}
	for _, family := range families {
		if family.GetName() == name {
			return family.GetMetric()
		}
	}
	return nil
}

// calls counts the series of calls to a media server, which all operators of a process share.
func calls(t *testing.T, server string) (n int) {
	t.Helper()
	families, err := metrics.Registry.Gather()
	if err != nil {
		t.Fatal(err)
	}
	for _, family := range families {
		for _, one := range family.GetMetric() {
			for _, pair := range one.GetLabel() {
				if family.GetName() == "usher_media_server_calls_total" && pair.GetValue() == server {
					n++
				}
			}
		}
	}
	return n
}

// value is that of the series with a label's value; -1 when there is none.
func (r *replica) value(name, label string) float64 {
	for _, one := range r.series(name) {
		for _, pair := range one.GetLabel() {
			if pair.GetValue() == label {
				return one.GetGauge().GetValue()
			}
		}
	}
	return -1
}

// inMemory is a fleet with one media server, and the objects that connect to it.
func inMemory(t *testing.T, c client.Client, namespace string) app.Options {
	t.Helper()
	fleet := &memory.Fleet{}
	fleet.Put("http://memory.test", memory.NewStore(memory.Options{}))
	for _, object := range []client.Object{
		&corev1.Secret{ObjectMeta: metav1.ObjectMeta{Namespace: namespace, Name: "admin"}, StringData: map[string]string{"username": memory.DefaultOwner, "password": memory.DefaultPassword}},
		&v1alpha1.MediaServer{ObjectMeta: metav1.ObjectMeta{Namespace: namespace, Name: "home"}, Spec: v1alpha1.MediaServerSpec{
			Type: v1alpha1.MediaServerEmbedded, URL: "http://memory.test", Credentials: v1alpha1.Credentials{SecretRef: v1alpha1.SecretReference{Name: "admin"}},
		}},
	} {
		if err := c.Create(t.Context(), object); err != nil {
			t.Fatal(err)
		}
	}
	return app.Options{Drivers: map[v1alpha1.MediaServerType]media.Open{v1alpha1.MediaServerEmbedded: fleet.Open}, WatchNamespaces: []string{namespace}}
}

// TestAStandbyTellsOfNoServer: two replicas are ready, and only the one that acts tells of objects and servers.
func TestAStandbyTellsOfNoServer(t *testing.T) {
	env := testenv.Get(t)
	namespace := env.Namespace(t)
	o := inMemory(t, env.Client(), namespace)
	o.LeaderElect = true
	first := startReplica(t, env.Config(), "first", namespace, o)
	testenv.Eventually(t, "the first acts", func() bool { return first.value("usher_media_server_up", namespace+"/home") == 1 })
	second := startReplica(t, env.Config(), "second", namespace, o)
	first.awaitReady(true)
	second.awaitReady(true)
	if listed := first.value("usher_media_server_last_listed_timestamp_seconds", namespace+"/home"); time.Since(time.UnixMilli(int64(listed*1000))) > time.Minute {
		t.Errorf("last listed at %f", listed)
	}
	if interval := first.value("usher_media_server_sync_interval_seconds", namespace+"/home"); interval != 300 {
		t.Errorf("listed every %f s", interval)
	}
	for _, name := range []string{"usher_media_server_up", "usher_media_server_last_listed_timestamp_seconds", "usher_objects", "usher_oldest_unapplied_seconds"} {
		if len(first.series(name)) == 0 || len(second.series(name)) != 0 {
			t.Errorf("%s: %d series of the one that acts, %d of the other", name, len(first.series(name)), len(second.series(name)))
		}
	}
	if found := first.series("usher_drift_found_total"); len(found) != 2 {
		t.Errorf("drift is not counted from the start: %v", found)
	}
	if calls(t, namespace+"/home") == 0 {
		t.Error("calls to the server are not counted")
	}
	server := &v1alpha1.MediaServer{ObjectMeta: metav1.ObjectMeta{Namespace: namespace, Name: "home"}}
	if err := env.Client().Delete(t.Context(), server); err != nil {
		t.Fatal(err)
	}
	testenv.Eventually(t, "the series of a MediaServer go with it", func() bool {
		return first.value("usher_media_server_up", namespace+"/home") == -1 && calls(t, namespace+"/home") == 0
	})
}

// TestMissingRightsMakeItNotReady: which are missing is told by the probe, the metric and the log.
func TestMissingRightsMakeItNotReady(t *testing.T) {
	env := testenv.Get(t)
	namespace := env.Namespace(t)
	var whole rbacv1.ClusterRole
	if err := env.Client().Get(t.Context(), types.NamespacedName{Name: "usher-manager"}, &whole); err != nil {
		t.Fatal(err)
	}
	less := &rbacv1.ClusterRole{ObjectMeta: metav1.ObjectMeta{Name: "less-" + namespace}}
	for _, rule := range whole.Rules {
		for _, resource := range rule.Resources {
			if resource != "invites" && resource != "users/status" {
				rule := rule
				rule.Resources = []string{resource}
				less.Rules = append(less.Rules, rule)
			}
		}
	}
	if err := env.Client().Create(t.Context(), less); err != nil {
		t.Fatal(err)
	}
	operator := env.User(t, "operator-"+namespace, namespace, less.Name)
	o := inMemory(t, env.Client(), namespace)
	r := startReplica(t, operator.Config(), "", namespace, o)
	r.awaitReady(false, "caches", "watches", "rights")
	for _, text := range []string{"not listed yet: invites", "the operator may not list or watch them", "users/status in namespace " + namespace, "invites in namespace " + namespace} {
		testenv.Eventually(t, "the log says: "+text, func() bool { return strings.Contains(r.logged(), text) })
	}
	if kinds := r.value("usher_ready", "kinds"); kinds != 1 {
		t.Errorf("the kinds are there, and the metric says %f", kinds)
	}
	// Given back, it goes on by itself.
	if err := operator.Bind(t.Context(), namespace, "usher-manager"); err != nil {
		t.Fatal(err)
	}
	testenv.Eventually(t, "filled, and allowed", func() bool { return r.value("usher_ready", "caches") == 1 && r.value("usher_ready", "rights") == 1 })
}

// TestMissingKindsMakeItNotReady runs last: it deletes a kind.
func TestMissingKindsMakeItNotReady(t *testing.T) {
	env := testenv.Get(t)
	namespace := env.Namespace(t)
	r := startReplica(t, env.Config(), "", namespace, inMemory(t, env.Client(), namespace))
	r.awaitReady(true)
	crd := &apiextensionsv1.CustomResourceDefinition{}
	if err := env.Client().Get(t.Context(), types.NamespacedName{Name: "redemptions.usher.media"}, crd); err != nil {
		t.Fatal(err)
	}
	if err := env.Client().Delete(t.Context(), crd); err != nil {
		t.Fatal(err)
	}
	r.awaitReady(false, "kinds", "watches")
	for _, text := range []string{"the CustomResourceDefinitions of these are missing: redemptions", "the API server does not know them"} {
		testenv.Eventually(t, "the log says: "+text, func() bool { return strings.Contains(r.logged(), text) })
	}
	again := &apiextensionsv1.CustomResourceDefinition{ObjectMeta: metav1.ObjectMeta{Name: crd.Name}, Spec: crd.Spec}
	testenv.Eventually(t, "the kind is made again", func() bool { return env.Client().Create(t.Context(), again.DeepCopy()) == nil })
	testenv.Eventually(t, "the kinds are there again", func() bool { return r.value("usher_ready", "kinds") == 1 })
}

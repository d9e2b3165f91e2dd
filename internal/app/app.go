// Package app assembles the operator: manager, cache, drivers, controllers.
package app

import (
	"cmp"
	"context"
	"crypto/tls"
	"fmt"
	"net/netip"
	"os"
	"runtime/debug"
	"time"

	"github.com/go-logr/logr"
	"github.com/prometheus/client_golang/prometheus"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/runtime"
	clientgoscheme "k8s.io/client-go/kubernetes/scheme"
	"k8s.io/client-go/rest"
	toolscache "k8s.io/client-go/tools/cache"
	"k8s.io/utils/clock"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/cache"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/config"
	"sigs.k8s.io/controller-runtime/pkg/healthz"
	metricsserver "sigs.k8s.io/controller-runtime/pkg/metrics/server"

	"github.com/usher-media/usher/api/v1alpha1"
	"github.com/usher-media/usher/internal/access"
	"github.com/usher-media/usher/internal/admission"
	"github.com/usher-media/usher/internal/controller"
	"github.com/usher-media/usher/internal/health"
	"github.com/usher-media/usher/internal/media"
	"github.com/usher-media/usher/internal/media/alcoves"
	"github.com/usher-media/usher/internal/media/audiobookshelf"
	"github.com/usher-media/usher/internal/media/dubby"
	"github.com/usher-media/usher/internal/media/embedded"
	"github.com/usher-media/usher/internal/media/jellyfin"
	"github.com/usher-media/usher/internal/media/shisho"
)

// Options of the operator. The zero value is not enough: Namespace and Drivers are needed.
type Options struct {
	// Namespace is the operator's own, where it keeps its key and elects its leader.
	Namespace string
	// WatchNamespaces limits what the operator looks at; empty for all namespaces.
	WatchNamespaces []string
	// MetricsAddress and ProbeAddress to listen on; "0" for none.
	MetricsAddress, ProbeAddress string
	// MetricsAuthentication serves the metrics by HTTPS, and only to who may get the path /metrics of the API server. Usher must
	// be allowed to create TokenReviews and SubjectAccessReviews.
	MetricsAuthentication bool
	// MetricsCertificates is the folder of tls.crt and tls.key for them, read again when they change; empty for a certificate
	// made at each start.
	MetricsCertificates string
	LeaderElect         bool
	// Drivers by type of MediaServer.
	Drivers map[v1alpha1.MediaServerType]media.Open
	// Concurrency; the zero value for the default.
	Concurrency controller.Concurrency
	// Clock, nil for the system's. Time-outs and requeues run on the system's in any case.
	Clock clock.PassiveClock
	// Name makes the controllers' names unique where several operators run in one process; empty otherwise.
	Name string
	// AllowServerAddresses may be dialled though no media server is usually there: loopback (media.Loopback) where
	// everything runs on one machine.
	AllowServerAddresses []netip.Prefix
	// PortalURL is where people reach Usher's own invite pages. The program serves none yet, and leaves it empty.
	PortalURL string
	// ReleaseAfter is how long a deleted object waits for a MediaServer that is gone; zero for the default.
	ReleaseAfter time.Duration
	// PoliciesProvenEvery is how often it is proven that the admission policies bind; zero for the default.
	PoliciesProvenEvery time.Duration
	// PruneWait is how long a deletion waits before it takes anything from anybody; zero for the default.
	PruneWait time.Duration
	// LeaseDuration of the leader election; zero for the default.
	LeaseDuration time.Duration
	// Metrics is where the operator's metrics are registered; nil for nowhere.
	Metrics prometheus.Registerer
	// NewClient replaces the clients, for tests that fail or count calls; nil for the usual ones.
	NewClient client.NewClientFunc
	// NewInformer replaces the cache's informers, for tests that hold events back; nil for the usual ones.
	NewInformer func(toolscache.ListerWatcher, runtime.Object, time.Duration, toolscache.Indexers) toolscache.SharedIndexInformer
	Logger      logr.Logger
}

// Drivers are the drivers of this build.
func Drivers() map[v1alpha1.MediaServerType]media.Open {
	return map[v1alpha1.MediaServerType]media.Open{
		v1alpha1.MediaServerAlcoves:        alcoves.Open,
		v1alpha1.MediaServerAudiobookshelf: audiobookshelf.Open,
		v1alpha1.MediaServerDubby:          dubby.Open,
		v1alpha1.MediaServerEmbedded:       embedded.Open,
		v1alpha1.MediaServerJellyfin:       jellyfin.Open,
		v1alpha1.MediaServerShisho:         shisho.Open,
	}
}

// Scheme knows Usher's kinds and those of Kubernetes.
func Scheme() *runtime.Scheme {
	scheme := runtime.NewScheme()
	for _, add := range []func(*runtime.Scheme) error{clientgoscheme.AddToScheme, v1alpha1.AddToScheme} {
		if err := add(scheme); err != nil {
			panic(err) // only a mistake in the kinds themselves gets here
		}
	}
	return scheme
}

// New makes a manager with all controllers, ready to be started. It reads, or makes, the operator's key.
func New(ctx context.Context, cfg *rest.Config, o Options) (ctrl.Manager, error) {
	scheme := Scheme()
	if o.NewClient == nil {
		o.NewClient = client.New
	}
	live, err := o.NewClient(cfg, client.Options{Scheme: scheme})
	if err != nil {
		return nil, err
	}
	watches := &health.Watches{}
	grants := &access.GrantCache{}
	mgr, err := ctrl.NewManager(cfg, managerOptions(scheme, watches, grants, o))
	if err != nil {
		return nil, err
	}
	keyring, err := controller.LoadKeyring(ctx, live, o.Namespace)
	if err != nil {
		return nil, err
	}
	guard, err := guardPolicies(ctx, mgr, cfg, o)
	if err != nil {
		return nil, err
	}
	kit := &controller.Kit{
		Client: mgr.GetClient(), Cached: mgr.GetCache(), Live: live, Recorder: mgr.GetEventRecorder("usher"),
		Clock: orRealClock(o.Clock), Drivers: o.Drivers, Observe: observeCalls, Forget: forgetCalls, Acting: mgr.Elected(), Keyring: keyring,
		Connections: media.NewConnections(), Events: controller.NewExternalEvents(), ReleaseAfter: cmp.Or(o.ReleaseAfter, controller.DefaultReleaseAfter),
		PruneWait: cmp.Or(o.PruneWait, controller.DefaultPruneWait), PortalURL: o.PortalURL, AllowedAddresses: o.AllowServerAddresses,
		Policies: guard, Grants: grants,
	}
	guard.Changed = func() { kit.PoliciesChanged(ctx) }
	concurrency := o.Concurrency
	if concurrency == (controller.Concurrency{}) {
		concurrency = controller.DefaultConcurrency
	}
	if err := controller.Setup(ctx, mgr, kit, concurrency, o.Name); err != nil {
		return nil, fmt.Errorf("set up the controllers: %w", err)
	}
	if o.Metrics != nil {
		if err := controller.RegisterMetrics(o.Metrics, kit); err != nil {
			return nil, fmt.Errorf("register the metrics: %w", err)
		}
	}
	if err := mgr.AddHealthzCheck("ping", healthz.Ping); err != nil {
		return nil, err
	}
	return monitored(ctx, mgr, watches, guard, o)
}

// guardPolicies proves that the admission policies bind, for the first time before anything is reconciled. It has a client
// of its own: what it asks for is never made, and counts as no write.
func guardPolicies(ctx context.Context, mgr ctrl.Manager, cfg *rest.Config, o Options) (*admission.Guard, error) {
	asking, err := client.New(cfg, client.Options{Scheme: mgr.GetScheme()})
	if err != nil {
		return nil, err
	}
	guard := &admission.Guard{
		Client: asking, Namespaces: o.WatchNamespaces, Everywhere: len(o.WatchNamespaces) == 0,
		Interval: o.PoliciesProvenEvery, Logger: mgr.GetLogger().WithName("admission"),
	}
	if guard.Everywhere {
		guard.Namespaces = []string{o.Namespace}
	}
	guard.Prove(ctx)
	return guard, mgr.Add(guard)
}

// metricsOptions says how the metrics are served.
func metricsOptions(o Options) metricsserver.Options {
	options := metricsserver.Options{BindAddress: o.MetricsAddress}
	if o.MetricsAuthentication {
		options.SecureServing, options.CertDir = true, o.MetricsCertificates
		options.FilterProvider = authenticated
		options.TLSOpts = []func(*tls.Config){func(c *tls.Config) {
			c.MinVersion = tls.VersionTLS12
			c.NextProtos = []string{"http/1.1"} // one scrape at a time needs no streams that a client could reset at no cost
		}}
	}
	return options
}

// SaveMemory has the garbage collector come more than twice as often as usual, unless the environment says how often
// (GOGC): the operator mostly rests, on what it remembers of thousands of objects.
func SaveMemory() {
	if os.Getenv("GOGC") == "" {
		debug.SetGCPercent(40)
	}
}

func managerOptions(scheme *runtime.Scheme, watches *health.Watches, grants *access.GrantCache, o Options) ctrl.Options {
	readYourWrites := true
	options := ctrl.Options{
		Scheme: scheme, Logger: withoutRejectedEvents(o.Logger),
		Metrics:                       metricsOptions(o),
		HealthProbeBindAddress:        o.ProbeAddress,
		LeaderElection:                o.LeaderElect,
		LeaderElectionID:              "usher.usher.media",
		LeaderElectionNamespace:       o.Namespace,
		LeaderElectionReleaseOnCancel: true,
		Controller:                    config.Controller{SkipNameValidation: new(o.Name != "")},
		Cache:                         cache.Options{DefaultTransform: slimmed(grants), NewInformer: o.NewInformer, DefaultWatchErrorHandler: watches.Failed},
		NewClient:                     o.NewClient,
		Client: client.Options{Cache: &client.CacheOptions{
			// A reconcile sees what the one before wrote. Secrets go by the uncached client alone: written through
			// this one, they would start a cache of every Secret.
			EnableReadYourWritesConsistency: &readYourWrites,
			DisableFor:                      []client.Object{&corev1.Secret{}},
		}},
	}
	if o.LeaseDuration > 0 {
		renew, retry := o.LeaseDuration*2/3, o.LeaseDuration/5
		options.LeaseDuration, options.RenewDeadline, options.RetryPeriod = &o.LeaseDuration, &renew, &retry
	}
	if len(o.WatchNamespaces) > 0 {
		options.Cache.DefaultNamespaces = map[string]cache.Config{}
		for _, namespace := range o.WatchNamespaces {
			options.Cache.DefaultNamespaces[namespace] = cache.Config{}
		}
		readYourWrites = len(o.WatchNamespaces) == 1 // not available over several namespaces
	}
	return options
}

func orRealClock(c clock.PassiveClock) clock.PassiveClock {
	if c == nil {
		return clock.RealClock{}
	}
	return c
}

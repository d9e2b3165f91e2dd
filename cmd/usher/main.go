// Command usher is the operator: it makes media servers agree with the Library, User and LibraryGrant manifests.
package main

import (
	"flag"
	"fmt"
	"os"
	"strings"

	"github.com/spf13/pflag"
	"go.uber.org/zap/zapcore"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/log/zap"
	"sigs.k8s.io/controller-runtime/pkg/metrics"

	"github.com/usher-media/usher/internal/app"
)

const usage = `usher makes media servers agree with the manifests in a cluster: who may see which library.

It watches MediaServer, Library, User and LibraryGrant objects, and reports in their status.
It finds the cluster by --kubeconfig, the environment variable KUBECONFIG, or the pod it runs in.

Flags:
`

func main() {
	options, logging := flags()
	ctrl.SetLogger(zap.New(zap.UseFlagOptions(&logging)))
	options.Logger = ctrl.Log
	if err := run(options); err != nil {
		fmt.Fprintln(os.Stderr, "usher:", err)
		os.Exit(1)
	}
}

func flags() (app.Options, zap.Options) {
	options := app.Options{Drivers: app.Drivers(), Metrics: metrics.Registry}
	logging := zap.Options{TimeEncoder: zapcore.RFC3339TimeEncoder}
	set := pflag.NewFlagSet("usher", pflag.ExitOnError)
	set.Usage = func() { fmt.Fprint(os.Stderr, usage+set.FlagUsages()) }
	set.StringVar(&options.Namespace, "namespace", namespace(), "the operator's own namespace, for its key and its leader election")
	set.StringSliceVar(&options.WatchNamespaces, "watch-namespaces", nil, "namespaces to look at; empty for all")
	set.StringVar(&options.MetricsAddress, "metrics-bind-address", ":8080", "address of the Prometheus metrics; 0 for none")
	set.StringVar(&options.ProbeAddress, "health-probe-bind-address", ":8081", "address of /healthz and /readyz; 0 for none")
	refusePortalURL(set)
	set.BoolVar(&options.LeaderElect, "leader-elect", false, "let several replicas elect the one that acts")
	inherited := flag.NewFlagSet("", flag.ContinueOnError)
	logging.BindFlags(inherited)
	flag.VisitAll(func(f *flag.Flag) { inherited.Var(f.Value, f.Name, f.Usage) }) // --kubeconfig
	set.AddGoFlagSet(inherited)
	_ = set.Parse(os.Args[1:])
	return options, logging
}

// namespace is the one the pod runs in, as the manifests tell it.
func namespace() string {
	if name := strings.TrimSpace(os.Getenv("POD_NAMESPACE")); name != "" {
		return name
	}
	return "usher-system"
}

func run(options app.Options) error {
	app.SaveMemory()
	ctx := ctrl.SetupSignalHandler()
	cfg, err := ctrl.GetConfig()
	if err != nil {
		return fmt.Errorf("find the cluster: %w", err)
	}
	mgr, err := app.New(ctx, cfg, options)
	if err != nil {
		return err
	}
	return mgr.Start(ctx)
}

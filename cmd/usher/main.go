// Command usher is the operator: it makes media servers agree with the manifests of a cluster.
package main

import (
	"flag"
	"fmt"
	"io"
	"os"
	"strings"

	"github.com/go-logr/logr"
	"github.com/spf13/pflag"
	"go.uber.org/zap/zapcore"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/log/zap"
	"sigs.k8s.io/controller-runtime/pkg/metrics"

	"github.com/usher-media/usher/internal/app"
	"github.com/usher-media/usher/internal/version"
)

const usage = `usher makes media servers agree with the manifests in a cluster: who may see which library.

  usher [flags]    run the operator
  usher help       show this
  usher version    show the version

It watches MediaServer, Library, User, LibraryGrant, Invite and Redemption objects, and reports in their status.
It finds the cluster by --kubeconfig, the environment variable KUBECONFIG, or the pod it runs in.

Flags:
`

func main() {
	cfg, code := parse(os.Args[1:], os.Stdout, os.Stderr)
	if code >= 0 {
		os.Exit(code)
	}
	logger := newLogger(cfg.logging)
	ctrl.SetLogger(logger)
	cfg.options.Logger = logger
	if err := run(cfg.options); err != nil {
		fmt.Fprintln(os.Stderr, "usher:", err)
		os.Exit(1)
	}
}

// configuration is what the command line says.
type configuration struct {
	options app.Options
	logging zap.Options
}

// parse reads the command line. Where that is all there is to do, it returns the exit code, else -1.
func parse(args []string, stdout, stderr io.Writer) (configuration, int) {
	c := configuration{
		options: app.Options{Drivers: app.Drivers(), Metrics: metrics.Registry},
		// Where in the program an error was logged helps nobody who reads the log: the error says what is the matter.
		logging: zap.Options{TimeEncoder: zapcore.RFC3339TimeEncoder, StacktraceLevel: zapcore.PanicLevel},
	}
	set, help, showVersion := c.flags()
	if err := set.Parse(args); err != nil {
		fmt.Fprintf(stderr, "usher: %v\nusher help shows all flags\n", err)
		return c, 2
	}
	switch command := strings.Join(set.Args(), " "); {
	case *help, command == "help":
		fmt.Fprint(stdout, usage+set.FlagUsages())
		return c, 0
	case *showVersion, command == "version":
		fmt.Fprintln(stdout, "usher", version.Build())
		return c, 0
	case command != "":
		fmt.Fprintf(stderr, "usher: there is no command %q\nusher help shows what there is\n", command)
		return c, 2
	}
	return c, -1
}

func (c *configuration) flags() (set *pflag.FlagSet, help, showVersion *bool) {
	set = pflag.NewFlagSet("usher", pflag.ContinueOnError)
	set.SetOutput(io.Discard)
	set.StringVar(&c.options.Namespace, "namespace", namespace(), "the operator's own namespace, for its key and its leader election")
	set.StringSliceVar(&c.options.WatchNamespaces, "watch-namespaces", nil, "namespaces to look at; empty for all")
	set.StringVar(&c.options.MetricsAddress, "metrics-bind-address", ":8080", "address of the Prometheus metrics; 0 for none")
	set.BoolVar(&c.options.MetricsAuthentication, "metrics-authentication", false, "serve the metrics by HTTPS, and only to who may get the path /metrics")
	set.StringVar(&c.options.MetricsCertificates, "metrics-certificates", "", "folder of tls.crt and tls.key for the metrics; empty for a certificate made at each start")
	set.StringVar(&c.options.ProbeAddress, "health-probe-bind-address", ":8081", "address of /healthz and /readyz; 0 for none")
	refusePortalURL(set)
	set.Var((*prefixes)(&c.options.AllowServerAddresses), "allow-server-addresses", "addresses, as 127.0.0.0/8,::1, that media servers and databases may have though none is usually there: loopback, link-local, multicast and metadata services")
	set.BoolVar(&c.options.LeaderElect, "leader-elect", true, "let replicas elect the one that acts; two that both act undo each other")
	help = set.BoolP("help", "h", false, "show this")
	showVersion = set.Bool("version", false, "show the version")
	inherited := flag.NewFlagSet("", flag.ContinueOnError)
	c.logging.BindFlags(inherited)
	flag.VisitAll(func(f *flag.Flag) {
		if !strings.HasPrefix(f.Name, "test.") {
			inherited.Var(f.Value, f.Name, f.Usage) // --kubeconfig
		}
	})
	set.AddGoFlagSet(inherited)
	return set, help, showVersion
}

func newLogger(o zap.Options, more ...zap.Opts) logr.Logger {
	return zap.New(append([]zap.Opts{zap.UseFlagOptions(&o)}, more...)...)
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

// Command operator is Usher for the benchmark: the same as cmd/usher with its defaults, and it writes profiles of
// itself when it is told to, which the shipped one does not.
package main

import (
	"errors"
	"flag"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"runtime"
	"runtime/pprof"
	"time"

	"github.com/spf13/pflag"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/log/zap"
	"sigs.k8s.io/controller-runtime/pkg/metrics"

	"github.com/usher-media/usher/internal/app"
	"github.com/usher-media/usher/internal/media"
)

func main() {
	options := app.Options{Namespace: "usher-system", Drivers: app.Drivers(), Metrics: metrics.Registry, AllowServerAddresses: media.Loopback()}
	var profiles profiles
	var control string
	pflag.StringVar(&options.MetricsAddress, "metrics-bind-address", "0", "address of the metrics")
	pflag.StringSlice("allow-server-addresses", nil, "taken for cmd/usher's sake: loopback is always allowed here")
	pflag.BoolVar(&options.LeaderElect, "leader-elect", false, "let several replicas elect the one that acts")
	pflag.StringVar(&options.ProbeAddress, "health-probe-bind-address", "0", "address of /healthz and /readyz")
	pflag.StringVar(&profiles.dir, "profiles", ".", "folder for the profiles")
	pflag.StringVar(&control, "control", "", "address where POST /start and /write are taken")
	pflag.CommandLine.AddGoFlagSet(flag.CommandLine) // --kubeconfig
	pflag.Parse()
	ctrl.SetLogger(zap.New())
	options.Logger = ctrl.Log
	go func() {
		fmt.Fprintln(os.Stderr, "operator:", http.ListenAndServe(control, profiles.handler()))
		os.Exit(1)
	}()
	if err := run(options); err != nil {
		fmt.Fprintln(os.Stderr, "operator:", err)
		os.Exit(1)
	}
}

func run(options app.Options) error {
	app.SaveMemory()
	ctx := ctrl.SetupSignalHandler()
	cfg, err := ctrl.GetConfig()
	if err != nil {
		return err
	}
	mgr, err := app.New(ctx, cfg, options)
	if err != nil {
		return err
	}
	return mgr.Start(ctx)
}

// profiles writes profiles into a folder.
type profiles struct {
	dir string
	cpu *os.File
}

func (p *profiles) handler() http.Handler {
	mux := http.NewServeMux()
	for path, do := range map[string]func(*http.Request) error{"POST /start": p.start, "POST /write": p.write} {
		mux.HandleFunc(path, func(w http.ResponseWriter, r *http.Request) {
			if err := do(r); err != nil {
				http.Error(w, err.Error(), http.StatusInternalServerError)
			}
		})
	}
	return mux
}

func (p *profiles) start(*http.Request) (err error) {
	if p.cpu, err = os.Create(filepath.Join(p.dir, fmt.Sprintf("cpu-%d", time.Now().UnixNano()))); err != nil {
		return err
	}
	return pprof.StartCPUProfile(p.cpu)
}

func (p *profiles) write(r *http.Request) error {
	base := filepath.Join(p.dir, filepath.Base(r.FormValue("name")))
	var errs []error
	if p.cpu != nil {
		pprof.StopCPUProfile()
		errs = append(errs, p.cpu.Close(), os.Rename(p.cpu.Name(), base+".cpu"))
		p.cpu = nil
	}
	heap, err := os.Create(base + ".heap")
	if err != nil {
		return errors.Join(append(errs, err)...)
	}
	runtime.GC()
	return errors.Join(append(errs, pprof.WriteHeapProfile(heap), heap.Close())...)
}

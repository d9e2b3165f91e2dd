package testenv

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"time"

	apiextensionsv1 "k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/v1"
	"k8s.io/apimachinery/pkg/runtime"
	clientgoscheme "k8s.io/client-go/kubernetes/scheme"
	"k8s.io/client-go/rest"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/envtest"

	"github.com/usher-media/usher/api/v1alpha1"
)

// startTimeout is generous: on a busy machine of two cores, the API server can take half a minute.
const startTimeout = 3 * time.Minute

// Options of a control plane. The zero value is right for tests.
type Options struct {
	// Assets is the folder of kube-apiserver, etcd and kubectl. Empty: hack/controlplane.sh gets them.
	Assets string
	// Dir holds data, certificates and keys. It must not exist or be empty. Empty: a temporary one, removed by Stop.
	Dir string
	// Log takes the output of kube-apiserver and etcd. Nil drops it.
	Log io.Writer
	// Bare leaves out the kinds, admission policies and roles.
	Bare bool
	// APIServerFlags are more flags of kube-apiserver, by name without dashes.
	APIServerFlags map[string]string
}

// Environment is a running control plane.
type Environment struct {
	// Root of the repository, where config/ is.
	Root string
	// Assets is the folder of kube-apiserver, etcd and kubectl.
	Assets string

	dir       string
	temporary bool
	plane     *envtest.Environment
	config    *rest.Config
	client    client.Client
}

// Start starts a control plane. Stop it.
func Start(ctx context.Context, options Options) (_ *Environment, err error) {
	env := &Environment{Assets: options.Assets, dir: options.Dir}
	if env.Root, err = Root(); err != nil {
		return nil, err
	}
	if env.Assets == "" {
		if env.Assets, err = Assets(ctx, env.Root, os.Stderr); err != nil {
			return nil, err
		}
	}
	defer func() {
		if err != nil {
			err = errors.Join(err, env.Stop())
		}
	}()
	if err = env.makeDir(); err != nil {
		return nil, err
	}
	if err = env.startPlane(options); err != nil {
		return nil, err
	}
	if env.client, err = client.New(env.config, client.Options{Scheme: Scheme()}); err != nil {
		return nil, err
	}
	if options.Bare {
		return env, nil
	}
	return env, env.install(ctx)
}

// Stop ends all processes and removes the temporary folder.
func (e *Environment) Stop() error {
	var errs []error
	if e.plane != nil {
		errs = append(errs, e.plane.Stop())
	}
	if e.temporary {
		errs = append(errs, os.RemoveAll(e.dir))
	}
	return errors.Join(errs...)
}

// Config returns a copy of the configuration of a cluster administrator, to change as one likes.
func (e *Environment) Config() *rest.Config { return rest.CopyConfig(e.config) }

// Client returns a cluster administrator's client. It reads from the API server, not from a cache.
func (e *Environment) Client() client.Client { return e.client }

// Kubectl returns the path of the kubectl that goes with the control plane.
func (e *Environment) Kubectl() string { return filepath.Join(e.Assets, "kubectl") }

// Scheme returns a scheme with the kinds of Kubernetes and of Usher.
func Scheme() *runtime.Scheme {
	scheme := runtime.NewScheme()
	for _, add := range []func(*runtime.Scheme) error{clientgoscheme.AddToScheme, apiextensionsv1.AddToScheme, v1alpha1.AddToScheme} {
		if err := add(scheme); err != nil {
			panic(err) // Only a programming error in a generated package makes this happen.
		}
	}
	return scheme
}

func (e *Environment) makeDir() (err error) {
	if e.dir == "" {
		e.temporary = true
		if e.dir, err = os.MkdirTemp("", "usher-testenv-"); err != nil {
			return err
		}
	}
	for _, path := range []string{e.data("etcd"), e.data("apiserver"), e.data("bin")} {
		err = errors.Join(err, os.MkdirAll(path, 0o700))
	}
	return err
}

// data returns the folder of one of the programs.
func (e *Environment) data(name string) string { return filepath.Join(e.dir, name) }

func (e *Environment) startPlane(options Options) error {
	apiServer, err := shim(e.data("bin"), filepath.Join(e.Assets, "kube-apiserver"))
	if err != nil {
		return err
	}
	etcd, err := shim(e.data("bin"), filepath.Join(e.Assets, "etcd"))
	if err != nil {
		return err
	}
	plane := &envtest.Environment{ControlPlaneStartTimeout: startTimeout, ControlPlaneStopTimeout: time.Minute, Scheme: Scheme()}
	plane.ControlPlane.APIServer = &envtest.APIServer{Path: apiServer, CertDir: e.data("apiserver"), Out: options.Log, Err: options.Log}
	plane.ControlPlane.Etcd = &envtest.Etcd{Path: etcd, DataDir: e.data("etcd"), Out: options.Log, Err: options.Log}
	plane.ControlPlane.KubectlPath = e.Kubectl()
	// Events and leases written by many tests must not be held back by fairness between clients.
	plane.ControlPlane.APIServer.Configure().Set("enable-priority-and-fairness", "false")
	// The clients of a process share a connection. Once its streams (100) are all taken, as by the watches of many operators,
	// the server now and then sees the next one before it has noted the end of the last, and refuses it (PROTOCOL_ERROR).
	plane.ControlPlane.APIServer.Configure().Set("http2-max-streams-per-connection", "5000")
	for name, value := range options.APIServerFlags {
		plane.ControlPlane.APIServer.Configure().Set(name, value)
	}
	if e.config, err = plane.Start(); err != nil {
		return fmt.Errorf("start the control plane: %w", errors.Join(err, plane.Stop()))
	}
	e.plane = plane
	return nil
}

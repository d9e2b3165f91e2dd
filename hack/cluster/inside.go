//go:build linux

package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"net/netip"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"time"

	"github.com/google/go-containerregistry/pkg/name"
	"github.com/google/go-containerregistry/pkg/registry"
	"github.com/google/go-containerregistry/pkg/v1/layout"
	"github.com/google/go-containerregistry/pkg/v1/remote"
	"k8s.io/client-go/tools/clientcmd"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/usher-media/usher/hack/internal/node"
)

const (
	// registryAddress is on the node's loopback, where containerd and Helm speak plain HTTP.
	registryAddress = "127.0.0.1:5000"
	repository      = registryAddress + "/usher"
	chart           = "oci://" + registryAddress + "/charts/usher"
	pause           = registryAddress + "/pause:e2e"
)

// run is what the steps share.
type run struct {
	plan
	node   *node.Node
	kube   client.Client
	server server
	// inCluster is the URL of the media server, as pods reach it.
	inCluster string
	// touches counts how often touched was called.
	touches int
}

// inside runs in the node's namespaces: the registry, the node, and the steps.
func inside(ctx context.Context, dir string) (err error) {
	text, err := os.ReadFile(filepath.Join(dir, planFile))
	if err != nil {
		return err
	}
	r := &run{}
	if err := json.Unmarshal(text, &r.plan); err != nil {
		return err
	}
	if err := os.Setenv("PATH", r.Programs+":"+os.Getenv("PATH")+":/usr/sbin:/sbin"); err != nil {
		return err
	}
	listener, err := net.Listen("tcp", registryAddress)
	if err != nil {
		return err
	}
	images := &http.Server{Handler: registry.New(registry.Logger(log.New(io.Discard, "", 0))), ReadHeaderTimeout: time.Minute}
	go func() { _ = images.Serve(listener) }()
	defer func() { _ = images.Close() }()
	if r.node, err = node.New(filepath.Join(dir, "node"), r.Programs, pause); err != nil {
		return err
	}
	defer func() { err = errors.Join(err, r.node.Stop()) }()
	if err := r.steps(ctx); err != nil {
		return err
	}
	if r.Keep {
		say("the node runs until Ctrl-C; in another terminal:\n  nsenter -a -t $(pgrep -f 'inside %s') env KUBECONFIG=%s %s", dir, r.node.Kubeconfig(), filepath.Join(r.Programs, "kubectl"))
		<-ctx.Done()
	}
	return nil
}

// start pushes the images and the charts, and starts the node.
func (r *run) start(ctx context.Context) (string, error) {
	began := time.Now()
	if err := push(ctx, filepath.Join(r.Dir, "pause"), pause); err != nil {
		return "", err
	}
	for _, k := range []*kit{r.Kit, r.Earlier} {
		if k == nil {
			continue
		}
		if err := push(ctx, k.Image, k.reference()); err != nil {
			return "", err
		}
		if _, err := r.helm(ctx, "push", k.Chart, strings.TrimSuffix(chart, "/usher"), "--plain-http"); err != nil {
			return "", err
		}
	}
	pushed := time.Since(began)
	if err := r.node.Start(ctx); err != nil {
		return "", err
	}
	if err := r.connect(ctx); err != nil {
		return "", err
	}
	version, err := r.kubectl(ctx, "get", "node", node.Name, "-o", "jsonpath={.status.nodeInfo.kubeletVersion} {.status.nodeInfo.containerRuntimeVersion}")
	return fmt.Sprintf("%s; images and charts pushed in %.1f s", version, pushed.Seconds()), err
}

// reference is the name of a kit's image in the registry.
func (k *kit) reference() string { return repository + ":" + k.Version }

// push copies what a folder in the OCI layout holds to the registry.
func push(ctx context.Context, dir, reference string) error {
	index, err := layout.ImageIndexFromPath(dir)
	if err != nil {
		return err
	}
	manifest, err := index.IndexManifest()
	if err != nil {
		return err
	}
	tag, err := name.ParseReference(reference)
	if err != nil {
		return err
	}
	only := manifest.Manifests[0]
	if only.MediaType.IsIndex() {
		inner, err := index.ImageIndex(only.Digest)
		if err != nil {
			return err
		}
		return remote.WriteIndex(tag, inner, remote.WithContext(ctx))
	}
	image, err := index.Image(only.Digest)
	if err != nil {
		return err
	}
	return remote.Write(tag, image, remote.WithContext(ctx))
}

// connect makes the client for the API server, and serves names to the pods.
func (r *run) connect(ctx context.Context) error {
	config, err := clientcmd.BuildConfigFromFlags("", r.node.Kubeconfig())
	if err != nil {
		return err
	}
	if r.kube, err = client.New(config, client.Options{Scheme: scheme()}); err != nil {
		return err
	}
	connection, err := net.ListenPacket("udp", node.DNS)
	if err != nil {
		return err
	}
	context.AfterFunc(ctx, func() { _ = connection.Close() })
	go func() { _ = node.ServeDNS(ctx, connection, r.lookup) }()
	return nil
}

// lookup finds the address of a Service.
func (r *run) lookup(ctx context.Context, service, namespace string) (netip.Addr, bool) {
	address, err := r.clusterIP(ctx, namespace, service)
	if err != nil {
		return netip.Addr{}, false
	}
	ip, err := netip.ParseAddr(address)
	return ip, err == nil
}

// kubectl runs kubectl as the cluster's administrator and returns what it prints.
func (r *run) kubectl(ctx context.Context, args ...string) (string, error) {
	return r.command(ctx, nil, "kubectl", args...)
}

// apply gives kubectl manifests to apply.
func (r *run) apply(ctx context.Context, manifests string) error {
	_, err := r.command(ctx, strings.NewReader(manifests), "kubectl", "apply", "-f", "-")
	return err
}

// helm runs Helm as the cluster's administrator and returns what it prints.
func (r *run) helm(ctx context.Context, args ...string) (string, error) {
	return r.command(ctx, nil, "helm", args...)
}

func (r *run) command(ctx context.Context, in io.Reader, program string, args ...string) (string, error) {
	command := exec.CommandContext(ctx, filepath.Join(r.Programs, program), args...)
	var problems bytes.Buffer
	command.Stdin, command.Stderr, command.Dir = in, &problems, r.Root
	home := filepath.Join(r.Dir, "home")
	command.Env = append(os.Environ(), "KUBECONFIG="+r.node.Kubeconfig(), "HOME="+home,
		"HELM_CACHE_HOME="+home+"/cache", "HELM_CONFIG_HOME="+home+"/config", "HELM_DATA_HOME="+home+"/data")
	out, err := command.Output()
	if err != nil {
		return "", fmt.Errorf("%s %s: %w: %s", program, strings.Join(args, " "), err, strings.TrimSpace(problems.String()))
	}
	return strings.TrimSpace(string(out)), nil
}

// poll asks until something holds, or the time is over; its last complaint is in the error.
func poll(ctx context.Context, within time.Duration, what string, holds func() error) error {
	ctx, cancel := context.WithTimeout(ctx, within)
	defer cancel()
	for {
		err := holds()
		if err == nil {
			return nil
		}
		select {
		case <-ctx.Done():
			return fmt.Errorf("waited %s in vain for %s: %w", within, what, err)
		case <-time.After(200 * time.Millisecond):
		}
	}
}

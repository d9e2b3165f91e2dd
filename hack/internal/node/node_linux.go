package node

import (
	"context"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"time"

	"github.com/usher-media/usher/hack/internal/process"
)

// Name of the node, as Kubernetes knows it.
const Name = "usher-node"

// Node is a Kubernetes of one node. All of it runs inside of the namespaces that Enter makes.
type Node struct {
	// Dir holds its state, Programs what it runs.
	Dir, Programs string
	// Pause is the image of the container that holds a pod's namespaces.
	Pause string

	running []*process.Process
	stopped chan string
}

// New is a node that has not been started. Its folder must be empty, and remain for as long as it runs.
func New(dir, programs, pause string) (*Node, error) {
	n := &Node{Dir: dir, Programs: programs, Pause: pause, stopped: make(chan string, 16)}
	for _, folder := range []string{"log", "pki", "kubeconfig", "cni"} {
		if err := os.MkdirAll(n.path(folder), 0o700); err != nil {
			return nil, err
		}
	}
	if err := n.keys(); err != nil {
		return nil, err
	}
	return n, n.configure()
}

func (n *Node) path(names ...string) string {
	return filepath.Join(append([]string{n.Dir}, names...)...)
}

// Kubeconfig is the file with which an administrator reaches the cluster.
func (n *Node) Kubeconfig() string { return n.path("kubeconfig", "admin") }

// Stopped receives the name of a component that ended by itself.
func (n *Node) Stopped() <-chan string { return n.stopped }

// Start starts the components and waits until pods can run.
func (n *Node) Start(ctx context.Context) error {
	for _, c := range n.control() {
		if err := n.run(c); err != nil {
			return err
		}
	}
	if err := n.await(ctx, "the API server", func() bool { return n.kubectl(ctx, "get", "--raw", "/readyz") == nil }); err != nil {
		return err
	}
	for _, c := range n.workers() {
		if err := n.run(c); err != nil {
			return err
		}
	}
	if err := n.await(ctx, "the node", func() bool {
		return n.kubectl(ctx, "wait", "--for=condition=Ready", "node/"+Name, "--timeout=1s") == nil
	}); err != nil {
		return err
	}
	return n.await(ctx, "the first service account", func() bool { return n.kubectl(ctx, "-n", "default", "get", "serviceaccount", "default") == nil })
}

// Stop ends everything that the node runs, containers too, as switching a machine off would, and keeps its disk.
func (n *Node) Stop() error {
	var failures []error
	for _, p := range slices.Backward(n.running) {
		failures = append(failures, p.Stop())
		if p.Name == "containerd" {
			failures = append(failures, n.endContainers())
		}
	}
	n.running = nil
	return errors.Join(failures...)
}

// endContainers kills what no component waits for: containers, and the shims that hold them.
func (n *Node) endContainers() error {
	shim, err := filepath.EvalSymlinks(filepath.Join(n.Programs, "containerd-shim-runc-v2"))
	if err != nil {
		return err
	}
	entries, err := os.ReadDir("/proc")
	if err != nil {
		return err
	}
	for _, entry := range entries {
		pid, err := strconv.Atoi(entry.Name())
		if err != nil {
			continue
		}
		exe, _ := os.Readlink(filepath.Join("/proc", entry.Name(), "exe"))
		groups, _ := os.ReadFile(filepath.Join("/proc", entry.Name(), "cgroup"))
		if exe != shim && !strings.Contains(string(groups), ":/kubepods") {
			continue
		}
		if err := syscall.Kill(pid, syscall.SIGKILL); err != nil && !errors.Is(err, syscall.ESRCH) {
			return err
		}
	}
	return nil
}

// component is a program of the node.
type component struct {
	name string
	args []string
}

// run starts a component; what it says goes to a file of its name.
func (n *Node) run(c component) error {
	log, err := os.OpenFile(n.path("log", c.name+".log"), os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o644)
	if err != nil {
		return err
	}
	defer func() { _ = log.Close() }()
	p, err := process.Start(c.name, n.Dir, log, n.stopped, filepath.Join(n.Programs, c.name), c.args...)
	if err != nil {
		return err
	}
	n.running = append(n.running, p)
	return nil
}

// await polls until something holds. It fails early when a component has ended.
func (n *Node) await(ctx context.Context, what string, holds func() bool) error {
	ctx, cancel := context.WithTimeout(ctx, 2*time.Minute)
	defer cancel()
	for !holds() {
		select {
		case name := <-n.stopped:
			return fmt.Errorf("%s ended by itself while waiting for %s: %s", name, what, n.Tail(name))
		case <-ctx.Done():
			return fmt.Errorf("waited in vain for %s: %w", what, ctx.Err())
		case <-time.After(200 * time.Millisecond):
		}
	}
	return nil
}

// Tail is the end of what a component said.
func (n *Node) Tail(name string) string {
	file, err := os.Open(n.path("log", name+".log"))
	if err != nil {
		return err.Error()
	}
	defer func() { _ = file.Close() }()
	if size, err := file.Seek(0, io.SeekEnd); err == nil {
		_, _ = file.Seek(max(0, size-2000), io.SeekStart)
	}
	text, err := io.ReadAll(file)
	return strings.TrimSpace(string(text)) + errorText(err)
}

func errorText(err error) string {
	if err == nil {
		return ""
	}
	return " (" + err.Error() + ")"
}

func (n *Node) kubectl(ctx context.Context, args ...string) error {
	command := exec.CommandContext(ctx, filepath.Join(n.Programs, "kubectl"), append([]string{"--kubeconfig", n.Kubeconfig()}, args...)...)
	return command.Run()
}

// keys makes what service accounts are signed with, and a token for each component.
func (n *Node) keys() error {
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		return err
	}
	public, err := x509.MarshalPKIXPublicKey(&key.PublicKey)
	if err != nil {
		return err
	}
	if err := errors.Join(
		n.writePEM("sa.key", "RSA PRIVATE KEY", x509.MarshalPKCS1PrivateKey(key)), n.writePEM("sa.pub", "PUBLIC KEY", public),
	); err != nil {
		return err
	}
	var table strings.Builder
	for _, user := range []struct{ name, user, groups string }{
		{"admin", "admin", "system:masters"},
		{"controller-manager", "system:kube-controller-manager", ""},
		{"scheduler", "system:kube-scheduler", ""},
		{"proxy", "system:kube-proxy", ""},
		{"kubelet", "system:node:" + Name, "system:nodes"},
	} {
		token := rand.Text()
		fmt.Fprintf(&table, "%s,%s,%s,%q\n", token, user.user, user.name, user.groups)
		if err := n.writeKubeconfig(user.name, token); err != nil {
			return err
		}
	}
	return os.WriteFile(n.path("pki", "tokens.csv"), []byte(table.String()), 0o600)
}

func (n *Node) writePEM(name, kind string, content []byte) error {
	return os.WriteFile(n.path("pki", name), pem.EncodeToMemory(&pem.Block{Type: kind, Bytes: content}), 0o600)
}

func (n *Node) writeKubeconfig(name, token string) error {
	text := fmt.Sprintf(`apiVersion: v1
kind: Config
clusters: [{name: node, cluster: {server: "https://%s:6443", certificate-authority: %q}}]
users: [{name: %s, user: {token: %q}}]
contexts: [{name: node, context: {cluster: node, user: %[3]s}}]
current-context: node
`, Address, n.path("pki", "apiserver.crt"), name, token)
	return os.WriteFile(n.path("kubeconfig", name), []byte(text), 0o600)
}

// writeAll writes files below the node's folder.
func (n *Node) writeAll(files map[string]string) error {
	for name, text := range files {
		if err := os.WriteFile(n.path(name), []byte(text), fs.FileMode(0o644)); err != nil {
			return err
		}
	}
	return nil
}

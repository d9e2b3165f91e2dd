package main

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"

	corev1 "k8s.io/api/core/v1"
	rbacv1 "k8s.io/api/rbac/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/usher-media/usher/hack/internal/process"
	"github.com/usher-media/usher/internal/testenv"
)

const (
	// operatorName is who the operator is in the cluster; the audit log counts what it does.
	operatorName               = "usher-bench"
	systemNamespace, namespace = "usher-system", "bench"
)

// start builds the programs and starts the API server, the media server and the operator.
func (b *bench) start(ctx context.Context) error {
	if err := b.build(ctx); err != nil {
		return err
	}
	if err := b.startControlPlane(ctx); err != nil {
		return err
	}
	b.say("  kube-apiserver and etcd run")
	var err error
	if b.media, err = b.startMediaServer(ctx, "mediaserver"); err != nil {
		return err
	}
	if err := b.bindOperator(ctx); err != nil {
		return err
	}
	if b.operator, err = b.startOperator(ctx); err != nil {
		return err
	}
	b.say("  the media server and the operator run")
	return nil
}

// build compiles the shipped programs. With profiles, the operator is the one of hack/bench/operator, which is the
// same but for them.
func (b *bench) build(ctx context.Context) error {
	packages := []string{"./cmd/usher", "./cmd/mediaserver"}
	if b.profile != "" {
		packages = append(packages, "./hack/bench/operator")
	}
	command := exec.CommandContext(ctx, "go", append([]string{"build", "-o", b.bin("") + "/"}, packages...)...)
	command.Dir = b.root
	if out, err := command.CombinedOutput(); err != nil {
		return fmt.Errorf("go build: %w\n%s", err, out)
	}
	return nil
}

func (b *bench) startControlPlane(ctx context.Context) error {
	b.audit = &audit{path: filepath.Join(b.dir, "audit.log"), counts: counts{}}
	policy := filepath.Join(b.dir, "audit-policy.yaml")
	if err := os.WriteFile(policy, []byte(auditPolicy), 0o600); err != nil {
		return err
	}
	log, err := os.Create(filepath.Join(b.logs, "control-plane.log"))
	if err != nil {
		return err
	}
	defer func() { _ = log.Close() }()
	b.env, err = testenv.Start(ctx, testenv.Options{Dir: filepath.Join(b.dir, "control-plane"), Log: log, APIServerFlags: map[string]string{
		"audit-policy-file": policy, "audit-log-path": b.audit.path, "audit-log-maxsize": "4096",
	}})
	if err != nil {
		return err
	}
	config := b.env.Config()
	config.QPS = -1
	b.client, err = client.NewWithWatch(config, client.Options{Scheme: testenv.Scheme()})
	return err
}

// bindOperator gives the operator the roles that its manifests give it, and no more.
func (b *bench) bindOperator(ctx context.Context) error {
	for _, name := range []string{systemNamespace, namespace, bareNamespace} {
		if err := b.client.Create(ctx, &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: name}}); err != nil {
			return err
		}
	}
	if err := b.env.Apply(ctx, filepath.Join(b.root, "config", "rbac"), "Role"); err != nil {
		return err
	}
	binding := &rbacv1.RoleBinding{
		ObjectMeta: metav1.ObjectMeta{Name: operatorName, Namespace: systemNamespace},
		Subjects:   []rbacv1.Subject{{Kind: rbacv1.UserKind, APIGroup: rbacv1.GroupName, Name: operatorName}},
		RoleRef:    rbacv1.RoleRef{APIGroup: rbacv1.GroupName, Kind: "Role", Name: "usher-operator"},
	}
	if err := b.client.Create(ctx, binding); err != nil {
		return err
	}
	user, err := b.env.AddUser(operatorName)
	if err != nil {
		return err
	}
	if err := user.Bind(ctx, "", "usher-manager"); err != nil {
		return err
	}
	return user.WriteKubeconfig(b.kubeconfig())
}

func (b *bench) bin(program string) string { return filepath.Join(b.dir, "bin", program) }

func (b *bench) kubeconfig() string { return filepath.Join(b.dir, "operator.kubeconfig") }

// operator is the running operator.
type operator struct {
	*process.Process
	metrics, control string
}

// startOperator starts the operator with the defaults that are shipped, but for where it listens.
func (b *bench) startOperator(ctx context.Context) (*operator, error) {
	var addresses [3]string
	for i := range addresses {
		var err error
		if addresses[i], err = process.FreeAddress(); err != nil {
			return nil, err
		}
	}
	o := &operator{metrics: "http://" + addresses[0] + "/metrics"}
	program, args := "usher", []string{"--leader-elect=false", "--allow-server-addresses", "127.0.0.0/8,::1", "--kubeconfig", b.kubeconfig(), "--metrics-bind-address", addresses[0], "--health-probe-bind-address", addresses[1]}
	if b.profile != "" {
		o.control = "http://" + addresses[2]
		program, args = "operator", append(args, "--profiles", b.profile, "--control", addresses[2])
	}
	var err error
	if o.Process, err = b.run("operator", b.bin(program), args...); err != nil {
		return nil, err
	}
	if err := b.awaitAnswer(ctx, "http://"+addresses[1]+"/readyz"); err != nil {
		return nil, err
	}
	return o, b.awaitAnswer(ctx, o.metrics)
}

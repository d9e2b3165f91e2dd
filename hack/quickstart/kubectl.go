package main

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
)

// kubectl runs the kubectl that goes with the control plane and returns what it prints.
func (q *quickstart) kubectl(ctx context.Context, args ...string) (string, error) {
	command := exec.CommandContext(ctx, filepath.Join(q.assets, "kubectl"), args...)
	command.Dir = q.root
	command.Env = append(os.Environ(), "KUBECONFIG="+q.kubeconfig())
	var problems bytes.Buffer
	command.Stderr = &problems
	out, err := command.Output()
	if err != nil {
		return "", explain(fmt.Errorf("kubectl %s: %w", strings.Join(args, " "), err), "%s", indented(problems.String()))
	}
	return string(out), nil
}

// install brings in what a cluster needs: kinds, roles, admission policies, and the operator's right to use its roles.
func (q *quickstart) install(ctx context.Context) error {
	for _, args := range [][]string{
		{"apply", "-k", "config/crd"},
		{"wait", "--for=condition=Established", "crd", "--all", "--timeout=60s"},
		{"apply", "-f", "config/manager/namespace.yaml"},
		{"apply", "-k", "config/rbac"},
		{"create", "clusterrolebinding", operator, "--clusterrole=usher-manager", "--user=" + operator},
		{"create", "rolebinding", operator, "--namespace=usher-system", "--role=usher-operator", "--user=" + operator},
	} {
		if _, err := q.kubectl(ctx, args...); err != nil {
			return err
		}
	}
	q.out.ok("kinds, roles and admission policies: config/crd, config/rbac")
	return nil
}

// tables prints what kubectl shows of each kind.
func (q *quickstart) tables(ctx context.Context) error {
	for _, kind := range []string{"mediaservers", "libraries", "users", "librarygrants"} {
		if err := q.table(ctx, kind); err != nil {
			return err
		}
	}
	return nil
}

// table prints what kubectl get shows, as an admin asks.
func (q *quickstart) table(ctx context.Context, what ...string) error {
	args := append(append([]string{"get"}, what...), "-n", namespace)
	out, err := q.kubectl(ctx, args...)
	if err != nil {
		return err
	}
	q.out.say("%s\n%s\n", q.out.paint(faint, "$ kubectl "+strings.Join(args, " ")), strings.TrimRight(out, "\n"))
	return nil
}

//go:build linux

package main

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"time"

	coordinationv1 "k8s.io/api/coordination/v1"
	corev1 "k8s.io/api/core/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/usher-media/usher/hack/internal/household"
)

// burstSize is how many Users come at once.
const burstSize = 12

// burst applies many Users at once, and kills the operator when it has made a few of their accounts.
func (r *run) burst(ctx context.Context) (string, error) {
	var manifests strings.Builder
	var names []string
	for i := range burstSize {
		name := fmt.Sprintf("guest-%d", i)
		names = append(names, name)
		fmt.Fprintf(&manifests, `---
apiVersion: usher.media/v1alpha1
kind: User
metadata: {name: %s, namespace: %s, labels: {burst: "yes"}}
spec: {serverRef: {name: home}, username: %[1]s}
`, name, samples)
	}
	manifests.WriteString(`---
apiVersion: usher.media/v1alpha1
kind: LibraryGrant
metadata: {name: burst, namespace: media}
spec:
  libraries: {refs: [{name: anime}]}
  users: {selector: {matchLabels: {burst: "yes"}}}
`)
	if err := r.apply(ctx, manifests.String()); err != nil {
		return "", err
	}
	var killed int
	if err := poll(ctx, time.Minute, "the first accounts", func() error {
		made, err := r.accounts(ctx, names)
		if err == nil && len(made) < 3 {
			err = fmt.Errorf("%d accounts are made", len(made))
		}
		killed = len(made)
		return err
	}); err != nil {
		return "", err
	}
	if _, err := r.killOperator(ctx, ""); err != nil {
		return "", err
	}
	began := time.Now()
	if _, err := r.awaitReady(ctx); err != nil {
		return "", err
	}
	settled := time.Since(began)
	for _, name := range names {
		if err := r.signIn(ctx, name, name+"-credentials"); err != nil {
			return "", err
		}
		if err := r.expect(ctx, name, household.Anime); err != nil {
			return "", err
		}
	}
	if err := r.matrix(ctx); err != nil {
		return "", err
	}
	if err := r.onlyBurst(ctx, names); err != nil {
		return "", err
	}
	return fmt.Sprintf("killed when %d of %d accounts were made; %.1f s later all were Ready, each made once, and each sees what it should",
		killed, len(names), settled.Seconds()), nil
}

// onlyBurst expects each account of the burst to have been made once, and no other change but theirs.
func (r *run) onlyBurst(ctx context.Context, names []string) error {
	changes, err := r.sinceMark(ctx)
	if err != nil {
		return err
	}
	made := map[string]int{}
	for _, e := range changes {
		switch {
		case e.Action == "user.create" || e.Action == "user.register":
			made[e.Target.Name]++
		case e.Action == "library.grant" && e.Target.Name == household.Anime:
		case strings.HasPrefix(e.Action, "invite.") || strings.HasPrefix(e.Action, "user.") && slices.Contains(names, e.Target.Name):
		default:
			return fmt.Errorf("the server's log has %s", described(changes))
		}
	}
	for _, name := range names {
		if made[name] != 1 {
			return fmt.Errorf("%s was made %d times: %s", name, made[name], described(changes))
		}
	}
	if len(made) != len(names) {
		return fmt.Errorf("other accounts were made: %s", described(changes))
	}
	return nil
}

// accounts are those of the names that the server has.
func (r *run) accounts(ctx context.Context, names []string) ([]string, error) {
	all, err := household.List[struct{ Username string }](ctx, r.owner(), "/v1/users", nil)
	var found []string
	for _, account := range all {
		if slices.Contains(names, account.Username) {
			found = append(found, account.Username)
		}
	}
	return found, err
}

// killOperator kills the operator's process in a pod, or in the only one, as running out of memory would, and returns the pod.
func (r *run) killOperator(ctx context.Context, pod string) (string, error) {
	var pods corev1.PodList
	if err := r.kube.List(ctx, &pods, client.InNamespace(system), client.MatchingLabels{"app.kubernetes.io/instance": "usher"}); err != nil {
		return "", err
	}
	for _, p := range pods.Items {
		if pod != "" && p.Name != pod {
			continue
		}
		pids, err := operatorsIn(string(p.UID))
		if err != nil || len(pids) != 1 {
			return "", fmt.Errorf("pod %s runs %d operators (%v)", p.Name, len(pids), err)
		}
		return p.Name, syscall.Kill(pids[0], syscall.SIGKILL)
	}
	return "", fmt.Errorf("there is no pod %q of the operator", pod)
}

// operatorsIn are the processes of the operator in a pod.
func operatorsIn(uid string) ([]int, error) {
	entries, err := os.ReadDir("/proc")
	if err != nil {
		return nil, err
	}
	var found []int
	for _, entry := range entries {
		pid, err := strconv.Atoi(entry.Name())
		if err != nil {
			continue
		}
		// A process that has ended meanwhile has neither.
		groups, _ := os.ReadFile(filepath.Join("/proc", entry.Name(), "cgroup"))
		line, _ := os.ReadFile(filepath.Join("/proc", entry.Name(), "cmdline"))
		if strings.Contains(string(groups), uid) && strings.HasPrefix(string(line), "/usher\x00") {
			found = append(found, pid)
		}
	}
	return found, nil
}

// leader is the holder of the operator's lease, and the pod that it is in.
func (r *run) leader(ctx context.Context) (holder, pod string, err error) {
	var leases coordinationv1.LeaseList
	if err := r.kube.List(ctx, &leases, client.InNamespace(system)); err != nil {
		return "", "", err
	}
	if len(leases.Items) != 1 || leases.Items[0].Spec.HolderIdentity == nil || *leases.Items[0].Spec.HolderIdentity == "" {
		return "", "", fmt.Errorf("of %d leases, none or more than one has a holder", len(leases.Items))
	}
	holder = *leases.Items[0].Spec.HolderIdentity
	pod, _, _ = strings.Cut(holder, "_")
	return holder, pod, nil
}

// failover runs two replicas, kills the one that leads, and measures when a change takes effect again.
func (r *run) failover(ctx context.Context) (string, error) {
	if err := r.release(ctx, r.Kit, "--set", "replicas=2"); err != nil {
		return "", err
	}
	var before, pod string
	if err := poll(ctx, time.Minute, "a leader", func() (err error) {
		before, pod, err = r.leader(ctx)
		return err
	}); err != nil {
		return "", err
	}
	if _, err := r.killOperator(ctx, pod); err != nil {
		return "", err
	}
	began := time.Now()
	if err := r.apply(ctx, `apiVersion: usher.media/v1alpha1
kind: LibraryGrant
metadata: {name: failover, namespace: media}
spec: {libraries: {refs: [{name: kids-movies}]}, users: {refs: [{name: grace}]}}
`); err != nil {
		return "", err
	}
	if err := poll(ctx, time.Minute, "the change", func() error {
		return r.expect(ctx, "grace", household.Movies, household.TV, household.KidsMovies)
	}); err != nil {
		return "", err
	}
	effective := time.Since(began)
	after, _, err := r.leader(ctx)
	if err != nil || after == before {
		return "", fmt.Errorf("the leader is %q, as before (%v)", after, err)
	}
	if _, err := r.kubectl(ctx, "-n", samples, "delete", "librarygrant", "failover"); err != nil {
		return "", err
	}
	if err := poll(ctx, time.Minute, "the change back", func() error { return r.matrix(ctx) }); err != nil {
		return "", err
	}
	changes, err := r.sinceMark(ctx)
	if err != nil || described(changes) != "user.access grace, user.access grace" {
		return "", fmt.Errorf("the server's log does not have grace's access changed twice, but %s (%v)", described(changes), err)
	}
	return fmt.Sprintf("a grant took effect %.1f s after the kill, by another leader; the server's log has it once", effective.Seconds()), nil
}

// takeAway takes a library from somebody on the server, as its owner, by hand.
func (r *run) takeAway(ctx context.Context, library, from string) error {
	libraries, err := r.owner().Libraries(ctx)
	if err != nil {
		return err
	}
	i := slices.IndexFunc(libraries, func(l household.Library) bool { return l.Name == library })
	if i < 0 {
		return fmt.Errorf("the owner does not see %s", library)
	}
	path := "/v1/libraries/" + libraries[i].ID + "/permissions"
	holders, err := household.List[household.Holder](ctx, r.owner(), path, nil)
	if err != nil {
		return err
	}
	j := slices.IndexFunc(holders, func(h household.Holder) bool { return h.Username == from })
	if j < 0 {
		return fmt.Errorf("%s does not hold %s", from, library)
	}
	status, _, _, err := r.owner().Do(ctx, http.MethodDelete, path+"/"+holders[j].UserID, nil)
	if err == nil && status != http.StatusNoContent {
		err = fmt.Errorf("DELETE %s: %d", path, status)
	}
	return err
}

// diagnose shows what is known when a step has failed.
func (r *run) diagnose(ctx context.Context) string {
	ctx, cancel := context.WithTimeout(ctx, 20*time.Second)
	defer cancel()
	var out strings.Builder
	for _, args := range []string{
		"get pods --all-namespaces -o wide", "get events --all-namespaces --sort-by=.lastTimestamp",
		"-n media get mediaservers,libraries,users,librarygrants", "-n usher-system logs -l app.kubernetes.io/instance=usher --tail=40 --prefix",
		"-n home logs -l app.kubernetes.io/instance=server --tail=20",
	} {
		text, err := r.kubectl(ctx, strings.Fields(args)...)
		lines := strings.Split(text, "\n")
		fmt.Fprintf(&out, "\n$ kubectl %s\n%s\n", args, strings.Join(lines[max(0, len(lines)-60):], "\n"))
		if err != nil && !errors.Is(err, context.DeadlineExceeded) {
			fmt.Fprintln(&out, err)
		}
	}
	for _, name := range []string{"kubelet", "containerd", "kube-apiserver"} {
		fmt.Fprintf(&out, "\n%s: %s\n", name, r.node.Tail(name))
	}
	return out.String()
}

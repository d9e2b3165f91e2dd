//go:build linux

package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/usher-media/usher/api/v1alpha1"
	"github.com/usher-media/usher/hack/internal/household"
	"github.com/usher-media/usher/hack/internal/node"
)

const (
	system  = "usher-system" // the operator's namespace
	home    = "home"         // that of the media server, a release of its own
	samples = "media"        // that of config/samples
	// ready is how long objects may take to become Ready on a busy machine.
	ready = "120s"
)

// steps is the whole proof.
func (r *run) steps(ctx context.Context) error {
	steps := []step{
		{"node", r.start},
		{"chart from the registry", r.install},
		{"media server", r.mediaServer},
		{"samples Ready", r.applySamples},
		{"who sees what", r.ask},
	}
	if r.Earlier != nil {
		steps = append(steps, step{"upgrade with objects in place", r.upgrade})
	}
	return perform(ctx, append(steps,
		step{"operator killed in a burst", r.burst},
		step{"bad image rolled back", r.badImage},
		step{"two replicas, the leader killed", r.failover},
		step{"drain and restart of the node", r.restart},
		step{"uninstall", r.uninstall},
		step{"install again", r.reinstall},
		step{"namespace deleted", r.deleteNamespace},
	), func() string { return r.diagnose(context.WithoutCancel(ctx)) })
}

// release installs or upgrades the operator's release from a kit.
func (r *run) release(ctx context.Context, k *kit, more ...string) error {
	_, err := r.helm(ctx, append([]string{
		"upgrade", "usher", chart, "--install", "--plain-http", "--version", k.Version, "--namespace", system, "--create-namespace",
		"--set", "image.repository=" + repository + ",image.tag=" + k.Version, "--wait", "--timeout", "2m",
	}, more...)...)
	return err
}

func (r *run) install(ctx context.Context) (string, error) {
	if _, err := r.kubectl(ctx, "create", "namespace", system); err != nil {
		return "", err
	}
	if _, err := r.kubectl(ctx, "label", "namespace", system, "pod-security.kubernetes.io/enforce=restricted"); err != nil {
		return "", err
	}
	k := cmp.Or(r.Earlier, r.Kit)
	if err := r.release(ctx, k); err != nil {
		return "", err
	}
	return "helm install " + chart + " of " + k.Commit + " --wait, under Pod Security restricted", nil
}

// mediaServer installs the embedded server as a release of its own: uninstalling the operator must not take it along.
func (r *run) mediaServer(ctx context.Context) (string, error) {
	var volumes strings.Builder
	for name, size := range map[string]string{"data": "5Gi", "media": "1Gi"} {
		folder := filepath.Join(r.Dir, "volumes", name)
		if err := os.MkdirAll(folder, 0o755); err != nil {
			return "", err
		}
		if err := os.Chown(folder, 65532, 65532); err != nil {
			return "", err
		}
		fmt.Fprintf(&volumes, `---
apiVersion: v1
kind: PersistentVolume
metadata: {name: %s}
spec: {capacity: {storage: %s}, accessModes: [ReadWriteOnce], hostPath: {path: %q}, persistentVolumeReclaimPolicy: Retain}
`, name, size, folder)
	}
	for _, library := range []string{"movies", "tv", "kids-movies", "anime"} {
		if err := os.MkdirAll(filepath.Join(r.Dir, "volumes", "media", library), 0o755); err != nil {
			return "", err
		}
	}
	volumes.WriteString(`---
apiVersion: v1
kind: Namespace
metadata: {name: home, labels: {pod-security.kubernetes.io/enforce: restricted}}
---
apiVersion: v1
kind: PersistentVolumeClaim
metadata: {name: media, namespace: home}
spec: {accessModes: [ReadWriteOnce], volumeName: media, storageClassName: "", resources: {requests: {storage: 1Gi}}}
`)
	if err := r.apply(ctx, volumes.String()); err != nil {
		return "", err
	}
	k := cmp.Or(r.Earlier, r.Kit)
	if _, err := r.helm(ctx, "install", "server", chart, "--plain-http", "--version", k.Version, "--namespace", home,
		"--set", "image.repository="+repository+",image.tag="+k.Version,
		"--set", "operator.enabled=false,crds.enabled=false,mediaserver.enabled=true",
		"--set-json", `mediaserver.media=[{"name":"media","mountPath":"/media","readOnly":true,"volume":{"persistentVolumeClaim":{"claimName":"media"}}}]`,
		"--wait", "--timeout", "2m"); err != nil {
		return "", err
	}
	service, err := r.kubectl(ctx, "-n", home, "get", "service", "-l", "app.kubernetes.io/instance=server", "-o", "jsonpath={.items[0].metadata.name}")
	if err != nil {
		return "", err
	}
	address, err := r.clusterIP(ctx, home, service)
	r.server = server{url: "http://" + address + ":3000", people: map[string]*household.Visitor{}}
	r.inCluster = "http://" + service + "." + home + ".svc:3000"
	return r.inCluster + ", SQLite on a PersistentVolume", err
}

// applySamples applies the samples of what is installed, for this server and its folders.
func (r *run) applySamples(ctx context.Context) (string, error) {
	changes := strings.NewReplacer("http://127.0.0.1:3000", r.inCluster, "/tmp/usher-quickstart/media", "/media")
	files, err := filepath.Glob(filepath.Join(cmp.Or(r.Earlier, r.Kit).Samples, "*.yaml"))
	if err != nil {
		return "", err
	}
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			return "", err
		}
		if err := r.apply(ctx, changes.Replace(string(text))); err != nil {
			return "", err
		}
	}
	return r.awaitReady(ctx)
}

// awaitReady waits for every object of the samples' namespace that can be Ready, as of its latest generation.
func (r *run) awaitReady(ctx context.Context) (string, error) {
	out, err := r.kubectl(ctx, "-n", samples, "wait", "--for=condition=Ready", "mediaservers,libraries,users,librarygrants", "--all", "--timeout="+ready)
	return fmt.Sprintf("%d objects", len(strings.Split(out, "\n"))), err
}

// ask signs everybody in, and asks the matrix for the first time.
func (r *run) ask(ctx context.Context) (string, error) {
	for _, person := range household.People {
		if err := r.signIn(ctx, person.Name, person.Secret); err != nil {
			return "", err
		}
	}
	if err := r.matrix(ctx); err != nil {
		return "", err
	}
	made, err := r.sinceMark(ctx)
	return fmt.Sprintf("%d people signed in at the Service, each sees what they should; the server's log has %d changes, by Usher", len(household.People), len(made)), err
}

func (r *run) upgrade(ctx context.Context) (string, error) {
	if err := r.release(ctx, r.Kit); err != nil {
		return "", err
	}
	if err := r.touched(ctx); err != nil {
		return "", err
	}
	return "from " + r.Earlier.Commit + ": everything Ready, nobody's access moved, nothing in the server's log", r.unmoved(ctx)
}

// touched makes the operator that runs now prove that it reconciles: each object changes in a way that moves nobody's access, and
// becomes Ready as of that change.
func (r *run) touched(ctx context.Context) error {
	r.touches++
	var servers v1alpha1.MediaServerList
	var users v1alpha1.UserList
	var grants v1alpha1.LibraryGrantList
	for _, list := range []client.ObjectList{&servers, &users, &grants} {
		if err := r.kube.List(ctx, list, client.InNamespace(samples)); err != nil {
			return err
		}
	}
	patch := func(o client.Object, spec string) error {
		return r.kube.Patch(ctx, o, client.RawPatch(types.MergePatchType, []byte(`{"spec":{`+spec+`}}`)))
	}
	var failures []error
	for i := range servers.Items {
		failures = append(failures, patch(&servers.Items[i], fmt.Sprintf(`"syncInterval":"%ds"`, 10+r.touches)))
	}
	for i := range grants.Items {
		failures = append(failures, patch(&grants.Items[i], fmt.Sprintf(`"expiresAt":"2099-01-%02dT00:00:00Z"`, r.touches)))
	}
	policy := []v1alpha1.UserDeletionPolicy{v1alpha1.UserDeletionRetain, v1alpha1.UserDeletionDisable}[r.touches%2]
	for i := range users.Items {
		if user := &users.Items[i]; user.Spec.Role != v1alpha1.AccountRoleOwner {
			failures = append(failures, patch(user, fmt.Sprintf(`"deletionPolicy":%q`, policy)))
		}
	}
	if err := errors.Join(failures...); err != nil {
		return err
	}
	_, err := r.awaitReady(ctx)
	return err
}

// badImage upgrades to an image that is not there, and expects to be where it was.
func (r *run) badImage(ctx context.Context) (string, error) {
	err := r.release(ctx, r.Kit, "--set", "image.tag=missing", "--rollback-on-failure", "--timeout", "15s")
	if err == nil {
		return "", fmt.Errorf("an image that does not exist was taken for an upgrade")
	}
	image, err := r.kubectl(ctx, "-n", system, "get", "deployment", "usher", "-o", "jsonpath={.spec.template.spec.containers[0].image}")
	if err != nil || image != r.Kit.reference() {
		return "", fmt.Errorf("after the rollback, the image is %q (%v)", image, err)
	}
	if _, err := r.kubectl(ctx, "-n", system, "rollout", "status", "deployment/usher", "--timeout=60s"); err != nil {
		return "", err
	}
	return "Helm went back to " + image, r.unmoved(ctx)
}

// restart drains the node, switches everything on it off and on, control plane too.
func (r *run) restart(ctx context.Context) (string, error) {
	if _, err := r.kubectl(ctx, "drain", node.Name, "--ignore-daemonsets", "--delete-emptydir-data", "--timeout=90s"); err != nil {
		return "", err
	}
	if err := r.node.Stop(); err != nil {
		return "", err
	}
	began := time.Now()
	if err := r.node.Start(ctx); err != nil {
		return "", err
	}
	if _, err := r.kubectl(ctx, "uncordon", node.Name); err != nil {
		return "", err
	}
	for _, workload := range []string{system + " deployment/usher", home + " statefulset"} {
		namespace, name, _ := strings.Cut(workload, " ")
		if _, err := r.kubectl(ctx, "-n", namespace, "rollout", "status", name, "--timeout="+ready); err != nil {
			return "", err
		}
	}
	if err := r.touched(ctx); err != nil {
		return "", err
	}
	return fmt.Sprintf("Ready again %.1f s after the start, nobody's access moved", time.Since(began).Seconds()), r.unmoved(ctx)
}

// count is how many objects of Usher's kinds there are in the samples' namespace.
func (r *run) count(ctx context.Context) (int, error) {
	out, err := r.kubectl(ctx, "-n", samples, "get", "mediaservers,libraries,users,librarygrants,invites", "-o", "name")
	return len(slices.DeleteFunc(strings.Split(out, "\n"), func(line string) bool { return line == "" })), err
}

func (r *run) uninstall(ctx context.Context) (string, error) {
	before, err := r.count(ctx)
	if err != nil {
		return "", err
	}
	if _, err := r.helm(ctx, "uninstall", "usher", "--namespace", system, "--wait", "--timeout", "90s"); err != nil {
		return "", err
	}
	if err := poll(ctx, time.Minute, "what Kubernetes collects after an uninstall", func() error {
		left, err := r.kubectl(ctx, "-n", system, "get", "pods,deployments,services,serviceaccounts,roles", "-o", "name", "-l", "app.kubernetes.io/instance=usher")
		if err == nil && left != "" {
			err = fmt.Errorf("%s is left", left)
		}
		return err
	}); err != nil {
		return "", err
	}
	after, err := r.count(ctx)
	if err != nil || after != before {
		return "", fmt.Errorf("%d of %d objects are left (%v)", after, before, err)
	}
	return fmt.Sprintf("the operator is gone, the kinds and all %d objects stay, and the server is as it was", after), r.unmoved(ctx)
}

// reinstall changes something on the server while no operator runs, installs it again, and expects that to be the only change.
func (r *run) reinstall(ctx context.Context) (string, error) {
	const who = "mia"
	if err := r.takeAway(ctx, household.KidsMovies, who); err != nil {
		return "", err
	}
	if err := r.expect(ctx, who, household.Movies, household.TV, household.Anime); err != nil {
		return "", err
	}
	if _, err := r.sinceMark(ctx); err != nil {
		return "", err
	}
	if err := r.release(ctx, r.Kit); err != nil {
		return "", err
	}
	if err := r.touched(ctx); err != nil {
		return "", err
	}
	if err := poll(ctx, time.Minute, "what was taken by hand", func() error { return r.matrix(ctx) }); err != nil {
		return "", err
	}
	changes, err := r.sinceMark(ctx)
	if err != nil || described(changes) != "user.access "+who {
		return "", fmt.Errorf("the server's log does not have the access of %s given back, but %s (%v)", who, described(changes), err)
	}
	return "everything found again; the server's log has one change: what was taken from " + who + " by hand meanwhile", nil
}

// deleteNamespace deletes the namespace with all objects in it: the server keeps its people and what they see.
func (r *run) deleteNamespace(ctx context.Context) (string, error) {
	began := time.Now()
	if _, err := r.kubectl(ctx, "delete", "namespace", samples, "--timeout=90s"); err != nil {
		return "", err
	}
	took := time.Since(began).Seconds()
	if err := r.matrix(ctx); err != nil {
		return "", err
	}
	changes, err := r.sinceMark(ctx)
	for _, e := range changes {
		// Links are closed; accounts and their access are left as they are.
		if !strings.HasPrefix(e.Action, "invite.") {
			return "", fmt.Errorf("the server's log has %s", described(changes))
		}
	}
	return fmt.Sprintf("gone in %.1f s, nobody's access moved; the server's log: %s", took, cmp.Or(described(changes), "nothing")), err
}

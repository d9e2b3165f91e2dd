package chart

import (
	"context"
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/envtest"

	"github.com/usher-media/usher/internal/testenv"
)

// foreign are kinds of other projects that the chart and the examples make objects of, each from the project's own module.
var foreign = map[string][]string{
	"github.com/prometheus-operator/prometheus-operator@v0.85.0": {
		"example/prometheus-operator-crd/monitoring.coreos.com_servicemonitors.yaml",
		"example/prometheus-operator-crd/monitoring.coreos.com_podmonitors.yaml",
		"example/prometheus-operator-crd/monitoring.coreos.com_prometheusrules.yaml",
	},
	"github.com/fluxcd/source-controller@v1.9.0": {
		"config/crd/bases/source.toolkit.fluxcd.io_ocirepositories.yaml", "config/crd/bases/source.toolkit.fluxcd.io_gitrepositories.yaml",
	},
	"github.com/fluxcd/kustomize-controller@v1.9.0": {"config/crd/bases/kustomize.toolkit.fluxcd.io_kustomizations.yaml"},
	"github.com/fluxcd/helm-controller@v1.4.0":      {"config/crd/bases/helm.toolkit.fluxcd.io_helmreleases.yaml"},
	"github.com/argoproj/argo-cd/v3@v3.4.0":         {"manifests/crds/application-crd.yaml"},
	"github.com/external-secrets/external-secrets@v1.3.2": {
		"config/crds/bases/external-secrets.io_externalsecrets.yaml", "config/crds/bases/external-secrets.io_secretstores.yaml",
	},
	"sigs.k8s.io/gateway-api@v1.6.0": {"config/crd/standard/gateway.networking.k8s.io_httproutes.yaml"},
}

// current is the control plane that installed prepares.
var current *testenv.Environment

// installed gives the test environment the kinds of others, once, and the namespaces.
var installed = sync.OnceValue(func() error {
	env := current
	var paths []string
	for module, files := range foreign {
		folder, err := download(module)
		if err != nil {
			return err
		}
		for _, file := range files {
			paths = append(paths, filepath.Join(folder, file))
		}
	}
	if _, err := envtest.InstallCRDs(env.Config(), envtest.CRDInstallOptions{Paths: paths, ErrorIfPathMissing: true, MaxTime: time.Minute}); err != nil {
		return err
	}
	for _, name := range []string{namespace, "media", "books", "argocd"} {
		o := &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: name, Labels: map[string]string{"pod-security.kubernetes.io/enforce": "restricted"}}}
		if err := env.Client().Create(context.Background(), o); err != nil && !apierrors.IsAlreadyExists(err) {
			return err
		}
	}
	return nil
})

// download returns the folder of a Go module.
func download(module string) (string, error) {
	command := exec.Command("go", "mod", "download", "-json", module)
	command.Stderr = os.Stderr
	command.Dir = os.TempDir() // the main module has nothing to do with it
	out, err := command.Output()
	var answer struct{ Dir string }
	if err == nil {
		err = json.Unmarshal(out, &answer)
	}
	return answer.Dir, err
}

// environment is the control plane, with the kinds of others.
func environment(t *testing.T) *testenv.Environment {
	t.Helper()
	current = testenv.Get(t)
	if err := installed(); err != nil {
		t.Fatal(err)
	}
	return current
}

// kubectl runs kubectl on the control plane.
func kubectl(t *testing.T, env *testenv.Environment, stdin string, args ...string) (string, error) {
	t.Helper()
	command := exec.CommandContext(t.Context(), env.Kubectl(), append([]string{"--kubeconfig", env.Kubeconfig(t)}, args...)...)
	command.Stdin, command.Dir = strings.NewReader(stdin), env.Root
	out, err := command.CombinedOutput()
	return string(out), err
}

// TestTheAPIServerTakesEverything: every object of every case, with no unknown field.
func TestTheAPIServerTakesEverything(t *testing.T) {
	env := environment(t)
	for name, file := range cases(t) {
		t.Run(name, func(t *testing.T) {
			manifest := text(t, "--values", file)
			out, err := kubectl(t, env, manifest, "apply", "--server-side", "--force-conflicts", "--dry-run=server", "--validate=strict", "-f", "-")
			if made := objects(t, manifest); err != nil || strings.Count(out, "(server dry run)") != len(made) {
				t.Errorf("of %d objects: %v\n%s", len(made), err, out)
			}
		})
	}
}

// pods are the templates of the pods that objects make.
func pods(made []*unstructured.Unstructured) (all []*corev1.Pod) {
	for _, object := range made {
		template, found, _ := unstructured.NestedMap(object.Object, "spec", "template")
		if !found || object.GetKind() != "Deployment" && object.GetKind() != "StatefulSet" {
			continue
		}
		text, _ := json.Marshal(template)
		pod := &corev1.Pod{}
		_ = json.Unmarshal(text, pod)
		pod.Name, pod.Namespace = object.GetName(), object.GetNamespace()
		claims, _, _ := unstructured.NestedSlice(object.Object, "spec", "volumeClaimTemplates")
		for range claims {
			pod.Spec.Volumes = append(pod.Spec.Volumes, corev1.Volume{Name: "data"})
		}
		pod.Spec.PriorityClassName = "" // which is made in the same moment
		all = append(all, pod)
	}
	return all
}

// TestPodsAreRestricted: the API server takes the pods of every case where it enforces the level `restricted`.
func TestPodsAreRestricted(t *testing.T) {
	env := environment(t)
	dry := client.NewDryRunClient(env.Client())
	each(t, func(t *testing.T, _ string, made []*unstructured.Unstructured) {
		for _, pod := range pods(made) {
			if err := dry.Create(t.Context(), pod.DeepCopy()); err != nil {
				t.Errorf("%s: %v", pod.Name, err)
			}
			pod.Spec.SecurityContext, pod.Spec.Containers[0].SecurityContext = nil, nil
			if err := dry.Create(t.Context(), pod); err == nil || !strings.Contains(err.Error(), `violates PodSecurity "restricted`) {
				t.Errorf("%s without security contexts: %v", pod.Name, err)
			}
			if pod.Spec.AutomountServiceAccountToken == nil && pod.Spec.Containers[0].Name == "mediaserver" {
				t.Error("the media server gets a token")
			}
		}
	})
}

// TestNotes: what the notes tell people to apply is taken, and they name no more than three steps.
func TestNotes(t *testing.T) {
	env := environment(t)
	for name, file := range cases(t) {
		t.Run(name, func(t *testing.T) {
			out, err := helm(t, "install", release, in(t, "charts", "usher"), "--namespace", namespace, "--values", file, "--dry-run=client")
			if err != nil {
				t.Fatal(err)
			}
			_, notes, found := strings.Cut(out, "\nNOTES:\n")
			if !found || len(strings.TrimSpace(notes)) < 100 {
				t.Fatalf("the notes are\n%s", notes)
			}
			if name == "mediaserver" != !strings.Contains(notes, "\n3. ") || strings.Contains(notes, "\n4. ") {
				t.Errorf("the notes are not the next three commands:\n%s", notes)
			}
			if registry := name == "digest" || name == "everything"; registry == strings.Contains(notes, "image.repository names no registry") {
				t.Errorf("the notes say of the image:\n%s", notes)
			}
			_, manifest, found := strings.Cut(notes, "<<EOF\n")
			if !found {
				return
			}
			if _, typed, _ := strings.Cut(notes, "\n3. "); !typeable(t, typed[strings.Index(typed, "\n"):]) {
				t.Errorf("a shell does not read\n%s", typed)
			}
			manifest, _, _ = strings.Cut(manifest, "\nEOF\n")
			if out, err := kubectl(t, env, manifest, "apply", "--dry-run=server", "--validate=strict", "-f", "-"); err != nil {
				t.Errorf("%v: %s\n%s", err, out, manifest)
			}
		})
	}
}

// typeable says whether a shell reads commands up to the first note, to the end of each document in them.
func typeable(t *testing.T, commands string) bool {
	t.Helper()
	commands, _, _ = strings.Cut(commands, "\nNOTE: ")
	out, err := exec.CommandContext(t.Context(), "bash", "-n", "-c", commands).CombinedOutput()
	return err == nil && len(out) == 0
}

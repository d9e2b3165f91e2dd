package testenv

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/util/wait"
	"k8s.io/apimachinery/pkg/util/yaml"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/envtest"

	"github.com/usher-media/usher/api/v1alpha1"
	"github.com/usher-media/usher/internal/admission"
)

// The API server takes up a new policy or role within a second; a machine under load takes longer.
const (
	pollEvery = 50 * time.Millisecond
	pollFor   = time.Minute
)

// install brings in the kinds, the cluster roles and the admission policies, and waits until they are in force.
func (e *Environment) install(ctx context.Context) error {
	crds := envtest.CRDInstallOptions{
		Paths: []string{filepath.Join(e.Root, "config", "crd", "bases")}, ErrorIfPathMissing: true, MaxTime: pollFor, PollInterval: pollEvery,
	}
	if _, err := envtest.InstallCRDs(e.config, crds); err != nil {
		return fmt.Errorf("install the kinds: %w", err)
	}
	if err := e.Apply(ctx, filepath.Join(e.Root, "config", "rbac"), "ClusterRole"); err != nil {
		return err
	}
	if err := e.Apply(ctx, filepath.Join(e.Root, "config", "admission"), "ValidatingAdmissionPolicy", "ValidatingAdmissionPolicyBinding"); err != nil {
		return err
	}
	return e.awaitPolicies(ctx)
}

// Apply applies all objects of the given kinds that the YAML files of a folder hold.
func (e *Environment) Apply(ctx context.Context, dir string, kinds ...string) error {
	objects, err := Objects(dir)
	if err != nil {
		return err
	}
	for _, object := range objects {
		if !slices.Contains(kinds, object.GetKind()) {
			continue
		}
		err := e.client.Apply(ctx, client.ApplyConfigurationFromUnstructured(object), client.FieldOwner("testenv"), client.ForceOwnership)
		if err != nil {
			return fmt.Errorf("apply %s %s: %w", object.GetKind(), object.GetName(), err)
		}
	}
	return nil
}

// Objects reads all objects of the YAML files of a folder, by file name.
func Objects(dir string) ([]*unstructured.Unstructured, error) {
	files, err := filepath.Glob(filepath.Join(dir, "*.yaml"))
	if err != nil {
		return nil, err
	}
	var all []*unstructured.Unstructured
	for _, file := range files {
		objects, err := decode(file)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", file, err)
		}
		all = append(all, objects...)
	}
	return all, nil
}

func decode(file string) ([]*unstructured.Unstructured, error) {
	text, err := os.ReadFile(file)
	if err != nil {
		return nil, err
	}
	var objects []*unstructured.Unstructured
	decoder := yaml.NewYAMLOrJSONDecoder(bytes.NewReader(text), len(text)+1)
	for {
		object := &unstructured.Unstructured{}
		err := decoder.Decode(&object.Object)
		if errors.Is(err, io.EOF) {
			return objects, nil
		}
		if err != nil {
			return nil, err
		}
		if len(object.Object) > 0 {
			objects = append(objects, object)
		}
	}
}

// awaitPolicies waits until each admission policy refuses what it always refuses, that of the MediaServers' own among them.
func (e *Environment) awaitPolicies(ctx context.Context) error {
	server := &v1alpha1.MediaServer{
		ObjectMeta: metav1.ObjectMeta{Name: "testenv-probe", Namespace: metav1.NamespaceDefault},
		Spec: v1alpha1.MediaServerSpec{
			Type: v1alpha1.MediaServerEmbedded, URL: "http://127.0.0.1",
			Credentials: v1alpha1.Credentials{SecretRef: v1alpha1.SecretReference{Name: "testenv-probe"}},
		},
	}
	if err := e.client.Create(ctx, server); err != nil {
		return err
	}
	var last error
	err := wait.PollUntilContextTimeout(ctx, pollEvery, pollFor, true, func(ctx context.Context) (bool, error) {
		last = admission.Prove(ctx, e.client, metav1.NamespaceDefault)
		return last == nil, nil
	})
	if err != nil {
		return fmt.Errorf("the admission policies are not in force: %w", errors.Join(err, last))
	}
	return e.client.Delete(ctx, server)
}

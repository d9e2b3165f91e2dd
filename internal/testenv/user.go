package testenv

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	authorizationv1 "k8s.io/api/authorization/v1"
	rbacv1 "k8s.io/api/rbac/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/util/wait"
	"k8s.io/client-go/rest"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/envtest"
)

// User is somebody who may do only what RBAC lets them.
type User struct {
	// Name of the user.
	Name string

	env *Environment
	as  *envtest.AuthenticatedUser
}

// AddUser makes a user, with a certificate of its own, who may do nothing yet.
func (e *Environment) AddUser(name string) (*User, error) {
	as, err := e.plane.AddUser(envtest.User{Name: name}, &rest.Config{QPS: e.config.QPS, Burst: e.config.Burst})
	if err != nil {
		return nil, fmt.Errorf("add the user %s: %w", name, err)
	}
	return &User{Name: name, env: e, as: as}, nil
}

// User makes a user who may do what the cluster roles allow within the namespace. A namespace "" means everywhere.
func (e *Environment) User(t testing.TB, name, namespace string, roles ...string) *User {
	t.Helper()
	user, err := e.AddUser(name)
	for _, role := range roles {
		if err == nil {
			err = user.Bind(t.Context(), namespace, role)
		}
	}
	if err != nil {
		t.Fatalf("testenv: %v", err)
	}
	return user
}

// Config returns the user's configuration.
func (u *User) Config() *rest.Config { return rest.CopyConfig(u.as.Config()) }

// Client returns the user's client, which reads from the API server.
func (u *User) Client(t testing.TB) client.Client {
	t.Helper()
	c, err := client.New(u.Config(), client.Options{Scheme: Scheme()})
	if err != nil {
		t.Fatalf("testenv: a client for %s: %v", u.Name, err)
	}
	return c
}

// WriteKubeconfig writes the user's kubeconfig to a file.
func (u *User) WriteKubeconfig(path string) error {
	text, err := u.as.KubeConfig()
	if err != nil {
		return err
	}
	return os.WriteFile(path, text, 0o600)
}

// Kubeconfig returns the path of a file with the user's kubeconfig, removed with the test.
func (u *User) Kubeconfig(t testing.TB) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "kubeconfig")
	if err := u.WriteKubeconfig(path); err != nil {
		t.Fatalf("testenv: the kubeconfig of %s: %v", u.Name, err)
	}
	return path
}

// WriteKubeconfig writes a cluster administrator's kubeconfig to a file.
func (e *Environment) WriteKubeconfig(path string) error {
	return os.WriteFile(path, e.plane.KubeConfig, 0o600)
}

// Kubeconfig returns the path of a file with a cluster administrator's kubeconfig, removed with the test.
func (e *Environment) Kubeconfig(t testing.TB) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "kubeconfig")
	if err := e.WriteKubeconfig(path); err != nil {
		t.Fatalf("testenv: kubeconfig: %v", err)
	}
	return path
}

// Bind lets the user do what a cluster role allows within a namespace ("": everywhere), and waits until it is in force.
func (u *User) Bind(ctx context.Context, namespace, role string) error {
	meta := metav1.ObjectMeta{Name: u.Name + "-" + role, Namespace: namespace}
	subjects := []rbacv1.Subject{{Kind: rbacv1.UserKind, APIGroup: rbacv1.GroupName, Name: u.Name}}
	reference := rbacv1.RoleRef{APIGroup: rbacv1.GroupName, Kind: "ClusterRole", Name: role}
	var binding client.Object = &rbacv1.RoleBinding{ObjectMeta: meta, Subjects: subjects, RoleRef: reference}
	if namespace == "" {
		binding = &rbacv1.ClusterRoleBinding{ObjectMeta: meta, Subjects: subjects, RoleRef: reference}
	}
	if err := u.env.client.Create(ctx, binding); err != nil {
		return err
	}
	var granted rbacv1.ClusterRole
	if err := u.env.client.Get(ctx, client.ObjectKey{Name: role}, &granted); err != nil {
		return err
	}
	return wait.PollUntilContextTimeout(ctx, pollEvery, pollFor, true, func(ctx context.Context) (bool, error) {
		return u.allowed(ctx, namespace, granted.Rules)
	})
}

// allowed says whether the authorizer has seen a binding: whether it allows each verb of the rules.
func (u *User) allowed(ctx context.Context, namespace string, rules []rbacv1.PolicyRule) (bool, error) {
	for _, rule := range rules {
		for _, verb := range rule.Verbs {
			if len(rule.Resources) == 0 {
				continue
			}
			attributes := &authorizationv1.ResourceAttributes{
				Namespace: namespace, Group: rule.APIGroups[0], Resource: rule.Resources[0], Verb: verb,
			}
			if resource, sub, found := strings.Cut(attributes.Resource, "/"); found {
				attributes.Resource, attributes.Subresource = resource, sub
			}
			if len(rule.ResourceNames) > 0 {
				attributes.Name = rule.ResourceNames[0]
			}
			review := &authorizationv1.SubjectAccessReview{
				Spec: authorizationv1.SubjectAccessReviewSpec{User: u.Name, ResourceAttributes: attributes},
			}
			if err := u.env.client.Create(ctx, review); err != nil || !review.Status.Allowed {
				return false, err
			}
		}
	}
	return true, nil
}

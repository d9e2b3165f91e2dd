package app

import (
	"context"
	_ "embed" // the rights of the operator
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	authorizationv1 "k8s.io/api/authorization/v1"
	corev1 "k8s.io/api/core/v1"
	rbacv1 "k8s.io/api/rbac/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/discovery"
	"k8s.io/client-go/rest"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/cache"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/yaml"

	"github.com/usher-media/usher/api/v1alpha1"
	"github.com/usher-media/usher/internal/admission"
	"github.com/usher-media/usher/internal/health"
)

const (
	// kindsEvery is how often the API server is asked for Usher's kinds.
	kindsEvery = 10 * time.Second
	// rightsEvery is how often the operator asks what it may do, while it may do everything.
	rightsEvery = 10 * time.Minute
	// wrongEvery is how often what is wrong is looked at again.
	wrongEvery = 5 * time.Second
)

// role is the ClusterRole of config/rbac, as `make manifests` copies it.
//
//go:embed role.yaml
var role []byte

// operator is a manager whose health is watched from before its caches are filled.
type operator struct {
	ctrl.Manager
	monitor *health.Monitor
	// caches says which caches have not been filled.
	caches health.Check
}

// Start implements ctrl.Manager.
func (o operator) Start(ctx context.Context) error {
	ctx, cancel := context.WithCancel(ctx)
	ended := make(chan struct{})
	go func() { defer close(ended); o.monitor.Run(ctx) }()
	defer func() { cancel(); <-ended }()
	stopped := make(chan error, 1)
	go func() { stopped <- o.Manager.Start(ctx) }()
	select {
	case err := <-stopped:
		return err
	case <-ctx.Done():
	}
	if o.caches() != nil {
		return nil // a manager that still waits for its caches does not end when it is told to; nothing has begun yet
	}
	return <-stopped
}

// monitored adds the checks of health to a manager: to its readiness probe, its log and its metrics.
func monitored(ctx context.Context, mgr ctrl.Manager, watches *health.Watches, guard *admission.Guard, o Options) (operator, error) {
	out := operator{Manager: mgr, monitor: health.New(mgr.GetLogger().WithName("health"))}
	var err error
	if out.caches, err = cachesFilled(ctx, mgr.GetCache()); err != nil {
		return out, err
	}
	kinds, err := kindsServed(mgr.GetConfig())
	if err != nil {
		return out, err
	}
	rights, err := rightsGiven(mgr.GetConfig(), o.WatchNamespaces)
	if err != nil {
		return out, err
	}
	out.monitor.Add("caches", out.caches)
	out.monitor.Add("watches", watches.Check)
	out.monitor.Add("admission-policies", func() error { return guard.Ready(nil) })
	out.monitor.AddProbe("kinds", health.NewProbe(kindsEvery, wrongEvery, kinds))
	out.monitor.AddProbe("rights", health.NewProbe(rightsEvery, wrongEvery, rights))
	for name, check := range out.monitor.Checkers() {
		if err := mgr.AddReadyzCheck(name, check); err != nil {
			return out, err
		}
	}
	if o.Metrics == nil {
		return out, nil
	}
	return out, o.Metrics.Register(out.monitor)
}

// watched are the kinds that the operator follows.
func watched() map[string]client.Object {
	secrets := &metav1.PartialObjectMetadata{}
	secrets.SetGroupVersionKind(corev1.SchemeGroupVersion.WithKind("Secret"))
	return map[string]client.Object{
		"mediaservers": &v1alpha1.MediaServer{}, "libraries": &v1alpha1.Library{}, "users": &v1alpha1.User{},
		"librarygrants": &v1alpha1.LibraryGrant{}, "invites": &v1alpha1.Invite{}, "redemptions": &v1alpha1.Redemption{}, "secrets": secrets,
	}
}

// cachesFilled makes the caches of all kinds, so that a standby replica has them too, and says which have not been
// filled yet.
func cachesFilled(ctx context.Context, all cache.Cache) (health.Check, error) {
	informers := map[string]cache.Informer{}
	for name, object := range watched() {
		informer, err := all.GetInformer(ctx, object, cache.BlockUntilSynced(false))
		if err != nil {
			return nil, fmt.Errorf("watch %s: %w", name, err)
		}
		informers[name] = informer
	}
	return func() error {
		var missing []string
		for name, informer := range informers {
			if !informer.HasSynced() {
				missing = append(missing, name)
			}
		}
		if len(missing) == 0 {
			return nil
		}
		slices.Sort(missing)
		return fmt.Errorf("not listed yet: %s", strings.Join(missing, ", "))
	}, nil
}

// kindsServed asks the API server whether it is there, and knows Usher's kinds.
func kindsServed(cfg *rest.Config) (func(context.Context) error, error) {
	api, err := discovery.NewDiscoveryClientForConfig(cfg)
	if err != nil {
		return nil, err
	}
	return func(ctx context.Context) error {
		var served metav1.APIResourceList
		err := api.RESTClient().Get().AbsPath("/apis/" + v1alpha1.GroupVersion.String()).Do(ctx).Into(&served)
		if err != nil && !apierrors.IsNotFound(err) {
			return fmt.Errorf("ask the API server: %w", err)
		}
		var missing []string
		for name, object := range watched() {
			if _, ours := object.(*metav1.PartialObjectMetadata); !ours && !slices.ContainsFunc(served.APIResources, func(r metav1.APIResource) bool { return r.Name == name }) {
				missing = append(missing, name)
			}
		}
		if len(missing) == 0 {
			return nil
		}
		slices.Sort(missing)
		return fmt.Errorf("the CustomResourceDefinitions of these are missing: %s (config/crd)", strings.Join(missing, ", "))
	}, nil
}

// rightsGiven asks the API server whether the operator may do what its role says.
func rightsGiven(cfg *rest.Config, namespaces []string) (func(context.Context) error, error) {
	var granted rbacv1.ClusterRole
	if err := yaml.Unmarshal(role, &granted); err != nil {
		return nil, fmt.Errorf("read the operator's role: %w", err)
	}
	asks, err := client.New(cfg, client.Options{Scheme: Scheme()})
	if err != nil {
		return nil, err
	}
	if len(namespaces) == 0 {
		namespaces = []string{metav1.NamespaceAll}
	}
	return func(ctx context.Context) error {
		missing := map[string][]string{} // verbs by what they are for
		for _, attributes := range needed(granted.Rules, namespaces) {
			review := &authorizationv1.SelfSubjectAccessReview{Spec: authorizationv1.SelfSubjectAccessReviewSpec{ResourceAttributes: &attributes}}
			if err := asks.Create(ctx, review); err != nil {
				return fmt.Errorf("ask the API server what the operator may do: %w", err)
			}
			if !review.Status.Allowed {
				on := place(attributes)
				missing[on] = append(missing[on], attributes.Verb)
			}
		}
		if len(missing) == 0 {
			return nil
		}
		return fmt.Errorf("the operator may not %s (config/rbac)", listed(missing))
	}, nil
}

// needed are the rights of rules on what is in a namespace, one by one.
func needed(rules []rbacv1.PolicyRule, namespaces []string) (all []authorizationv1.ResourceAttributes) {
	for _, rule := range rules {
		for _, group := range rule.APIGroups {
			if group != "" && group != v1alpha1.GroupVersion.Group {
				continue
			}
			for _, resource := range rule.Resources {
				if resource == "namespaces" {
					continue
				}
				name, sub, _ := strings.Cut(resource, "/")
				for _, verb := range rule.Verbs {
					for _, namespace := range namespaces {
						all = append(all, authorizationv1.ResourceAttributes{Namespace: namespace, Group: group, Resource: name, Subresource: sub, Verb: verb})
					}
				}
			}
		}
	}
	return all
}

func place(a authorizationv1.ResourceAttributes) string {
	resource, in := a.Resource, "in all namespaces"
	if a.Subresource != "" {
		resource += "/" + a.Subresource
	}
	if a.Namespace != "" {
		in = "in namespace " + a.Namespace
	}
	return resource + " " + in
}

// listed says the first of what is missing in words.
func listed(missing map[string][]string) string {
	const most = 5
	var all []string
	for _, on := range slices.Sorted(maps.Keys(missing)) {
		all = append(all, strings.Join(missing[on], ", ")+" "+on)
	}
	if len(all) > most {
		all = append(all[:most], fmt.Sprintf("and more on %d others", len(all)-most))
	}
	return strings.Join(all, "; ")
}

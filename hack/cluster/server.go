//go:build linux

package main

import (
	"context"
	"fmt"
	"slices"
	"strings"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/runtime"
	utilruntime "k8s.io/apimachinery/pkg/util/runtime"
	clientgoscheme "k8s.io/client-go/kubernetes/scheme"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/usher-media/usher/api/v1alpha1"
	"github.com/usher-media/usher/hack/internal/household"
)

// server is the media server as people reach it: by its Service, each with a session of their own.
type server struct {
	url    string
	people map[string]*household.Visitor
	// mark is the newest entry of the audit log that was looked at.
	mark string
}

// entry of the server's audit log.
type entry struct {
	ID, Action string
	Target     struct{ Name string }
}

func scheme() *runtime.Scheme {
	s := runtime.NewScheme()
	utilruntime.Must(clientgoscheme.AddToScheme(s))
	utilruntime.Must(v1alpha1.AddToScheme(s))
	return s
}

// clusterIP is the address of a Service.
func (r *run) clusterIP(ctx context.Context, namespace, name string) (string, error) {
	var service corev1.Service
	err := r.kube.Get(ctx, client.ObjectKey{Namespace: namespace, Name: name}, &service)
	return service.Spec.ClusterIP, err
}

// signIn signs somebody in with the password from a Secret.
func (r *run) signIn(ctx context.Context, name, secret string) error {
	var found corev1.Secret
	if err := r.kube.Get(ctx, client.ObjectKey{Namespace: samples, Name: secret}, &found); err != nil {
		return fmt.Errorf("the password of %s: %w", name, err)
	}
	visitor, err := household.SignIn(ctx, r.server.url, name, string(found.Data["password"]))
	if err != nil {
		return err
	}
	r.server.people[name] = visitor
	return nil
}

// sees are the names of the libraries that somebody sees.
func (r *run) sees(ctx context.Context, name string) ([]string, error) {
	libraries, err := r.server.people[name].Libraries(ctx)
	if err != nil {
		return nil, fmt.Errorf("as %s: %w", name, err)
	}
	var names []string
	for _, library := range libraries {
		names = append(names, library.Name)
	}
	slices.Sort(names)
	return names, nil
}

// expect fails when somebody sees other libraries than these.
func (r *run) expect(ctx context.Context, name string, libraries ...string) error {
	seen, err := r.sees(ctx, name)
	if err != nil {
		return err
	}
	if wanted := slices.Sorted(slices.Values(libraries)); !slices.Equal(seen, wanted) {
		return fmt.Errorf("%s sees %q, not %q", name, seen, wanted)
	}
	return nil
}

// matrix asks as each person of the household what they see.
func (r *run) matrix(ctx context.Context) error {
	for _, person := range household.People {
		if err := r.expect(ctx, person.Name, person.Sees...); err != nil {
			return err
		}
	}
	return nil
}

// owner is whose account may read the audit log.
func (r *run) owner() *household.Visitor { return r.server.people[household.People[0].Name] }

// sinceMark are the entries of the audit log after the mark that move somebody's access, and moves the mark. Sessions and scans
// give nobody anything.
func (r *run) sinceMark(ctx context.Context) ([]entry, error) {
	all, err := household.List[entry](ctx, r.owner(), "/v1/audit-log", nil)
	if err != nil || len(all) == 0 {
		return nil, fmt.Errorf("the audit log, of %d entries (%v)", len(all), err)
	}
	changes := changesAfter(all, r.server.mark)
	r.server.mark = all[0].ID
	return changes, nil
}

// changesAfter are those of the entries, the newest first, that are newer than the mark and move access, the oldest first.
func changesAfter(all []entry, mark string) []entry {
	var changes []entry
	for _, e := range all {
		if e.ID == mark {
			break
		}
		if !strings.HasPrefix(e.Action, "session.") && e.Action != "library.scan" {
			changes = append(changes, e)
		}
	}
	slices.Reverse(changes)
	return changes
}

// unmoved fails when somebody sees something else than they should, or when anything happened on the server since the mark that
// gives or takes access.
func (r *run) unmoved(ctx context.Context) error {
	if err := r.matrix(ctx); err != nil {
		return err
	}
	changes, err := r.sinceMark(ctx)
	if err != nil {
		return err
	}
	if len(changes) > 0 {
		return fmt.Errorf("the server's log has %d changes: %s", len(changes), described(changes))
	}
	return nil
}

func described(changes []entry) string {
	var words []string
	for _, e := range changes {
		words = append(words, e.Action+" "+e.Target.Name)
	}
	return strings.Join(words, ", ")
}

package controller

import (
	"context"

	"github.com/usher-media/usher/api/v1alpha1"
	"github.com/usher-media/usher/internal/access/plan"
)

// While the admission policies are not known to bind, nobody was asked who may have what they guard. Then nobody is given
// it: not the role Owner or Admin, not access to all libraries, no account by adoptionPolicy Always. What was given before
// stays, and is taken as ever.

// notAsked is the outcome of an object that is not given what it asks for.
func notAsked(what string) *outcome {
	return waiting(v1alpha1.ReasonPoliciesNotBound, "%s needs permission to administer the MediaServer, and the admission policies that ask for it are not known to bind: apply config/crd, which holds them (kubectl apply -k config/crd); until then nothing is given, and what was given before stays", what)
}

// strong says what of a User the policies guard; empty for an ordinary one.
func (p *userPass) strong() string { return plan.Guarded(p.user, p.able()) }

// mayObtain says why no account may be made or adopted now; nil when one may.
func (r *userReconciler) mayObtain(ctx context.Context, p *userPass, adopts bool) *outcome {
	asks := p.strong()
	if asks == "" && adopts && p.adoptionPolicy() == v1alpha1.AccountAdoptionAlways {
		asks = "adoptionPolicy Always"
	}
	if asks == "" || r.Policies.BoundNow(ctx) {
		return nil
	}
	return notAsked(asks)
}

// PoliciesChanged brings back what waits for the admission policies, or was given while they bound.
func (k *Kit) PoliciesChanged(ctx context.Context) {
	var servers v1alpha1.MediaServerList
	if err := k.Client.List(ctx, &servers); err != nil {
		return // the cache is not there yet, and nothing waits
	}
	for i := range servers.Items {
		key := serverKey(servers.Items[i].Namespace, servers.Items[i].Name)
		if servers.Items[i].Spec.AdoptionPolicy == v1alpha1.AccountAdoptionAlways {
			k.Events.Server(key) // to note since when they ask
		}
		k.Events.users.Enqueue(key, 0)
		k.Events.libraries.Enqueue(key, 0)
	}
}

package controller

import (
	"context"

	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/log"

	"github.com/usher-media/usher/api/v1alpha1"
)

// grantsOf lists the LibraryGrants of a namespace from the cache, for reading alone. It has those forgotten that are compiled
// and gone, but for what a departure may still ask for.
func (k *Kit) grantsOf(ctx context.Context, namespace string) ([]v1alpha1.LibraryGrant, error) {
	var grants v1alpha1.LibraryGrantList
	if err := k.Client.List(ctx, &grants, client.InNamespace(namespace), client.UnsafeDisableDeepCopy); err != nil {
		return nil, err
	}
	k.Grants.Keep(namespace, grants.Items, k.departures.grants.remembered(namespace)...)
	return grants.Items, nil
}

// grantsIn is grantsOf for a map function, which has nowhere to send an error (see list).
func (k *Kit) grantsIn(ctx context.Context, namespace string) []v1alpha1.LibraryGrant {
	grants, err := k.grantsOf(ctx, namespace)
	if err != nil {
		log.FromContext(ctx).Error(err, "could not list what a change concerns")
	}
	return grants
}

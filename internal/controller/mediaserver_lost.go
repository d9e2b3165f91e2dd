package controller

import (
	"context"

	"github.com/usher-media/usher/api/v1alpha1"
)

// knownIdentity is the server that a MediaServer has been connected to; empty before the first time. Where the record was
// lost, as when the whole object is replaced by its manifest, the status remembers it, and an object that has recorded the
// same server bears witness: in mode Observe nothing is recorded, and any server may answer.
func (r *mediaServerReconciler) knownIdentity(ctx context.Context, server *v1alpha1.MediaServer) string {
	remembered := server.Status.Identity
	if recorded := readIdentity(server); recorded != "" || remembered == "" {
		return recorded
	}
	declared, err := r.objectsOf(ctx, server)
	if err != nil {
		return remembered
	}
	for i := range declared.users {
		if parseRecord(&declared.users[i]).Server == remembered {
			return remembered
		}
	}
	for i := range declared.libraries {
		if parseRecord(&declared.libraries[i]).Server == remembered {
			return remembered
		}
	}
	return ""
}

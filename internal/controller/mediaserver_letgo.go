package controller

import (
	"context"
	"encoding/json"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/api/meta"
	"k8s.io/apimachinery/pkg/runtime"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/controller/controllerutil"
	"sigs.k8s.io/controller-runtime/pkg/reconcile"

	"github.com/usher-media/usher/api/v1alpha1"
)

// forgotten closes the connection of a MediaServer that is not there any more.
func (r *mediaServerReconciler) forgotten(request reconcile.Request, err error) (reconcile.Result, error) {
	if apierrors.IsNotFound(err) {
		key := request.String()
		r.sightings.forget(key)
		r.forget(key)
		r.Wake.Dependents(key)
		return reconcile.Result{}, nil
	}
	return reconcile.Result{}, err
}

// readIdentity is the server that a MediaServer has been connected to; empty before the first time.
func readIdentity(server *v1alpha1.MediaServer) string {
	var r record
	_ = json.Unmarshal([]byte(server.Annotations[v1alpha1.AnnotationOwned]), &r)
	return r.Server
}

// letGo releases a deleted MediaServer once none of its objects needs the connection any more.
func (r *mediaServerReconciler) letGo(ctx context.Context, server *v1alpha1.MediaServer) *outcome {
	holders, err := r.holders(ctx, server)
	if err != nil {
		return retry(err)
	}
	if holders > 0 {
		return r.inUse(server)
	}
	if err := r.release(ctx, server); err != nil {
		return retry(err)
	}
	return &outcome{kind: kindGone}
}

func (r *mediaServerReconciler) inUse(server *v1alpha1.MediaServer) *outcome {
	return waiting(v1alpha1.ReasonInUse, "being deleted: waits until its Users, Libraries and Invites are deleted (kubectl get user,library,invite -n %s --field-selector spec.serverRef.name=%s)", server.Namespace, server.Name)
}

// holders counts the objects of the server that still have something to let go on it.
func (r *mediaServerReconciler) holders(ctx context.Context, server *v1alpha1.MediaServer) (count int, err error) {
	for _, list := range []client.ObjectList{&v1alpha1.UserList{}, &v1alpha1.LibraryList{}, &v1alpha1.InviteList{}} {
		if err := r.Client.List(ctx, list, ofServer(server.Namespace, server.Name)...); err != nil {
			return 0, err
		}
		err := meta.EachListItem(list, func(o runtime.Object) error {
			if controllerutil.ContainsFinalizer(o.(client.Object), v1alpha1.Finalizer) {
				count++
			}
			return nil
		})
		if err != nil {
			return 0, err
		}
	}
	return count, nil
}

package controller

import (
	"context"
	"encoding/json"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"sigs.k8s.io/controller-runtime/pkg/controller/controllerutil"
	"sigs.k8s.io/controller-runtime/pkg/reconcile"

	"github.com/usher-media/usher/api/v1alpha1"
)

// forgotten closes the connection of a MediaServer that is not there any more.
func (r *mediaServerReconciler) forgotten(request reconcile.Request, err error) (reconcile.Result, error) {
	if apierrors.IsNotFound(err) {
		key := request.String()
		r.Connections.Remove(key)
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
	users, libraries, err := r.holders(ctx, server)
	if err != nil {
		return retry(err)
	}
	if users+libraries > 0 {
		return r.inUse(server)
	}
	if err := r.release(ctx, server); err != nil {
		return retry(err)
	}
	return &outcome{kind: kindGone}
}

func (r *mediaServerReconciler) inUse(server *v1alpha1.MediaServer) *outcome {
	return waiting(v1alpha1.ReasonInUse, "being deleted: waits until its Users and Libraries are deleted (kubectl get user,library -n %s --field-selector spec.serverRef.name=%s)", server.Namespace, server.Name)
}

// holders counts the objects of the server that still have something to let go on it.
func (r *mediaServerReconciler) holders(ctx context.Context, server *v1alpha1.MediaServer) (users, libraries int, err error) {
	var userList v1alpha1.UserList
	if err := r.Client.List(ctx, &userList, ofServer(server.Namespace, server.Name)...); err != nil {
		return 0, 0, err
	}
	var libraryList v1alpha1.LibraryList
	if err := r.Client.List(ctx, &libraryList, ofServer(server.Namespace, server.Name)...); err != nil {
		return 0, 0, err
	}
	for i := range userList.Items {
		if controllerutil.ContainsFinalizer(&userList.Items[i], v1alpha1.Finalizer) {
			users++
		}
	}
	for i := range libraryList.Items {
		if controllerutil.ContainsFinalizer(&libraryList.Items[i], v1alpha1.Finalizer) {
			libraries++
		}
	}
	return users, libraries, nil
}

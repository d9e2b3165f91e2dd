package objects

import (
	"context"
	"fmt"
	"slices"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/api/meta"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/usher-media/usher/api/v1alpha1"
)

// Objects are Usher's objects of a namespace, each kind sorted by name.
type Objects struct {
	Namespace   string
	Servers     []v1alpha1.MediaServer
	Libraries   []v1alpha1.Library
	Users       []v1alpha1.User
	Grants      []v1alpha1.LibraryGrant
	Redemptions []v1alpha1.Redemption
}

// Read reads them. Its error says what to do where the kinds are not installed, or may not be read.
func Read(ctx context.Context, c client.Client, namespace string) (Objects, error) {
	var servers v1alpha1.MediaServerList
	var libraries v1alpha1.LibraryList
	var users v1alpha1.UserList
	var grants v1alpha1.LibraryGrantList
	var redemptions v1alpha1.RedemptionList
	for _, list := range []client.ObjectList{&servers, &libraries, &users, &grants, &redemptions} {
		if err := c.List(ctx, list, client.InNamespace(namespace)); err != nil {
			return Objects{}, Explain(err)
		}
	}
	o := Objects{namespace, servers.Items, libraries.Items, users.Items, grants.Items, redemptions.Items}
	if len(o.Servers) == 0 {
		return o, fmt.Errorf("there is no MediaServer in namespace %s: name another by -n, or see `kubectl get mediaservers -A`", namespace)
	}
	return o, nil
}

// Explain adds to an error of the API server what to do about it.
func Explain(err error) error {
	switch {
	case meta.IsNoMatchError(err), apierrors.IsNotFound(err):
		return fmt.Errorf("the cluster does not know Usher's kinds: install them, or choose another --context (%w)", err)
	case apierrors.IsForbidden(err):
		return fmt.Errorf("%w: the ClusterRole usher-viewer may", err)
	case apierrors.IsUnauthorized(err):
		return fmt.Errorf("%w: sign in to the cluster again", err)
	}
	return err
}

// Only leaves out what is not of a MediaServer; empty keeps all.
func (o Objects) Only(server string) (Objects, error) {
	if server == "" {
		return o, nil
	}
	if !slices.ContainsFunc(o.Servers, func(s v1alpha1.MediaServer) bool { return s.Name == server }) {
		return o, fmt.Errorf("there is no MediaServer %s in namespace %s", server, o.Namespace)
	}
	o.Servers = slices.DeleteFunc(slices.Clone(o.Servers), func(s v1alpha1.MediaServer) bool { return s.Name != server })
	o.Libraries = slices.DeleteFunc(slices.Clone(o.Libraries), func(l v1alpha1.Library) bool { return l.Spec.ServerRef.Name != server })
	o.Users = slices.DeleteFunc(slices.Clone(o.Users), func(u v1alpha1.User) bool { return u.Spec.ServerRef.Name != server })
	return o, nil
}

// Server returns the MediaServer of a name; nil for none.
func (o Objects) Server(name string) *v1alpha1.MediaServer {
	for i := range o.Servers {
		if o.Servers[i].Name == name {
			return &o.Servers[i]
		}
	}
	return nil
}

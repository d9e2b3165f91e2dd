package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"sync"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/usher-media/usher/api/v1alpha1"
)

// Libraries stand on shelves, users are in a team and in a club. One grant gives one shelf to each team and club, so
// that a user has two shelves.
const (
	shelves = 10
	groups  = shelves / 2
)

const (
	serverName = "home"
	// labels of the manifests
	labelShelf, labelTeam, labelClub = "shelf", "team", "club"
	// applying is how many objects are created at once.
	applying = 8
)

func group(i int) string     { return "g" + strconv.Itoa(i%groups) }
func userName(i int) string  { return fmt.Sprintf("user-%05d", i) }
func libName(i int) string   { return fmt.Sprintf("library-%03d", i) }
func shelfName(i int) string { return "s" + strconv.Itoa(i%shelves) }

// teamOf and clubOf are the groups of a user.
func teamOf(i int) string { return group(i) }
func clubOf(i int) string { return group(i / groups) }

func meta(in, name string, labels map[string]string) metav1.ObjectMeta {
	return metav1.ObjectMeta{Namespace: in, Name: name, Labels: labels}
}

// mediaServerObjects are the connection and its Secret.
func mediaServerObjects(url string) []client.Object {
	return []client.Object{
		&corev1.Secret{ObjectMeta: meta(namespace, serverName, nil), StringData: map[string]string{"username": owner, "password": ownerPassword}},
		&v1alpha1.MediaServer{ObjectMeta: meta(namespace, serverName, nil), Spec: v1alpha1.MediaServerSpec{
			Type: v1alpha1.MediaServerEmbedded, URL: url, Bootstrap: true, MediaRoots: []v1alpha1.LibraryPath{"/"},
			Credentials: v1alpha1.Credentials{SecretRef: v1alpha1.SecretReference{Name: serverName}},
		}},
	}
}

func libraryObjects(in, folders string, n int) []client.Object {
	var objects []client.Object
	for i := range n {
		objects = append(objects, &v1alpha1.Library{
			ObjectMeta: meta(in, libName(i), map[string]string{labelShelf: shelfName(i)}),
			Spec: v1alpha1.LibrarySpec{
				ServerRef: v1alpha1.LocalReference{Name: serverName}, DisplayName: fmt.Sprintf("Library %d", i),
				MediaType: v1alpha1.MediaTypeMovies, Paths: []v1alpha1.LibraryPath{v1alpha1.LibraryPath(filepath.Join(folders, libName(i)))},
			},
		})
	}
	return objects
}

// makeFolders makes the libraries' folders, which are empty.
func makeFolders(folders string, n int) (err error) {
	for i := range n {
		err = errors.Join(err, os.MkdirAll(filepath.Join(folders, libName(i)), 0o755))
	}
	return err
}

func grantObjects(in string) []client.Object {
	var objects []client.Object
	for i := range shelves {
		label := labelTeam
		if i >= groups {
			label = labelClub
		}
		objects = append(objects, &v1alpha1.LibraryGrant{
			ObjectMeta: meta(in, fmt.Sprintf("%s-%s", label, group(i)), nil),
			Spec: v1alpha1.LibraryGrantSpec{
				Libraries: v1alpha1.Targets{Selector: selector(labelShelf, shelfName(i))},
				Users:     v1alpha1.Targets{Selector: selector(label, group(i))},
			},
		})
	}
	return objects
}

func selector(label, value string) *v1alpha1.LabelSelector {
	return &v1alpha1.LabelSelector{MatchLabels: map[string]v1alpha1.LabelValue{label: v1alpha1.LabelValue(value)}}
}

func userObjects(in string, from, to int) []client.Object {
	var objects []client.Object
	for i := from; i < to; i++ {
		objects = append(objects, &v1alpha1.User{
			ObjectMeta: meta(in, userName(i), map[string]string{labelTeam: teamOf(i), labelClub: clubOf(i)}),
			Spec: v1alpha1.UserSpec{
				ServerRef: v1alpha1.LocalReference{Name: serverName}, Username: userName(i), DisplayName: fmt.Sprintf("User %d", i),
			},
		})
	}
	return objects
}

// apply creates objects, several at once, in order.
func (b *bench) apply(ctx context.Context, objects []client.Object) error {
	return each(ctx, applying, len(objects), func(ctx context.Context, i int) error { return b.client.Create(ctx, objects[i]) })
}

// each does something n times, so many at once, and stops at the first error.
func each(ctx context.Context, atOnce, n int, do func(context.Context, int) error) error {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	todo := make(chan int)
	var workers sync.WaitGroup
	for range atOnce {
		workers.Go(func() {
			for i := range todo {
				if err := do(ctx, i); err != nil {
					cancel(err)
				}
			}
		})
	}
	for i := 0; i < n && ctx.Err() == nil; i++ {
		select {
		case todo <- i:
		case <-ctx.Done():
		}
	}
	close(todo)
	workers.Wait()
	if ctx.Err() != nil {
		return context.Cause(ctx)
	}
	return nil
}

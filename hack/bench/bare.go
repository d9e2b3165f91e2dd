package main

import (
	"context"
	"fmt"
	"strings"
	"sync/atomic"
	"time"

	corev1 "k8s.io/api/core/v1"
	eventsv1 "k8s.io/api/events/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/usher-media/usher/api/v1alpha1"
)

const (
	bareNamespace = "bench-bare"
	// bareConcurrency is that of the operator's Users.
	bareConcurrency = 16
)

// bareKubernetes makes as many writes of each kind as the load made, on objects of the same kinds and sizes, the
// applying first. It returns how long that took, and the number of writes.
func (b *bench) bareKubernetes(ctx context.Context, written counts) (time.Duration, int, error) {
	libraries, grants := libraryObjects(bareNamespace, b.media.folders, b.libraries), grantObjects(bareNamespace)
	users := userObjects(bareNamespace, 0, b.users)
	objects := append(append(append([]client.Object{}, libraries...), grants...), users...)
	began := time.Now()
	if err := b.apply(ctx, objects); err != nil {
		return 0, 0, err
	}
	writer := &bareWriter{client: b.client, byResource: map[string][]client.Object{"users": users, "libraries": libraries, "librarygrants": grants}}
	for what, n := range written {
		err := each(ctx, bareConcurrency, n, func(ctx context.Context, i int) error { return writer.write(ctx, what, i) })
		if err != nil {
			return 0, 0, fmt.Errorf("%s: %w", what, err)
		}
	}
	return time.Since(began), len(objects) + written.total(), nil
}

// sweep removes what the bare client made: the operator, when it runs again, would look at all of it.
func (b *bench) sweep(ctx context.Context) error {
	for _, kind := range []client.Object{&v1alpha1.User{}, &v1alpha1.Library{}, &v1alpha1.LibraryGrant{}, &corev1.Secret{}, &eventsv1.Event{}} {
		if err := b.client.DeleteAllOf(ctx, kind, client.InNamespace(bareNamespace)); err != nil {
			return err
		}
	}
	return nil
}

type bareWriter struct {
	client     client.Client
	byResource map[string][]client.Object
	n          atomic.Int64
}

// write makes the i-th write of a kind, which changes something each time.
func (w *bareWriter) write(ctx context.Context, what string, i int) error {
	_, resource, _ := strings.Cut(what, " ")
	resource, status := strings.CutSuffix(resource, "/status")
	name, number := fmt.Sprintf("bare-%d", w.n.Add(1)), w.n.Load()
	switch {
	case resource == "events":
		return w.client.Create(ctx, &eventsv1.Event{
			ObjectMeta: meta(bareNamespace, name, nil), EventTime: metav1.NowMicro(), Type: "Normal", Reason: "Created", Action: "Create",
			ReportingController: "bench", ReportingInstance: "bench", Note: "made account on MediaServer home",
			Regarding: corev1.ObjectReference{Kind: "User", Namespace: bareNamespace, Name: userName(i)},
		})
	case resource == "secrets":
		return w.client.Create(ctx, &corev1.Secret{ObjectMeta: meta(bareNamespace, name, nil), StringData: map[string]string{
			"username": userName(i), "password": "as long as a password that Usher makes", "url": "http://127.0.0.1:3000",
		}})
	}
	objects := w.byResource[resource]
	if len(objects) == 0 {
		return fmt.Errorf("the load made a write that the bare client does not know")
	}
	target := objects[i%len(objects)].DeepCopyObject().(client.Object)
	if status {
		return w.client.Status().Patch(ctx, target, client.RawPatch(types.MergePatchType, []byte(bareStatus(resource, number))))
	}
	patch := fmt.Sprintf(`{"metadata":{"annotations":{"bench.usher.media/record":"%0330d"}}}`, number) // as long as a record and a finalizer
	return w.client.Patch(ctx, target, client.RawPatch(types.MergePatchType, []byte(patch)))
}

// bareStatus is a status about as long as Usher's.
func bareStatus(resource string, number int64) string {
	condition := fmt.Sprintf(`"conditions":[{"type":%q,"status":"True","reason":"Synced","message":"the media server agrees, %d","lastTransitionTime":"2026-01-02T03:04:05Z"}]`,
		v1alpha1.ConditionReady, number)
	switch resource {
	case "users":
		var items []string
		for i := range 10 {
			items = append(items, fmt.Sprintf(`{"library":%q,"role":"Viewer","through":["team-g0"]}`, libName(i)))
		}
		return fmt.Sprintf(`{"status":{%s,"access":{"total":10,"items":[%s]}}}`, condition, strings.Join(items, ","))
	case "libraries":
		var items []string
		for i := range 50 {
			items = append(items, fmt.Sprintf(`{"username":%q,"role":"Viewer","user":%q}`, userName(i), userName(i)))
		}
		return fmt.Sprintf(`{"status":{%s,"members":{"total":%d,"items":[%s]}}}`, condition, number, strings.Join(items, ","))
	}
	return fmt.Sprintf(`{"status":{%s}}`, condition)
}

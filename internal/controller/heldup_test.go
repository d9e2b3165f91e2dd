package controller

import (
	"context"
	"fmt"
	"testing"
	"time"

	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/controller/priorityqueue"
	"sigs.k8s.io/controller-runtime/pkg/reconcile"

	"github.com/usher-media/usher/api/v1alpha1"
	"github.com/usher-media/usher/internal/enqueue"
	"github.com/usher-media/usher/internal/media"
)

func requestOf(name string) reconcile.Request {
	return reconcile.Request{NamespacedName: types.NamespacedName{Name: name}}
}

// TestWhoIsHeldUpComesFirst when a server is back: a withdrawal does not wait for thousands that only say again that it agrees.
func TestWhoIsHeldUpComesFirst(t *testing.T) {
	t.Parallel()
	r := &userReconciler{}
	now := time.Now()
	pass := func(up bool) *userPass {
		p := &userPass{user: &v1alpha1.User{}}
		p.server, p.now = &v1alpha1.MediaServer{}, now
		p.connection = media.Connection{Server: &media.Server{}, Up: up, Reason: v1alpha1.ReasonServerUnavailable, StaleAt: now.Add(time.Hour), Probe: media.Probe{Identity: "one"}}
		return p
	}
	down := waiting(v1alpha1.ReasonServerUnavailable, "down")
	for i := range 50 {
		r.noteHeldUp(requestOf(fmt.Sprint(i)), pass(false), done(v1alpha1.ReasonSynced, "agrees"))
	}
	edited := pass(false)
	edited.connection.StaleAt, edited.user.Generation = now, 2
	r.noteHeldUp(requestOf("edited while nothing could be compared"), edited, *down)
	for _, name := range []string{"withdrawn", "withdrawn, and then stale", "withdrawn and done"} {
		r.noteHeldUp(requestOf(name), pass(false), *down)
	}
	stale := pass(false)
	stale.connection.StaleAt = now
	r.noteHeldUp(requestOf("withdrawn, and then stale"), stale, *down)
	r.noteHeldUp(requestOf("not compared"), stale, *down)
	r.noteHeldUp(requestOf("withdrawn and done"), pass(true), *waiting(v1alpha1.ReasonDisruptionLimit, "held back"))

	queue := priorityqueue.New[reconcile.Request]("test")
	defer queue.ShutDown()
	all := func(context.Context, string) (requests []reconcile.Request) {
		for i := range 50 {
			requests = append(requests, requestOf(fmt.Sprint(i)))
		}
		for _, name := range []string{"withdrawn", "not compared", "withdrawn, and then stale", "withdrawn and done", "edited while nothing could be compared"} {
			requests = append(requests, requestOf(name))
		}
		return requests
	}
	var b enqueue.External
	if err := b.Source(all, r.isHeldUp).Start(t.Context(), queue); err != nil {
		t.Fatal(err)
	}
	b.Enqueue("home", 0)
	first := map[string]bool{}
	for range 3 {
		request, _ := queue.Get()
		first[request.Name] = true
	}
	for _, name := range []string{"withdrawn", "withdrawn, and then stale", "edited while nothing could be compared"} {
		if !first[name] {
			t.Errorf("%s does not come first, but %v", name, first)
		}
	}
}

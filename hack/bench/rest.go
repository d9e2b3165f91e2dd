package main

import (
	"context"
	"fmt"
	"math"
	"time"

	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/usher-media/usher/api/v1alpha1"
)

// pageSize is how many entries the media server gives in a page.
const pageSize = 100

// resync has the operator list the media server and compare everything, though nothing has changed. The first time, the
// MediaServer's status learns how many users there are now; the second time, nothing is left to say.
func (b *bench) resync(ctx context.Context) error {
	if _, err := b.look(ctx); err != nil {
		return err
	}
	found, err := b.look(ctx)
	if err != nil {
		return err
	}
	b.table.heading("A resync without drift")
	b.reportRest(found)
	return nil
}

// look demands a listing of the media server, and returns what was done until the operator was at rest again.
func (b *bench) look(ctx context.Context) (snapshot, error) {
	before, err := b.idle(ctx)
	if err != nil {
		return snapshot{}, err
	}
	server := &v1alpha1.MediaServer{ObjectMeta: meta(namespace, serverName, nil)}
	patch := fmt.Sprintf(`{"metadata":{"annotations":{%q:%q}}}`, v1alpha1.AnnotationReconcileNow, time.Now().Format(time.RFC3339Nano))
	if err := b.client.Patch(ctx, server, client.RawPatch(types.MergePatchType, []byte(patch))); err != nil {
		return snapshot{}, err
	}
	if err := b.awaitReconciles(ctx, before.reconciles["user"]+b.users); err != nil {
		return snapshot{}, err
	}
	after, err := b.idle(ctx)
	return after.since(before), err
}

// restart stops the operator and starts it again, though nothing has changed.
func (b *bench) restart(ctx context.Context) error {
	before, err := b.idle(ctx)
	if err != nil {
		return err
	}
	if err := b.end(b.operator.Process); err != nil {
		return err
	}
	began := time.Now()
	if b.operator, err = b.startOperator(ctx); err != nil {
		return err
	}
	if err := b.awaitReconciles(ctx, b.users); err != nil {
		return err
	}
	took := time.Since(began)
	after, err := b.idle(ctx)
	if err != nil {
		return err
	}
	before.reconciles, before.wakeups = nil, nil // the new process counts from nothing
	b.table.heading("A restart without changes")
	b.table.note("time until the server is connected and every User was looked at", "%.1f s", took.Seconds())
	b.reportRest(after.since(before))
	return nil
}

// awaitReconciles waits until the media server is up and Users were reconciled so often.
func (b *bench) awaitReconciles(ctx context.Context, n int) error {
	ctx, cancel := context.WithTimeout(ctx, 5*time.Minute)
	defer cancel()
	for {
		found, err := scrape(ctx, b.operator.metrics)
		if err != nil {
			return err
		}
		up := found.by("usher_media_server_up", "media_server")[namespace+"/"+serverName] == 1
		users := found.by("controller_runtime_reconcile_total", "controller")["user"]
		if up && users >= n {
			return nil
		}
		if err := b.pause(ctx, 100*time.Millisecond); err != nil {
			return fmt.Errorf("%d of %d Users were looked at: %w", users, n, err)
		}
	}
}

// identityRoute says who the server is; connectionsAtOnce is how many connections the embedded server's driver has at most.
const (
	identityRoute     = "GET /v1/server"
	connectionsAtOnce = 8
)

// reportRest judges what the operator did while there was nothing to do.
func (b *bench) reportRest(found snapshot) {
	t := &b.table
	written := found.kubernetes.only(writes)
	t.most("Kubernetes writes", float64(written.total()), 0)
	t.breakdown(written, 0)
	t.most("media-server writes", float64(found.media.only(changes).total()), 0)
	pages := map[string]int{"GET /v1/users": b.pages(b.users + 1), "GET /v1/libraries": b.pages(b.libraries)}
	other := 0
	for route, n := range found.media {
		if budget, paged := pages[route]; paged {
			t.most("list pages: "+route, float64(n), float64(budget))
		} else if route != identityRoute {
			other += n
		}
	}
	// Each new connection is asked once who answers, and the look asks, too (design D3).
	t.most("who the server is: "+identityRoute, float64(found.media[identityRoute]), connectionsAtOnce+1)
	// Who Usher is there, and signing in where there is no session yet.
	t.most("media-server requests besides", float64(other), 3)
	t.breakdown(found.media, 0)
	t.most("reconciles a User", float64(found.reconciles["user"])/float64(b.users), budgetReconciles)
	t.note("reconciles", "%d", found.reconciles.total())
	t.breakdown(found.reconciles, 0)
}

func (b *bench) pages(n int) int { return int(math.Ceil(float64(n) / pageSize)) }

package main

import (
	"context"
	"errors"
	"strings"
	"time"

	"sigs.k8s.io/controller-runtime/pkg/client"
)

// What a peer takes, measured on two cores and the same control plane with 500 users and 500 permissions (design,
// section 4): messaging-topology-operator, which makes RabbitMQ's users and permissions of manifests.
const (
	peerRate, peerWrites = 28.8, 10.3
	// Usher is to be four times as fast, with a third of the writes.
	peerFaster, peerFewer = 4, 1. / 3
)

// Budgets of counts (design, section 4).
const (
	budgetUserWrites = 3
	budgetReconciles = 1.5
	budgetRatio      = 1.3
)

// loaded is what the load took.
type loaded struct {
	objects int
	seconds float64
	// cpuBefore and cpuAfter are the processor times of all programs at the start and at the end.
	cpuBefore, cpuAfter map[string]time.Duration
	// ready is what was counted when all were Ready, rest what it came to when the operator was at rest again.
	ready, rest snapshot
}

// load measures the way from nothing to all Ready: the operator runs and is connected to an empty media server, and
// everything is applied at once.
func (b *bench) load(ctx context.Context) error {
	watching, stop := context.WithCancel(ctx)
	defer stop()
	r, err := b.watchReady(watching)
	if err != nil {
		return err
	}
	if err := b.apply(ctx, mediaServerObjects(b.media.url)); err != nil {
		return err
	}
	if err := b.await(ctx, r, 0, 1); err != nil {
		return err
	}
	before, err := b.idle(ctx)
	if err != nil {
		return err
	}
	if err := b.startProfile(ctx); err != nil {
		return err
	}
	objects := append(libraryObjects(namespace, b.media.folders, b.libraries), grantObjects(namespace)...)
	objects = append(objects, userObjects(namespace, 0, b.users)...)
	cpu, profiled := cpuTimes(), b.profileServer(ctx, "load")
	took, err := b.applyAndAwait(ctx, r, objects, b.users)
	if err != nil {
		return err
	}
	b.loaded = loaded{objects: len(objects), seconds: took.Seconds(), cpuBefore: cpu, cpuAfter: cpuTimes()}
	if b.loaded.ready, err = b.snapshot(ctx); err != nil {
		return err
	}
	if err := errors.Join(b.writeProfiles(ctx, "load"), <-profiled); err != nil {
		return err
	}
	if b.loaded.rest, err = b.idle(ctx); err != nil {
		return err
	}
	b.loaded.ready, b.loaded.rest = b.loaded.ready.since(before), b.loaded.rest.since(before)
	b.reportLoad()
	return nil
}

// applyAndAwait applies objects and waits until everything is Ready, so many Users among it.
func (b *bench) applyAndAwait(ctx context.Context, r *readiness, objects []client.Object, users int) (time.Duration, error) {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	began, applied := time.Now(), make(chan error, 1)
	go func() {
		err := b.apply(ctx, objects)
		if err != nil {
			cancel()
		} else {
			b.say("  applied %d objects in %.1f s", len(objects), time.Since(began).Seconds())
		}
		applied <- err
	}()
	err := b.await(ctx, r, users, b.others())
	if err != nil {
		cancel()
	}
	took := time.Since(began)
	return took, errors.Join(err, <-applied)
}

func (b *bench) reportLoad() {
	t, l := &b.table, b.loaded
	objects := float64(l.objects)
	rate, written := objects/l.seconds, l.rest.kubernetes.only(writes)
	t.heading("From nothing to all Ready")
	t.note("time", "%.1f s", l.seconds)
	t.reportCPU("processor time, of all processors", l.cpuBefore, l.cpuAfter)
	t.note("objects a second", "%.1f  (%d objects)", rate, l.objects)
	t.timed("  against messaging-topology-operator: 28.8", times(rate/peerRate), "at least "+times(peerFaster), rate < peerFaster*peerRate)
	perObject := float64(written.total()) / objects
	t.most("Kubernetes writes an object", perObject, peerWrites*peerFewer)
	t.note("  against messaging-topology-operator: 10.3", "%s", times(perObject/peerWrites))
	t.breakdown(written, l.objects)
	onUser := written["patch users"] + written["update users"] + written["patch users/status"] + written["update users/status"]
	t.most("Kubernetes writes on a User object", float64(onUser)/float64(b.users), budgetUserWrites)
	t.note("Kubernetes reads an object", "%.2f", float64(l.rest.kubernetes.total()-written.total())/objects)
	t.most("reconciles a User", float64(l.rest.reconciles["user"])/float64(b.users), budgetReconciles)
	t.most("reconciles an object, of all kinds", float64(l.rest.reconciles.total())/objects, budgetReconciles)
	t.breakdown(l.rest.reconciles, 0)
	t.note("what brought objects back (several at once are one reconcile)", "%d", l.rest.wakeups.total())
	t.breakdown(l.rest.wakeups, 0)
	t.most("media-server writes a user or library", float64(l.rest.media.only(changes).total())/float64(b.users+b.libraries), 1)
	t.note("media-server requests", "%d", l.rest.media.total())
	for _, route := range l.rest.media.keys() {
		t.note("    "+strings.TrimSpace(route), "%d", l.rest.media[route])
	}
}

func times(factor float64) string { return number(factor) + " times" }

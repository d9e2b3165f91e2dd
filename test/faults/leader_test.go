package faults

import (
	"context"
	"sync"
	"testing"
	"time"

	coordinationv1 "k8s.io/api/coordination/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/usher-media/usher/internal/media"
	"github.com/usher-media/usher/test/mortal"
)

// TestLateCallOfADeadReplica: a creation that a replica sent arrives long after the replica died and another took over.
// It makes no second account, and the account that it makes is known as ours.
func TestLateCallOfADeadReplica(t *testing.T) {
	t.Parallel()
	h := newHouse(t, newMemory(nil))
	h.start()
	h.create(h.library("movies"), h.grant("all", "*", "*"))
	h.quiet()
	h.followed()
	h.kill()

	p := mortal.New(h.oracle.look)
	late := &lateCreation{open: h.system.(*memorySystem).store.Open, arrive: make(chan struct{}), sent: make(chan struct{}), arrived: make(chan struct{})}
	p.LongestCall = 2 * time.Second
	h.startWith(p, p.Open(late.driver))
	h.create(h.user("ann"))
	<-late.sent
	h.kill()

	second := mortal.New(h.oracle.look)
	second.LongestCall = 2 * time.Second
	h.startWith(second, h.system.open(second))
	// Within the longest call, but after the second replica has looked.
	h.eventually("the second replica has looked", func() bool { return second.Lists() > 0 })
	close(late.arrive)
	<-late.arrived
	h.oracle.look("the late call")
	h.quiet()
	covered.points.Add(1)
	covered.moments.Add(int64(h.oracle.verdict()))
	if made := second.Counts()["media: CreateAccount ann"]; made != 0 {
		t.Errorf("the second replica made the account again, %d times", made)
	}
	h.rest()
}

// lateCreation has the first creation of an account arrive when it is told to, whoever still waits for it.
type lateCreation struct {
	open                  media.Open
	sent, arrive, arrived chan struct{}
	once                  sync.Once
}

func (l *lateCreation) driver(config media.Config) (media.Driver, error) {
	inner, err := l.open(config)
	return &lateDriver{Driver: inner, late: l}, err
}

type lateDriver struct {
	media.Driver
	late *lateCreation
}

func (d *lateDriver) CreateAccount(ctx context.Context, account media.NewAccount) (media.Account, error) {
	first := false
	d.late.once.Do(func() { first = true })
	if !first {
		return d.Driver.CreateAccount(ctx, account)
	}
	go func() {
		defer close(d.late.arrived)
		<-d.late.arrive
		_, _ = d.Driver.CreateAccount(context.WithoutCancel(ctx), account)
	}()
	close(d.late.sent)
	<-ctx.Done()
	return media.Account{}, media.Errorf(media.Ambiguous, "no answer in time").WithCause(ctx.Err())
}

// TestLeaderChangesInTheMiddleOfACreation: the lease goes to somebody else while a creation is under way.
func TestLeaderChangesInTheMiddleOfACreation(t *testing.T) {
	t.Parallel()
	h := newHouse(t, newMemory(nil))
	h.elect = true
	h.start()
	h.create(h.library("movies"), h.grant("all", "*", "*"))
	h.quiet()
	first, firstEnded := h.process, h.ended
	h.start() // waits for the lease
	second := h.process
	t.Cleanup(func() { first.Kill(); <-firstEnded })

	first.Arm(0, "")
	h.create(h.user("ann"))
	h.eventually("the creation is announced", func() bool { return len(first.Writes()) > 0 })
	h.takeLease()
	h.quiet()
	covered.points.Add(1)
	covered.moments.Add(int64(h.oracle.verdict()))
	made := first.Counts()["media: CreateAccount ann"] + second.Counts()["media: CreateAccount ann"]
	if made != 1 {
		t.Errorf("the account was made %d times", made)
	}
	h.eventually("the second replica leads", func() bool { return second.Lists() > 0 })
	h.rest()
}

// takeLease gives the lease to nobody who is there, for as long as a lease lasts.
func (h *house) takeLease() {
	h.t.Helper()
	lease := &coordinationv1.Lease{}
	if err := h.client.Get(context.Background(), h.key("usher.usher.media"), lease); err != nil {
		h.t.Fatal(err)
	}
	base := lease.DeepCopy()
	lease.Spec.HolderIdentity = new("somebody else")
	if err := h.client.Patch(context.Background(), lease, client.MergeFrom(base)); err != nil {
		h.t.Fatal(err)
	}
}

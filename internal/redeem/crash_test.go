package redeem_test

import (
	"context"
	"errors"
	"fmt"
	"sync/atomic"
	"testing"
	"time"

	"github.com/usher-media/usher/api/v1alpha1"
	"github.com/usher-media/usher/internal/media"
	"github.com/usher-media/usher/internal/media/memory"
	"github.com/usher-media/usher/internal/redeem"
	"github.com/usher-media/usher/internal/testenv"
)

// oneInFive is a hook that fails every fifth call: in turns before the server does it, and after.
func oneInFive() memory.Hook {
	var calls atomic.Int64
	return func(_ context.Context, moment memory.Moment, call memory.Call) error {
		if moment == memory.Before {
			if calls.Add(1)%10 == 5 {
				return media.Errorf(media.Unavailable, "failed before it was done")
			}
			return nil
		}
		if calls.Load()%10 == 0 && call.Op.Writes() {
			return media.Errorf(media.Ambiguous, "the answer was lost")
		}
		return nil
	}
}

// TestCrashPoints kills the process before and after each write, to the API server and to the media server, of a whole
// redemption, starts another, and lets the person try again: always exactly one use, one account, the wanted access.
func TestCrashPoints(t *testing.T) {
	points := 0
	for k := 1; ; k++ {
		reached := false
		for _, after := range []bool{false, true} {
			t.Run(fmt.Sprintf("write %d, dead after it %t", k, after), func(t *testing.T) {
				reached = crashOnce(t, k, after) || reached
			})
			points++
		}
		if !reached {
			break
		}
	}
	t.Logf("%d crash points", points-2)
	if points < 12 {
		t.Errorf("only %d crash points: writes are not counted", points-2)
	}
}

// crashOnce says whether the redemption has that many writes.
func crashOnce(t *testing.T, k int, after bool) (reached bool) {
	w := newWorld(t)
	first := w.start(&process{}, false)
	invite := w.invite("one", 1)
	w.settled(invite)
	first.mu.Lock()
	first.killAt, first.killAfter = first.writes+k, after
	first.mu.Unlock()

	_, err := w.redeem(first, invite, "joe")
	reached = first.isDead()
	if !reached && err != nil {
		t.Fatalf("without a crash: %v", err)
	}
	first.kill()
	second := w.start(&process{}, false)
	deadline := time.Now().Add(30 * time.Second)
	for {
		_, err = w.redeem(second, invite, "joe")
		if err == nil || !(errors.Is(err, redeem.ErrBusy) || errors.Is(err, redeem.ErrUnavailable)) || time.Now().After(deadline) {
			break
		}
	}
	if err != nil {
		t.Fatalf("after the crash: %v", err)
	}
	if redemptions, accounts := w.redemptions(invite), w.accounts(); len(redemptions) != 1 || len(accounts) != 1 || redemptions[0].Status.Phase != v1alpha1.RedemptionCompleted {
		t.Errorf("%d Redemptions %+v, accounts %v", len(redemptions), redemptions, accounts)
	}
	if !w.store.CheckPassword("joe", passwordOf("joe")) {
		t.Error("the password does not work")
	}
	testenv.Eventually(t, "joe sees the one library", func() bool { return len(w.accounts()["joe"].Access.Libraries) == 1 })
	if creates := w.store.Writes(memory.CreateAccount); len(creates) != 1 {
		t.Errorf("%d accounts were made", len(creates))
	}
	return reached
}

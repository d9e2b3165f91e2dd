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
	"github.com/usher-media/usher/test/mortal"
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

// TestCrashPoints strikes at each write, to the API server and to the media server, of a whole redemption: the process
// dies before or after it, the answer is lost, or the write is refused. The person tries again, with another process where
// one died: always exactly one use, one account, the wanted access.
func TestCrashPoints(t *testing.T) {
	writes := 0
	for k := 1; ; k++ {
		reached := false
		for _, mode := range mortal.Modes {
			t.Run(fmt.Sprintf("%s write %d", mode, k), func(t *testing.T) {
				reached = crashOnce(t, k, mode) || reached
			})
		}
		if !reached {
			break
		}
		writes++
	}
	fmt.Printf("redemptions: %d points of failure\n", writes*len(mortal.Modes))
	if writes < 6 {
		t.Errorf("only %d writes: they are not counted", writes)
	}
}

// crashOnce says whether the redemption has that many writes.
func crashOnce(t *testing.T, k int, mode mortal.Mode) (reached bool) {
	w := newWorld(t)
	p := w.start(false)
	invite := w.invite("one", 1)
	w.settled(invite)
	p.Arm(k, mode)

	_, err := w.redeem(p, invite, "joe")
	reached = p.Struck() != ""
	if !reached && err != nil {
		t.Fatalf("without a fault: %v", err)
	}
	p.Disarm()
	if mode == mortal.DieBefore || mode == mortal.DieAfter {
		p.kill()
		p = w.start(false)
	}
	if err := w.keepTrying(p, invite, "joe"); err != nil {
		t.Fatalf("after the fault: %v", err)
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

// keepTrying tries again until the answer is final.
func (w *world) keepTrying(p *process, invite *v1alpha1.Invite, username string) (err error) {
	for deadline := time.Now().Add(30 * time.Second); time.Now().Before(deadline); {
		_, err = w.redeem(p, invite, username)
		if !errors.Is(err, redeem.ErrBusy) && !errors.Is(err, redeem.ErrUnavailable) {
			return err
		}
	}
	return err
}

// TestAPlaceIsKept: an error in the middle of a redemption, also one that only seems to be one, gives the place to nobody
// else. Of two people with a link for one, exactly one comes.
func TestAPlaceIsKept(t *testing.T) {
	for _, mode := range []mortal.Mode{mortal.Lose, mortal.Refuse} {
		for k := 1; k <= 10; k++ {
			t.Run(fmt.Sprintf("%s write %d", mode, k), func(t *testing.T) {
				t.Parallel()
				w := newWorld(t)
				p := w.start(false)
				invite := w.invite("one", 1)
				w.settled(invite)
				p.Arm(k, mode)
				_, _ = w.redeem(p, invite, "joe")
				eve := w.keepTrying(p, invite, "eve")
				joe := w.keepTrying(p, invite, "joe")
				if (eve == nil) == (joe == nil) || len(w.accounts()) != 1 || len(w.redemptions(invite)) != 1 {
					t.Errorf("struck at %q: eve: %v, joe: %v; accounts %v, Redemptions %+v", p.Struck(), eve, joe, w.accounts(), w.redemptions(invite))
				}
			})
		}
	}
}

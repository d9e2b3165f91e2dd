package redeem_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/usher-media/usher/api/v1alpha1"
	"github.com/usher-media/usher/internal/media"
	"github.com/usher-media/usher/internal/redeem"
	"github.com/usher-media/usher/internal/testenv"
)

// Where people have no name but their address, they come by that, whatever they would like to be called.
func TestRedeemNamedByEmail(t *testing.T) {
	w := newWorldOf(t, func(traits *media.Traits) { traits.KeyedByEmail, traits.NamedByEmail = true, true })
	p := w.start(false)
	invite := w.invite("cousins", 2)
	w.settled(invite)
	come := func(username, email string) (redeem.Receipt, error) {
		return p.engine.Redeem(p.Context(), client.ObjectKeyFromObject(invite), redeem.Request{
			Person: redeem.Person{Username: username, Email: email}, Code: w.keyring().InviteCode(invite.UID), Password: passwordOf("kim"),
		})
	}
	if _, err := come("kimmy", "Kim@Example.org"); err != nil {
		t.Fatal(err)
	}
	if !w.store.CheckPassword("kim@example.org", passwordOf("kim")) {
		t.Errorf("kim's password does not work; accounts: %v", w.accounts())
	}
	if receipt, err := come("another", "kim@example.org"); err != nil || !receipt.AlreadyMember {
		t.Errorf("kim again, with another wish: %+v, %v", receipt, err)
	}
	if _, err := come("kimmy", ""); err == nil {
		t.Error("somebody without an address came in")
	}
	if n := len(w.redemptions(invite)); n != 1 {
		t.Errorf("%d uses, want 1", n)
	}
}

func TestRedeem(t *testing.T) {
	w := newWorld(t)
	p := w.start(false)
	invite := w.invite("cousins", 2)
	w.settled(invite)

	receipt, err := w.redeem(p, invite, "joe")
	if err != nil || receipt.AlreadyMember {
		t.Fatalf("joe: %+v, %v", receipt, err)
	}
	if !w.store.CheckPassword("joe", passwordOf("joe")) {
		t.Error("joe's password does not work")
	}
	if libraries, err := w.store.Sees("joe", passwordOf("joe")); err != nil || len(libraries) != 1 {
		t.Errorf("joe sees %v, %v", libraries, err)
	}
	if receipt, err := w.redeem(p, invite, "Joe"); err != nil || !receipt.AlreadyMember {
		t.Errorf("joe again: %+v, %v", receipt, err)
	}
	if _, err := w.redeem(p, invite, "owner"); !errors.Is(err, redeem.ErrUsernameTaken) {
		t.Errorf("a taken name: %v", err)
	}
	if n := len(w.redemptions(invite)); n != 1 {
		t.Errorf("%d uses after a taken name, want 1", n)
	}
	if _, err := w.redeem(p, invite, "kim"); err != nil {
		t.Errorf("kim: %v", err)
	}
	if _, err := w.redeem(p, invite, "one too many"); !errors.Is(err, redeem.ErrExhausted) {
		t.Errorf("a third: %v", err)
	}
	w.state(invite, v1alpha1.InviteExhausted, 2)
	w.edit(invite, func() { invite.Spec.MaxUses = new(int32(3)) })
	w.state(invite, v1alpha1.InvitePending, 2)
	w.edit(invite, func() { invite.Spec.Revoked = true })
	if _, err := w.redeem(p, invite, "late"); !errors.Is(err, redeem.ErrRevoked) {
		t.Errorf("after it was revoked: %v", err)
	}
	if !w.store.CheckPassword("joe", passwordOf("joe")) {
		t.Error("revoking the invite did something to joe")
	}
}

func TestDeletingARedemptionTakesItsLibrariesBack(t *testing.T) {
	w := newWorld(t)
	p := w.start(false)
	invite := w.invite("cousins", 2)
	w.settled(invite)
	if _, err := w.redeem(p, invite, "joe"); err != nil {
		t.Fatal(err)
	}
	if err := w.client.Delete(t.Context(), &w.redemptions(invite)[0]); err != nil {
		t.Fatal(err)
	}
	testenv.Eventually(t, "joe sees nothing", func() bool { return len(w.accounts()["joe"].Access.Libraries) == 0 })
	if err := w.client.Delete(t.Context(), invite); err != nil {
		t.Fatal(err)
	}
	if _, err := w.redeem(p, invite, "kim"); !errors.Is(err, redeem.ErrUnknown) {
		t.Errorf("after the invite was deleted: %v", err)
	}
}

func TestRefusals(t *testing.T) {
	w := newWorld(t)
	p := w.start(false)
	past := v1alpha1.NewTime(time.Now().Add(-time.Minute))
	expired, bound := w.invite("expired", 1), w.invite("bound", 1)
	w.edit(expired, func() { expired.Spec.ExpiresAt = &past })
	w.edit(bound, func() { bound.Spec.Email = "joe@example.org" })
	code := func(invite *v1alpha1.Invite) string { return w.keyring().InviteCode(invite.UID) }
	for name, c := range map[string]struct {
		invite  *v1alpha1.Invite
		request redeem.Request
		want    error
	}{
		"wrong code":     {bound, redeem.Request{Code: "guess", Person: redeem.Person{Username: "joe"}, Password: "long enough"}, redeem.ErrUnknown},
		"another's code": {bound, redeem.Request{Code: code(expired), Person: redeem.Person{Username: "joe"}, Password: "long enough"}, redeem.ErrUnknown},
		"expired":        {expired, redeem.Request{Code: code(expired), Person: redeem.Person{Username: "joe"}, Password: "long enough"}, redeem.ErrExpired},
		"no email":       {bound, redeem.Request{Code: code(bound), Person: redeem.Person{Username: "joe"}, Password: "long enough"}, redeem.ErrInvalid},
		"wrong email":    {bound, redeem.Request{Code: code(bound), Person: redeem.Person{Username: "joe", Email: "eve@example.org"}, Password: "long enough"}, redeem.ErrWrongEmail},
		"short password": {bound, redeem.Request{Code: code(bound), Person: redeem.Person{Username: "joe", Email: "joe@example.org"}, Password: "short"}, redeem.ErrInvalid},
		"spaced name":    {bound, redeem.Request{Code: code(bound), Person: redeem.Person{Username: " joe", Email: "joe@example.org"}, Password: "long enough"}, redeem.ErrInvalid},
		"no name":        {bound, redeem.Request{Code: code(bound), Person: redeem.Person{Email: "joe@example.org"}, Password: "long enough"}, redeem.ErrInvalid},
	} {
		_, err := p.engine.Redeem(t.Context(), client.ObjectKeyFromObject(c.invite), c.request)
		if !errors.Is(err, c.want) {
			t.Errorf("%s: %v, want %v", name, err, c.want)
		}
		if err != nil && (strings.Contains(err.Error(), c.request.Password) || strings.Contains(err.Error(), c.request.Code)) {
			t.Errorf("%s: the error tells a secret: %v", name, err)
		}
	}
	if n := len(w.redemptions(expired)) + len(w.redemptions(bound)); n != 0 || len(w.accounts()) != 0 {
		t.Errorf("%d uses and accounts %v after refusals only", n, w.accounts())
	}
}

// TestRace: fifty people at once, through three processes that are killed and restarted meanwhile, on a server that fails
// one call in five, want the ten places of an invite.
func TestRace(t *testing.T) {
	const people, places = 50, 10
	w := newWorld(t)
	processes := make(chan *process, 3)
	for range cap(processes) {
		processes <- w.start(true)
	}
	invite := w.invite("party", places)
	w.settled(invite)
	stopFailing := w.failOneInFive()

	results := make(chan error, people)
	for i := range people {
		go func() { results <- w.insist(processes, invite, fmt.Sprintf("person%02d", i)) }()
	}
	for range cap(processes) { // each process is killed once, and another takes its place
		p := <-processes
		p.kill()
		processes <- w.start(true)
	}
	admitted := 0
	for range people {
		switch err := <-results; {
		case err == nil:
			admitted++
		case !errors.Is(err, redeem.ErrExhausted):
			t.Errorf("refused with: %v", err)
		}
	}
	stopFailing()
	w.state(invite, v1alpha1.InviteExhausted, places)
	redemptions, accounts := w.redemptions(invite), w.accounts()
	t.Logf("%d people, %d places, 3 processes each killed once, 1 call in 5 failing: %d admitted, %d Redemptions, %d accounts",
		people, places, admitted, len(redemptions), len(accounts))
	if admitted != places || len(redemptions) != places || len(accounts) != places {
		t.Errorf("%d admitted, %d Redemptions, %d accounts; want %d of each", admitted, len(redemptions), len(accounts), places)
	}
	for _, r := range redemptions {
		username := r.Spec.Accounts[0].Username
		account, found := accounts[username]
		if !found || r.Status.Phase != v1alpha1.RedemptionCompleted || len(account.Access.Libraries) != 1 || !w.store.CheckPassword(username, passwordOf(username)) {
			t.Errorf("%s: %+v, account %+v", r.Name, r.Status, account)
		}
	}
}

// insist tries again, through any process, until the answer is final.
func (w *world) insist(processes chan *process, invite *v1alpha1.Invite, username string) error {
	deadline := time.Now().Add(3 * time.Minute)
	for {
		p := <-processes
		processes <- p
		_, err := w.redeem(p, invite, username)
		final := err == nil || !(errors.Is(err, redeem.ErrUnavailable) || errors.Is(err, redeem.ErrBusy))
		if final || time.Now().After(deadline) {
			return err
		}
	}
}

// failOneInFive makes every fifth call of the media server fail: half of those before anything is done, half after.
func (w *world) failOneInFive() (stop func()) {
	return w.store.Hook(oneInFive())
}

func (w *world) edit(invite *v1alpha1.Invite, change func()) {
	w.t.Helper()
	if err := w.client.Get(context.Background(), client.ObjectKeyFromObject(invite), invite); err != nil {
		w.t.Fatal(err)
	}
	base := invite.DeepCopy()
	change()
	if err := w.client.Patch(context.Background(), invite, client.MergeFrom(base)); err != nil {
		w.t.Fatal(err)
	}
}

func (w *world) state(invite *v1alpha1.Invite, state v1alpha1.InviteState, uses int32) {
	w.t.Helper()
	testenv.Eventually(w.t, fmt.Sprintf("%s is %s with %d uses", invite.Name, state, uses), func() bool {
		err := w.client.Get(context.Background(), client.ObjectKeyFromObject(invite), invite)
		return err == nil && invite.Status.State == state && invite.Status.Uses != nil && invite.Status.Uses.Total == uses
	})
}

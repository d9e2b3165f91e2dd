package redeem

import (
	"bytes"
	"context"
	"errors"
	"testing"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/client/interceptor"

	"github.com/usher-media/usher/api/v1alpha1"
	"github.com/usher-media/usher/internal/media"
)

// A reservation that somebody works on is left to them, and of two that take one up at the same moment one goes on.
func TestAReservationIsWorkedOnByOne(t *testing.T) {
	fresh := reservation(0, "joe")
	wantErr(t, newDesk(t, interceptor.Funcs{}, fresh).engine.takeUp(t.Context(), fresh), ErrBusy)

	old := reservation(0, "joe")
	setAttempt(old, noon.Add(-time.Hour))
	d := newDesk(t, interceptor.Funcs{}, old)
	first, second := &v1alpha1.Redemption{}, &v1alpha1.Redemption{}
	for _, into := range []*v1alpha1.Redemption{first, second} {
		if err := d.Get(t.Context(), client.ObjectKeyFromObject(old), into); err != nil {
			t.Fatal(err)
		}
	}
	if err := d.engine.takeUp(t.Context(), first); err != nil {
		t.Fatal(err)
	}
	wantErr(t, d.engine.takeUp(t.Context(), second), ErrBusy)
}

// What was revoked, expired, or taken by a lower slot before this one was reserved, admits nobody.
func TestAReservationIsConfirmed(t *testing.T) {
	open := &v1alpha1.Invite{ObjectMeta: metav1.ObjectMeta{Namespace: namespace, Name: "cousins", UID: "invite"}}
	revoked, expired, limited := open.DeepCopy(), open.DeepCopy(), open.DeepCopy()
	revoked.Spec.Revoked, expired.Spec.ExpiresAt, limited.Spec.MaxUses = true, new(v1alpha1.NewTime(noon)), new(int32(1))
	mine, lower := reservation(3, "joe"), reservation(1, "joe")
	higher, elses := reservation(5, "joe"), reservation(1, "kim")
	for name, c := range map[string]struct {
		invite *v1alpha1.Invite
		others []client.Object
		want   error
	}{
		"open": {open, nil, nil}, "revoked": {revoked, nil, ErrRevoked}, "expired": {expired, nil, ErrExpired},
		"the last place":             {limited, nil, nil},
		"one too many":               {limited, []client.Object{elses}, ErrExhausted},
		"asked for by a lower slot":  {open, []client.Object{lower}, ErrBusy},
		"asked for by a higher slot": {open, []client.Object{higher}, nil},
	} {
		d := newDesk(t, interceptor.Funcs{}, append(c.others, c.invite, mine)...)
		if err := d.engine.confirm(t.Context(), open, mine); !errors.Is(err, c.want) || (err == nil) != (c.want == nil) {
			t.Errorf("%s: %v, want %v", name, err, c.want)
		}
	}
}

// A slot is given back by who has it: one that was taken anew meanwhile stays.
func TestGivingBackNeedsTheVeryUse(t *testing.T) {
	anew := reservation(0, "kim")
	anew.UID = "another"
	d := newDesk(t, preconditions, anew)
	_ = d.engine.giveBack(t.Context(), reservation(0, "joe"))
	if !d.exists(reservation(0, "kim")) {
		t.Error("somebody else's use was given back")
	}
}

// preconditions are what an API server asks of a deletion, and of a patch that names a UID.
var preconditions = interceptor.Funcs{Patch: func(ctx context.Context, c client.WithWatch, object client.Object, patch client.Patch, options ...client.PatchOption) error {
	stored := object.DeepCopyObject().(client.Object)
	if err := c.Get(ctx, client.ObjectKeyFromObject(object), stored); err != nil {
		return err
	}
	data, err := patch.Data(object)
	if err != nil {
		return err
	}
	if bytes.Contains(data, []byte(`"uid"`)) && object.GetUID() != stored.GetUID() {
		return apierrors.NewConflict(schema.GroupResource{Resource: "users"}, object.GetName(), errors.New("it is another one"))
	}
	return c.Patch(ctx, object, patch, options...)
}, Delete: func(ctx context.Context, c client.WithWatch, object client.Object, options ...client.DeleteOption) error {
	asked := (&client.DeleteOptions{}).ApplyOptions(options).Preconditions
	stored := object.DeepCopyObject().(client.Object)
	if err := c.Get(ctx, client.ObjectKeyFromObject(object), stored); err != nil {
		return err
	}
	if asked != nil && (asked.UID != nil && *asked.UID != stored.GetUID() || asked.ResourceVersion != nil && *asked.ResourceVersion != stored.GetResourceVersion()) {
		return apierrors.NewConflict(schema.GroupResource{Resource: "redemptions"}, object.GetName(), errors.New("it is another one"))
	}
	return c.Delete(ctx, object)
}}

// A name that is taken gives the use back when no account of ours can be left: the User is deleted with its account, and gone.
func TestUndoingWaitsUntilNoAccountIsLeft(t *testing.T) {
	mine := reservation(0, "joe")
	for name, held := range map[string]bool{"gone": false, "held by its controller": true} {
		t.Run(name, func(t *testing.T) {
			user := person("joe", labelled(mine.Name))
			if held {
				user.Finalizers = []string{v1alpha1.Finalizer}
			}
			d := newDesk(t, interceptor.Funcs{}, mine.DeepCopy(), user)
			err := d.engine.undo(t.Context(), mine, user)
			if !held {
				wantErr(t, err, ErrUsernameTaken)
			} else {
				wantErr(t, err, ErrUnavailable)
				left := person("joe", nil)
				if !d.exists(left) || left.Spec.DeletionPolicy != v1alpha1.UserDeletionDelete {
					t.Errorf("its account would stay: %+v", left.Spec)
				}
			}
			if kept := d.exists(reservation(0, "joe")); kept != held {
				t.Errorf("the use is reserved: %t", kept)
			}
		})
	}
}

// Only a reservation that nobody works on, and for which nothing was declared, is freed.
func TestSweepFreesOnlyWhatIsAbandoned(t *testing.T) {
	late := noon.Add(AbandonedAfter + time.Minute)
	abandoned, young, done, withUser, going, moved := reservation(0, "a"), reservation(1, "b"), reservation(2, "c"), reservation(3, "d"), reservation(4, "e"), reservation(5, "f")
	setAttempt(young, late.Add(-time.Minute))
	done.Status.Phase = v1alpha1.RedemptionCompleted
	going.Finalizers, going.DeletionTimestamp = []string{"somebody/else"}, &metav1.Time{Time: noon}
	before := reservation(6, "g") // of before there were accounts: nobody can tell whether a User stands for it
	before.Spec.Accounts = nil
	d := newDesk(t, preconditions, abandoned, young, done, withUser, going, moved, before, person("d", nil))
	var list v1alpha1.RedemptionList
	if err := d.List(t.Context(), &list); err != nil {
		t.Fatal(err)
	}
	for i := range list.Items {
		if list.Items[i].Name == moved.Name {
			list.Items[i].ResourceVersion = "1" // somebody took it up since
		}
	}
	freed, next, err := Sweep(t.Context(), d, list.Items, late)
	if err != nil || freed != 1 || !next.Equal(late.Add(AbandonedAfter-time.Minute)) {
		t.Errorf("freed %d, next %v, %v", freed, next, err)
	}
	for _, kept := range []*v1alpha1.Redemption{young, done, withUser, going, moved, before} {
		if !d.exists(kept.DeepCopy()) {
			t.Errorf("%s was freed", kept.Name)
		}
	}
}

// A slot that is taken for another use is passed over; one that an earlier attempt of the same use took is found again.
func TestReserveTakesTheLowestFreeSlot(t *testing.T) {
	invite := &v1alpha1.Invite{ObjectMeta: metav1.ObjectMeta{Namespace: namespace, Name: "cousins", UID: "invite"}}
	d := newDesk(t, interceptor.Funcs{}, reservation(0, "kim"), reservation(1, "joe"))
	use := Use{Invite: invite, Accounts: accountOf("joe", "joe"), At: noon, Limit: 3}
	for name, c := range map[string]struct {
		change func(*Use)
		slot   int32
		want   error
	}{
		"the same use again":    {func(*Use) {}, 1, nil},
		"the same name, later":  {func(u *Use) { u.At = noon.Add(time.Hour) }, 2, nil},
		"more than there are":   {func(u *Use) { u.Accounts, u.Limit = accountOf("leo", "joe"), 2 }, 0, ErrExhausted},
		"another one's account": {func(u *Use) { u.Accounts, u.Limit = accountOf("joe", "joe-2"), 2 }, 0, ErrExhausted},
	} {
		mine := use
		c.change(&mine)
		got, err := Reserve(t.Context(), d, mine)
		if !errors.Is(err, c.want) || (err == nil && got.Spec.Slot != c.slot) {
			t.Errorf("%s: %+v, %v", name, got, err)
		}
		if err == nil && c.slot == 2 {
			_ = d.Delete(t.Context(), got)
		}
	}
}

// The link of another Invite, or a guess, opens nothing.
func TestACodeIsComparedWithThisInvites(t *testing.T) {
	invite := &v1alpha1.Invite{ObjectMeta: metav1.ObjectMeta{Namespace: namespace, Name: "cousins", UID: "invite"}}
	d := newDesk(t, interceptor.Funcs{}, invite)
	key := client.ObjectKeyFromObject(invite)
	if _, err := d.engine.invite(t.Context(), key, "code of invite"); err != nil {
		t.Error(err)
	}
	for _, code := range []string{"", "code of another"} {
		_, err := d.engine.invite(t.Context(), key, code)
		wantErr(t, err, ErrUnknown)
	}
}

// What a person types is looked at before a use is reserved.
func TestWhatAServerWouldRefuseReservesNothing(t *testing.T) {
	bound := &v1alpha1.Invite{Spec: v1alpha1.InviteSpec{Email: "joe@example.org"}}
	traits := media.Traits{MinPassword: 8, MaxPassword: 12, FoldEmail: func(s string) string { return s }}
	good := Request{Person: Person{Username: "joe", Email: "joe@example.org"}, Password: "a password"}
	for name, c := range map[string]struct {
		change func(*Request)
		want   error
	}{
		"good": {func(*Request) {}, nil}, "a long password": {func(r *Request) { r.Password = "a long password" }, ErrInvalid},
		"a line in the password": {func(r *Request) { r.Password = "pass\nword" }, ErrInvalid},
		"a line in the name":     {func(r *Request) { r.Username = "jo\ne" }, ErrInvalid},
		"another address":        {func(r *Request) { r.Email = "eve@example.org" }, ErrWrongEmail},
	} {
		request := good
		c.change(&request)
		if err := validate(bound, request, traits); !errors.Is(err, c.want) || (err == nil) != (c.want == nil) {
			t.Errorf("%s: %v, want %v", name, err, c.want)
		}
	}
}

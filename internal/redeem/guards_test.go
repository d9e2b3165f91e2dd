package redeem

import (
	"context"
	"errors"
	"testing"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/client/fake"
	"sigs.k8s.io/controller-runtime/pkg/client/interceptor"

	"github.com/usher-media/usher/api/v1alpha1"
	"github.com/usher-media/usher/internal/media"
)

// The guards of a redemption, one by one: each test fails when the guard that it names is taken out.

var noon = time.Date(2026, 6, 1, 12, 0, 0, 0, time.UTC)

const namespace = "media"

// desk is an engine on a cluster in memory.
type desk struct {
	t *testing.T
	client.Client
	engine *Engine
}

func newDesk(t *testing.T, before interceptor.Funcs, objects ...client.Object) desk {
	t.Helper()
	scheme := runtime.NewScheme()
	if err := v1alpha1.AddToScheme(scheme); err != nil {
		t.Fatal(err)
	}
	c := fake.NewClientBuilder().WithScheme(scheme).WithObjects(objects...).WithStatusSubresource(&v1alpha1.User{}, &v1alpha1.Redemption{}).
		WithInterceptorFuncs(before).Build()
	wait := Waiting{Poll: time.Millisecond, Account: 20 * time.Millisecond, Lease: time.Minute}
	return desk{t, c, New(c, func(uid types.UID) string { return "code of " + string(uid) }, nil, func() time.Time { return noon }, wait)}
}

func reservation(slot int32, user string) *v1alpha1.Redemption {
	invite := &v1alpha1.Invite{ObjectMeta: metav1.ObjectMeta{Namespace: namespace, Name: "cousins", UID: "invite"}}
	r := newRedemption(Use{Invite: invite, Username: user, UserName: user, At: noon}, slot)
	r.UID = types.UID("of-" + r.Name)
	return r
}

func person(name string, change func(*v1alpha1.User)) *v1alpha1.User {
	user := &v1alpha1.User{ObjectMeta: metav1.ObjectMeta{Namespace: namespace, Name: name, UID: types.UID("of-" + name), Generation: 2}}
	if change != nil {
		change(user)
	}
	return user
}

func labelled(redemption string) func(*v1alpha1.User) {
	return func(u *v1alpha1.User) { u.Labels = map[string]string{v1alpha1.LabelRedemption: redemption} }
}

func (d desk) exists(object client.Object) bool {
	d.t.Helper()
	err := d.Get(d.t.Context(), client.ObjectKeyFromObject(object), object)
	if client.IgnoreNotFound(err) != nil {
		d.t.Fatal(err)
	}
	return err == nil
}

func wantErr(t *testing.T, got, want error) {
	t.Helper()
	if !errors.Is(got, want) {
		t.Errorf("got %v, want %v", got, want)
	}
}

func said(kind, reason string, status metav1.ConditionStatus, generation int64) v1alpha1.Conditions {
	return v1alpha1.Conditions{{Type: kind, Reason: reason, Status: status, ObservedGeneration: generation}}
}

// Nobody gets a password before the account has all that it is to have, of this very generation.
func TestReadyNeedsEverything(t *testing.T) {
	good := v1alpha1.UserStatus{ExternalID: "1", State: v1alpha1.UserActive, Conditions: said(v1alpha1.ConditionInSync, v1alpha1.ReasonSynced, metav1.ConditionTrue, 2)}
	for name, c := range map[string]struct {
		change func(*v1alpha1.UserStatus)
		want   bool
	}{
		"all there":           {func(*v1alpha1.UserStatus) {}, true},
		"no condition":        {func(s *v1alpha1.UserStatus) { s.Conditions = nil }, false},
		"another condition":   {func(s *v1alpha1.UserStatus) { s.Conditions[0].Type = v1alpha1.ConditionReady }, false},
		"not yet":             {func(s *v1alpha1.UserStatus) { s.Conditions[0].Status = metav1.ConditionFalse }, false},
		"not known":           {func(s *v1alpha1.UserStatus) { s.Conditions[0].Status = metav1.ConditionUnknown }, false},
		"of an older one":     {func(s *v1alpha1.UserStatus) { s.Conditions[0].ObservedGeneration = 1 }, false},
		"no account":          {func(s *v1alpha1.UserStatus) { s.ExternalID = "" }, false},
		"disabled":            {func(s *v1alpha1.UserStatus) { s.State = v1alpha1.UserDisabled }, false},
		"disabled by another": {func(s *v1alpha1.UserStatus) { s.State = v1alpha1.UserDisabledOnServer }, false},
	} {
		user := person("joe", func(u *v1alpha1.User) { u.Status = *good.DeepCopy(); c.change(&u.Status) })
		if got := ready(user); got != c.want {
			t.Errorf("%s: %t, want %t", name, got, c.want)
		}
	}
}

// A use is taken back only when the name is somebody else's, as of this generation, and no account of ours is there.
func TestTakenNeedsProof(t *testing.T) {
	for name, c := range map[string]struct {
		status v1alpha1.UserStatus
		want   bool
	}{
		"a conflict":        {v1alpha1.UserStatus{Conditions: said(v1alpha1.ConditionStalled, v1alpha1.ReasonConflict, metav1.ConditionTrue, 2)}, true},
		"another User's":    {v1alpha1.UserStatus{Conditions: said(v1alpha1.ConditionStalled, v1alpha1.ReasonDuplicateClaim, metav1.ConditionTrue, 2)}, true},
		"several":           {v1alpha1.UserStatus{Conditions: said(v1alpha1.ConditionStalled, v1alpha1.ReasonAmbiguousName, metav1.ConditionTrue, 2)}, true},
		"something else":    {v1alpha1.UserStatus{Conditions: said(v1alpha1.ConditionStalled, v1alpha1.ReasonRefused, metav1.ConditionTrue, 2)}, false},
		"not (any more)":    {v1alpha1.UserStatus{Conditions: said(v1alpha1.ConditionStalled, v1alpha1.ReasonConflict, metav1.ConditionFalse, 2)}, false},
		"of an older one":   {v1alpha1.UserStatus{Conditions: said(v1alpha1.ConditionStalled, v1alpha1.ReasonConflict, metav1.ConditionTrue, 1)}, false},
		"with an account":   {v1alpha1.UserStatus{ExternalID: "1", Conditions: said(v1alpha1.ConditionStalled, v1alpha1.ReasonConflict, metav1.ConditionTrue, 2)}, false},
		"nothing said":      {v1alpha1.UserStatus{}, false},
		"another condition": {v1alpha1.UserStatus{Conditions: said(v1alpha1.ConditionReady, v1alpha1.ReasonConflict, metav1.ConditionTrue, 2)}, false},
	} {
		if got := taken(person("joe", func(u *v1alpha1.User) { u.Status = c.status })); got != c.want {
			t.Errorf("%s: %t, want %t", name, got, c.want)
		}
	}
}

// A User of the wanted name is cleared away only when an abandoned attempt left it behind and no account can be there.
func TestANameIsClearedOnlyWhereNothingWasMade(t *testing.T) {
	other := reservation(7, "leo")
	broken := interceptor.Funcs{Get: func(ctx context.Context, c client.WithWatch, key client.ObjectKey, into client.Object, options ...client.GetOption) error {
		if key.Name == "unread" {
			return apierrors.NewTimeoutError("not now", 1)
		}
		return c.Get(ctx, key, into, options...)
	}}
	for name, c := range map[string]struct {
		existing *v1alpha1.User
		cleared  bool
	}{
		"left behind":              {person("joe", labelled("gone-0")), true},
		"somebody's manifest":      {person("joe", nil), false},
		"came by another use":      {person("joe", labelled(other.Name)), false},
		"whose use cannot be read": {person("joe", labelled("unread")), false},
		"with an account": {person("joe", func(u *v1alpha1.User) {
			labelled("gone-0")(u)
			u.Finalizers = []string{v1alpha1.Finalizer}
		}), false},
	} {
		t.Run(name, func(t *testing.T) {
			mine := reservation(0, "joe")
			d := newDesk(t, broken, mine, other.DeepCopy(), c.existing)
			err := d.engine.declare(t.Context(), mine, Request{Person: Person{Username: "joe"}})
			if c.cleared {
				wantErr(t, err, ErrUnavailable)
			} else {
				wantErr(t, err, ErrUsernameTaken)
			}
			if there := d.exists(person("joe", nil)); there == c.cleared {
				t.Errorf("the User is there: %t", there)
			}
			if kept := d.exists(reservation(0, "joe")); kept != c.cleared {
				t.Errorf("the use is reserved: %t", kept)
			}
		})
	}
}

// The User of this very use is taken up again, but not while it is being deleted.
func TestOnesOwnUserIsTakenUpUnlessItGoes(t *testing.T) {
	mine := reservation(0, "joe")
	d := newDesk(t, interceptor.Funcs{}, mine, person("joe", labelled(mine.Name)))
	if err := d.engine.declare(t.Context(), mine, Request{Person: Person{Username: "joe"}}); err != nil {
		t.Error(err)
	}
	going := person("joe", func(u *v1alpha1.User) {
		labelled(mine.Name)(u)
		u.Finalizers, u.DeletionTimestamp = []string{v1alpha1.Finalizer}, &metav1.Time{Time: noon}
	})
	d = newDesk(t, interceptor.Funcs{}, mine, going)
	wantErr(t, d.engine.declare(t.Context(), mine, Request{Person: Person{Username: "joe"}}), errBeingUndone)
	if !d.exists(reservation(0, "joe")) {
		t.Error("the use was given back while its User was going")
	}
}

// A User that is gone while its account is awaited is not waited for.
func TestAwaitingAUserThatIsGone(t *testing.T) {
	d := newDesk(t, interceptor.Funcs{})
	_, err := d.engine.await(t.Context(), reservation(0, "joe"))
	wantErr(t, err, errBeingUndone)
}

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

// preconditions are what an API server asks of a deletion.
var preconditions = interceptor.Funcs{Delete: func(ctx context.Context, c client.WithWatch, object client.Object, options ...client.DeleteOption) error {
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
	d := newDesk(t, preconditions, abandoned, young, done, withUser, going, moved, person("d", nil))
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
	for _, kept := range []*v1alpha1.Redemption{young, done, withUser, going, moved} {
		if !d.exists(kept.DeepCopy()) {
			t.Errorf("%s was freed", kept.Spec.Username)
		}
	}
}

// A slot that is taken for another use is passed over; one that an earlier attempt of the same use took is found again.
func TestReserveTakesTheLowestFreeSlot(t *testing.T) {
	invite := &v1alpha1.Invite{ObjectMeta: metav1.ObjectMeta{Namespace: namespace, Name: "cousins", UID: "invite"}}
	d := newDesk(t, interceptor.Funcs{}, reservation(0, "kim"), reservation(1, "joe"))
	use := Use{Invite: invite, Username: "joe", UserName: "joe", At: noon, Limit: 3}
	for name, c := range map[string]struct {
		change func(*Use)
		slot   int32
		want   error
	}{
		"the same use again":    {func(*Use) {}, 1, nil},
		"the same name, later":  {func(u *Use) { u.At = noon.Add(time.Hour) }, 2, nil},
		"more than there are":   {func(u *Use) { u.Username, u.Limit = "leo", 2 }, 0, ErrExhausted},
		"another one's account": {func(u *Use) { u.UserName, u.Limit = "joe-2", 2 }, 0, ErrExhausted},
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

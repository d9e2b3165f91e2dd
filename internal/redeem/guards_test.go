package redeem

import (
	"context"
	"errors"
	"testing"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/client/fake"
	"sigs.k8s.io/controller-runtime/pkg/client/interceptor"

	"github.com/usher-media/usher/api/v1alpha1"
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
	r := newRedemption(Use{Invite: invite, Accounts: accountOf(user, user), At: noon}, slot)
	r.UID = types.UID("of-" + r.Name)
	return r
}

// accountOf is the account of a username, for which the User of a name stands.
func accountOf(username, user string) []v1alpha1.RedeemedAccount {
	return []v1alpha1.RedeemedAccount{Terms{}.Account("home", username, user, nil, noon)}
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
			err := d.engine.declare(t.Context(), mine, &mine.Spec.Accounts[0], Request{Person: Person{Username: "joe"}})
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
	if err := d.engine.declare(t.Context(), mine, &mine.Spec.Accounts[0], Request{Person: Person{Username: "joe"}}); err != nil {
		t.Error(err)
	}
	going := person("joe", func(u *v1alpha1.User) {
		labelled(mine.Name)(u)
		u.Finalizers, u.DeletionTimestamp = []string{v1alpha1.Finalizer}, &metav1.Time{Time: noon}
	})
	d = newDesk(t, interceptor.Funcs{}, mine, going)
	wantErr(t, d.engine.declare(t.Context(), mine, &mine.Spec.Accounts[0], Request{Person: Person{Username: "joe"}}), errBeingUndone)
	if !d.exists(reservation(0, "joe")) {
		t.Error("the use was given back while its User was going")
	}
}

// A User that is gone while its account is awaited is not waited for.
func TestAwaitingAUserThatIsGone(t *testing.T) {
	d := newDesk(t, interceptor.Funcs{})
	mine := reservation(0, "joe")
	_, err := d.engine.await(t.Context(), mine, &mine.Spec.Accounts[0])
	wantErr(t, err, errBeingUndone)
}

// A User that its controller took up after it was read is not cleared away: an account may be made for it at this moment.
func TestANameThatWasTakenUpMeanwhileIsNotCleared(t *testing.T) {
	mine, existing := reservation(0, "joe"), person("joe", labelled("gone-0"))
	asks := preconditions.Delete
	takenUp := interceptor.Funcs{Delete: func(ctx context.Context, c client.WithWatch, object client.Object, options ...client.DeleteOption) error {
		now := person("joe", nil)
		if err := c.Get(ctx, client.ObjectKeyFromObject(now), now); err != nil {
			return err
		}
		now.Finalizers = []string{v1alpha1.Finalizer}
		if err := c.Update(ctx, now); err != nil {
			return err
		}
		return asks(ctx, c, object, options...)
	}}
	d := newDesk(t, takenUp, mine, existing)
	wantErr(t, d.engine.declare(t.Context(), mine, &mine.Spec.Accounts[0], Request{Person: Person{Username: "joe"}}), ErrUnavailable)
	if left := person("joe", nil); !d.exists(left) || !left.DeletionTimestamp.IsZero() {
		t.Error("a User with an account to come was deleted")
	}
}

// A User that was made anew meanwhile, by whoever, is not undone, and keeps its deletion policy.
func TestUndoingLeavesAnotherUserOfTheName(t *testing.T) {
	mine, anew := reservation(0, "joe"), person("joe", nil)
	anew.UID = "another"
	d := newDesk(t, preconditions, mine.DeepCopy(), anew)
	was := person("joe", labelled(mine.Name))
	wantErr(t, d.engine.undo(t.Context(), mine, was), ErrUnavailable)
	if left := person("joe", nil); !d.exists(left) || left.Spec.DeletionPolicy == v1alpha1.UserDeletionDelete {
		t.Errorf("somebody else's User was deleted, or is to be with its account: %+v", left.Spec)
	}
}

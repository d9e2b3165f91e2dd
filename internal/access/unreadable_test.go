package access

import (
	"strings"
	"testing"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/usher-media/usher/api/v1alpha1"
)

func written(t time.Time) *v1alpha1.Time { return new(v1alpha1.Time(t.Format(time.RFC3339Nano))) }

func read(t *v1alpha1.Time) time.Time {
	at, err := t.Parse()
	if err != nil {
		panic(err)
	}
	return at
}

// TestWhatCannotBeReadGivesNothing: an object with a date that nobody can read names the field, and gives nothing.
func TestWhatCannotBeReadGivesNothing(t *testing.T) {
	grant := func(from, until *v1alpha1.Time) *v1alpha1.LibraryGrant {
		return &v1alpha1.LibraryGrant{Spec: v1alpha1.LibraryGrantSpec{NotBefore: from, NotAfter: until, Libraries: v1alpha1.Targets{All: true}, Users: v1alpha1.Targets{All: true}}}
	}
	says := func(field string, object any) {
		t.Helper()
		if err := Unreadable(object); err == nil || !strings.HasPrefix(err.Error(), field+": ") || !strings.Contains(err.Error(), "write it like") {
			t.Errorf("%T: %v, want one about %s", object, err, field)
		}
	}
	past, future := written(now.Add(-time.Hour)), written(now.Add(time.Hour))
	for _, text := range []v1alpha1.Time{"2030-12-31t22:00:00z", "2030-12-31T22:00:00Ztomorrow", "2030-12-31T22:00:00+99:99", "9999-12-31T23:59:59-12:00", "9999-12-31T23:59:59.9999999Z", `["a"]`, "", " ", "null"} {
		bad := &text
		for field, one := range map[string]*v1alpha1.LibraryGrant{"spec.notAfter": grant(past, bad), "spec.notBefore": grant(bad, future)} {
			says(field, one)
			if given, _ := ActiveGrants([]v1alpha1.LibraryGrant{*one}, NewGrant, now); len(given) > 0 {
				t.Errorf("%q as %s gives access", text, field)
			}
			if given := GivenUntilNow([]v1alpha1.LibraryGrant{*one}, NewGrant, now); len(given) > 0 {
				t.Errorf("%q as %s counts as given until its time was over", text, field)
			}
		}
		if state, _ := GrantState(grant(bad, past), now); state != v1alpha1.GrantEnded {
			t.Errorf("a grant that has ended is %s when its beginning is %q", state, text)
		}
		user := &v1alpha1.User{Spec: v1alpha1.UserSpec{ExpiresAt: bad}}
		says("spec.expiresAt", user)
		if _, out, _ := WantDisabled(user, true, now); !out {
			t.Errorf("%q lets in who was shut out", text)
		}
		if _, out, _ := WantDisabled(user, false, now); out {
			t.Errorf("%q shuts out who was not", text)
		}
		invite := &v1alpha1.Invite{Spec: v1alpha1.InviteSpec{ExpiresAt: bad}}
		says("spec.expiresAt", invite)
		if state, _ := InviteState(invite, 0, now); state != v1alpha1.InviteExpired {
			t.Errorf("an invite until %q is %s", text, state)
		}
		redemption := v1alpha1.Redemption{Spec: v1alpha1.RedemptionSpec{At: text, Accounts: []v1alpha1.RedeemedAccount{{Libraries: []v1alpha1.RedeemedEdge{{Library: "movies"}}}}}}
		says("spec.at", &redemption)
		if edges := RedeemedEdges(&v1alpha1.User{}, "", []v1alpha1.Redemption{redemption}); len(edges) > 0 {
			t.Errorf("who came at %q sees %v", text, edges)
		}
	}
	bad := v1alpha1.Duration("9999999999999999h")
	invite := &v1alpha1.Invite{Spec: v1alpha1.InviteSpec{Account: &v1alpha1.InvitedAccount{ExpiresAfter: &bad}}}
	says("spec.account.expiresAfter", invite)
	if state, _ := InviteState(invite, 0, now); state != v1alpha1.InviteExpired {
		t.Errorf("an invite whose accounts last %s is %s", bad, state)
	}
	says("spec.syncInterval", &v1alpha1.MediaServer{Spec: v1alpha1.MediaServerSpec{SyncInterval: &bad}})
	deleted := metav1.NewTime(now)
	for _, good := range []any{
		&v1alpha1.MediaServer{}, &v1alpha1.Library{}, &v1alpha1.User{}, grant(past, future), grant(nil, nil), &v1alpha1.Invite{},
		&v1alpha1.Invite{Spec: v1alpha1.InviteSpec{ExpiresAt: new(v1alpha1.Time("9999-12-31T23:59:59Z"))}},
		&v1alpha1.User{ObjectMeta: metav1.ObjectMeta{DeletionTimestamp: &deleted}, Spec: v1alpha1.UserSpec{ExpiresAt: new(v1alpha1.Time("2030-12-31T22:00:00.5+02:00"))}},
	} {
		if err := Unreadable(good); err != nil {
			t.Errorf("%T: %v", good, err)
		}
	}
}

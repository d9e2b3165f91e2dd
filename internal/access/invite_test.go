package access

import (
	"testing"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"pgregory.net/rapid"

	"github.com/usher-media/usher/api/v1alpha1"
)

func TestInviteState(t *testing.T) {
	at := func(offset time.Duration) *v1alpha1.Time { return written(now.Add(offset)) }
	limit := func(n int32) *int32 { return &n }
	for name, c := range map[string]struct {
		spec  v1alpha1.InviteSpec
		uses  int
		state v1alpha1.InviteState
		next  *v1alpha1.Time
	}{
		"no limits":                  {v1alpha1.InviteSpec{}, 1000, v1alpha1.InvitePending, nil},
		"a use left":                 {v1alpha1.InviteSpec{MaxUses: limit(2)}, 1, v1alpha1.InvitePending, nil},
		"none left":                  {v1alpha1.InviteSpec{MaxUses: limit(2)}, 2, v1alpha1.InviteExhausted, nil},
		"the limit was lowered":      {v1alpha1.InviteSpec{MaxUses: limit(2)}, 5, v1alpha1.InviteExhausted, nil},
		"before its end":             {v1alpha1.InviteSpec{ExpiresAt: at(time.Second)}, 0, v1alpha1.InvitePending, at(time.Second)},
		"at its end":                 {v1alpha1.InviteSpec{ExpiresAt: at(0)}, 0, v1alpha1.InviteExpired, nil},
		"long ago":                   {v1alpha1.InviteSpec{ExpiresAt: at(-time.Hour)}, 0, v1alpha1.InviteExpired, nil},
		"exhausted before its end":   {v1alpha1.InviteSpec{MaxUses: limit(1), ExpiresAt: at(time.Hour)}, 1, v1alpha1.InviteExhausted, at(time.Hour)},
		"expired beats exhausted":    {v1alpha1.InviteSpec{MaxUses: limit(1), ExpiresAt: at(0)}, 1, v1alpha1.InviteExpired, nil},
		"revoked beats expired":      {v1alpha1.InviteSpec{Revoked: true, ExpiresAt: at(0)}, 0, v1alpha1.InviteRevoked, nil},
		"revoked beats what is left": {v1alpha1.InviteSpec{Revoked: true, MaxUses: limit(3)}, 0, v1alpha1.InviteRevoked, nil},
	} {
		state, next := InviteState(&v1alpha1.Invite{Spec: c.spec}, c.uses, now)
		if state != c.state || (c.next == nil) != next.IsZero() || (c.next != nil && *written(next) != *c.next) {
			t.Errorf("%s: %s, next %v; want %s, next %v", name, state, next, c.state, c.next)
		}
	}
	deleted := &v1alpha1.Invite{ObjectMeta: metav1.ObjectMeta{DeletionTimestamp: &metav1.Time{Time: now}}}
	if state, _ := InviteState(deleted, 0, now); state != v1alpha1.InviteRevoked {
		t.Errorf("an invite that is being deleted is %s", state)
	}
}

// TestInviteStateChangesWhenItSays: between now and the announced moment nothing changes by itself, and then it does.
func TestInviteStateChangesWhenItSays(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		invite := &v1alpha1.Invite{}
		if rapid.Bool().Draw(t, "limited") {
			invite.Spec.MaxUses = new(int32(rapid.IntRange(1, 3).Draw(t, "max")))
		}
		if rapid.Bool().Draw(t, "ends") {
			invite.Spec.ExpiresAt = written(now.Add(time.Duration(rapid.IntRange(-5, 5).Draw(t, "end")) * time.Second))
		}
		invite.Spec.Revoked = rapid.Bool().Draw(t, "revoked")
		uses := rapid.IntRange(0, 4).Draw(t, "uses")
		state, next := InviteState(invite, uses, now)
		for second := range 8 {
			at := now.Add(time.Duration(second) * time.Second)
			later, _ := InviteState(invite, uses, at)
			if changed := later != state; changed != (!next.IsZero() && !at.Before(next)) {
				t.Fatalf("%s, next change %v; at %v it is %s", state, next, at, later)
			}
		}
	})
}

func TestRedeemedEdges(t *testing.T) {
	redemption := func(user, server, account string) v1alpha1.Redemption {
		r := v1alpha1.Redemption{}
		r.Spec = v1alpha1.RedemptionSpec{
			InviteRef: v1alpha1.InviteReference{Name: "cousins"}, At: v1alpha1.NewTime(now),
			Accounts: []v1alpha1.RedeemedAccount{
				{Server: "cabin", UserRef: v1alpha1.LocalReference{Name: "cabin-user"}},
				{
					Server: server, UserRef: v1alpha1.LocalReference{Name: user},
					Libraries: []v1alpha1.RedeemedEdge{{Library: "movies", Role: v1alpha1.LibraryRoleViewer}},
				},
			},
		}
		r.Status.Accounts = []v1alpha1.RedeemedAccountID{{Server: "cabin", ID: "7"}}
		if account != "" {
			r.Status.Accounts = append(r.Status.Accounts, v1alpha1.RedeemedAccountID{Server: server, ID: account})
		}
		return r
	}
	deleted := redemption("joe", "home", "1")
	deleted.DeletionTimestamp = &metav1.Time{Time: now}
	none := redemption("joe", "home", "1")
	none.Spec.Accounts = nil
	joe := &v1alpha1.User{ObjectMeta: metav1.ObjectMeta{Name: "joe"}, Spec: v1alpha1.UserSpec{ServerRef: v1alpha1.LocalReference{Name: "home"}}}
	for name, c := range map[string]struct {
		redemption v1alpha1.Redemption
		account    string
		gives      bool
	}{
		"his own":                            {redemption("joe", "home", "1"), "1", true},
		"before his account is known":        {redemption("joe", "home", ""), "", true},
		"before the redemption knows it":     {redemption("joe", "home", ""), "1", true},
		"somebody else's":                    {redemption("kim", "home", "1"), "1", false},
		"on another server":                  {redemption("joe", "other", "1"), "1", false},
		"for another account of that name":   {redemption("joe", "home", "1"), "2", false},
		"for one who is not made yet":        {redemption("joe", "home", "1"), "", false},
		"deleted":                            {deleted, "1", false},
		"written before there were accounts": {none, "1", false},
	} {
		if edges := RedeemedEdges(joe, c.account, []v1alpha1.Redemption{c.redemption}); (len(edges) == 1) != c.gives {
			t.Errorf("%s: %v", name, edges)
		}
	}
}

// TestAnOfferGivesNoLibraryThatGoes, nor one of another server.
func TestAnOfferGivesNoLibraryThatGoes(t *testing.T) {
	stays, goes, elsewhere := v1alpha1.Library{ObjectMeta: metav1.ObjectMeta{Name: "stays"}}, v1alpha1.Library{ObjectMeta: metav1.ObjectMeta{Name: "goes"}}, v1alpha1.Library{ObjectMeta: metav1.ObjectMeta{Name: "elsewhere"}}
	goes.DeletionTimestamp = &metav1.Time{Time: now}
	elsewhere.Spec.ServerRef.Name = "other"
	edges, err := OfferEdges(&v1alpha1.InviteOffer{Libraries: &v1alpha1.Targets{All: true}}, []v1alpha1.Library{stays, goes, elsewhere})
	if err != nil || len(edges) != 1 || edges[0].Library != "stays" {
		t.Errorf("gives %v, %v", edges, err)
	}
}

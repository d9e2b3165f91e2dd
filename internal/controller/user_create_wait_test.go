package controller

import (
	"testing"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/usher-media/usher/api/v1alpha1"
	"github.com/usher-media/usher/internal/access/plan"
	"github.com/usher-media/usher/internal/media"
)

// TestGrantsMayFollow: a household that is there already is applied Users first, LibraryGrants after. Nobody loses
// access in between.
func TestGrantsMayFollow(t *testing.T) {
	sees := func(ids ...media.LibraryID) media.Access {
		a := media.Access{Libraries: map[media.LibraryID]media.LibraryRole{}}
		for _, id := range ids {
			a.Libraries[id] = media.LibraryViewer
		}
		return a
	}
	now := time.Date(2026, 1, 1, 12, 0, 0, 0, time.UTC)
	for name, c := range map[string]struct {
		age       time.Duration
		origin    v1alpha1.Origin
		disabled  bool
		has, want media.Access
		waits     bool
	}{
		"something would be taken":             {time.Second, v1alpha1.OriginAdopted, false, sees("a", "b"), sees("a"), true},
		"everything would be taken":            {time.Second, v1alpha1.OriginAdopted, false, media.Access{All: true}, sees(), true},
		"something is given":                   {time.Second, v1alpha1.OriginAdopted, false, sees("a"), sees("a", "b"), false},
		"the User has been there for a while":  {time.Minute, v1alpha1.OriginAdopted, false, sees("a", "b"), sees("a"), false},
		"Usher made the account":               {time.Second, v1alpha1.OriginCreated, false, sees("a", "b"), sees("a"), false},
		"the person is to be shut out at once": {time.Second, v1alpha1.OriginAdopted, true, sees("a", "b"), sees("a"), false},
	} {
		t.Run(name, func(t *testing.T) {
			p := &userPass{
				user:   &v1alpha1.User{ObjectMeta: metav1.ObjectMeta{CreationTimestamp: metav1.NewTime(now.Add(-c.age))}},
				record: record{Origin: c.origin}, snapshot: plan.Snapshot{WantDisabled: c.disabled}, account: media.Account{Access: c.has},
			}
			o := p.grantsOnTheirWay(now, plan.Plan{Of: p.view(), Target: c.want})
			if (o != nil) != c.waits || (o != nil && (o.after <= 0 || o.after > grantsFollow)) {
				t.Errorf("waits: %+v, want %t", o, c.waits)
			}
		})
	}
}

package controller_test

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/usher-media/usher/api/v1alpha1"
	"github.com/usher-media/usher/internal/media"
	"github.com/usher-media/usher/internal/media/memory"
)

// onlooker watches what an account sees at each moment, by role and by list.
type onlooker struct {
	mu      sync.Mutex
	moments []string
}

// watch notes what the account sees after each call.
func (w *world) watch(username string) *onlooker {
	o := &onlooker{}
	w.store.Hook(func(context.Context, memory.Moment, memory.Call) error {
		o.mu.Lock()
		defer o.mu.Unlock()
		if account, found := w.store.Account(username); found {
			o.moments = append(o.moments, fmt.Sprint(account.Role, w.seenBy(account)))
		}
		return nil
	})
	return o
}

// seenBy is what an account sees, its role counted.
func (w *world) seenBy(account media.Account) []string {
	seen := []string{}
	for _, library := range w.store.Libraries() {
		if account.Role == media.RoleAdmin || account.Access.All || account.Access.Libraries[library.ID] != "" {
			seen = append(seen, strings.ToLower(library.Name))
		}
	}
	slices.Sort(seen)
	return seen
}

// only fails when there was another moment than these.
func (o *onlooker) only(t *testing.T, moments ...string) {
	t.Helper()
	o.mu.Lock()
	defer o.mu.Unlock()
	for _, moment := range o.moments {
		if !slices.Contains(moments, moment) {
			t.Errorf("there was a moment with %s, want only %q", moment, moments)
		}
	}
	if len(o.moments) == 0 {
		t.Error("nothing was seen")
	}
	o.moments = nil
}

// tellsTheTruth compares the status with what the server shows.
func (w *world) tellsTheTruth(name string) {
	w.t.Helper()
	user := &v1alpha1.User{}
	w.ready(user, name)
	account, _ := w.store.Account(name)
	told := []string{}
	for _, entry := range user.Status.Access.Items {
		told = append(told, entry.Library)
	}
	if sees := w.seenBy(account); fmt.Sprint(told) != fmt.Sprint(sees) {
		w.t.Errorf("status.access says %v, the server shows %v", told, sees)
	}
}

func (w *world) role(name string, role v1alpha1.AccountRole) {
	w.t.Helper()
	edit(w, w.user(name), func(u *v1alpha1.User) { u.Spec.Role = role })
	w.eventually(fmt.Sprintf("%s is %s", name, role), func() bool {
		account, _ := w.store.Account(name)
		return account.Role == media.Role(role)
	})
	w.tellsTheTruth(name)
}

func TestARoleChangeNeverShowsWhatAnEarlierListHolds(t *testing.T) {
	t.Parallel()
	w := newWorld(t, memory.Options{})
	w.create(w.library("movies"), w.library("kids"), w.user("ann"), w.grant("g", "movies", "ann"), w.grant("k", "kids", "ann"))
	w.seesExactly("ann", "movies", "kids")
	w.role("ann", v1alpha1.AccountRoleAdmin)
	w.delete(w.grant("g", "", ""))
	w.ready(&v1alpha1.User{}, "ann")

	o := w.watch("ann")
	w.role("ann", v1alpha1.AccountRoleMember)
	o.only(t, "Admin[kids movies]", "Member[kids]")
}

func TestAnAccountMadeAsAdminHasItsListOnTheDayItIsDemoted(t *testing.T) {
	t.Parallel()
	w := newWorld(t, memory.Options{})
	admin := w.user("ann")
	admin.Spec.Role = v1alpha1.AccountRoleAdmin
	w.create(w.library("movies"), w.library("kids"), w.grant("g", "movies", "ann"))
	w.ready(&v1alpha1.Library{}, "movies", "kids")
	w.create(admin)
	w.ready(&v1alpha1.User{}, "ann")

	o := w.watch("ann")
	w.role("ann", v1alpha1.AccountRoleMember)
	o.only(t, "Admin[kids movies]", "Member[movies]")
}

// TestARoleAndAGrantThatChangeTogether: neither the old role sees the new library, nor the new role the old one's.
func TestARoleAndAGrantThatChangeTogether(t *testing.T) {
	t.Parallel()
	w := newWorld(t, memory.Options{})
	kids, movies := w.library("kids"), w.library("movies", "for=editors")
	user := w.user("ann", "group=editors")
	user.Spec.Role = v1alpha1.AccountRoleEditor
	w.create(kids, movies, w.grant("e", "movies", "group=editors"), w.grant("g", "kids", "group=guests"), user)
	w.seesExactly("ann", "movies")
	w.ready(&v1alpha1.User{}, "ann")

	o := w.watch("ann")
	edit(w, user, func(u *v1alpha1.User) {
		u.Spec.Role, u.Labels = v1alpha1.AccountRoleGuest, map[string]string{"group": "guests"}
	})
	w.seesExactly("ann", "kids")
	w.tellsTheTruth("ann")
	o.only(t, "Editor[movies]", "Editor[]", "Guest[]", "Guest[kids]")
}

// TestADemotionThatBreaksOffGivesNothing: whichever call fails or loses its answer.
func TestADemotionThatBreaksOffGivesNothing(t *testing.T) {
	t.Parallel()
	for _, op := range []memory.Op{memory.SetAccess, memory.UpdateAccount} {
		t.Run(string(op), func(t *testing.T) {
			t.Parallel()
			w := newWorld(t, memory.Options{Traits: quick})
			w.create(w.library("movies"), w.user("ann"), w.grant("g", "movies", "ann"))
			w.seesExactly("ann", "movies")
			w.role("ann", v1alpha1.AccountRoleAdmin)
			w.delete(w.grant("g", "", ""))
			w.ready(&v1alpha1.User{}, "ann")
			o := w.watch("ann")
			w.store.Fail(op, 1, media.Errorf(media.Unavailable, "broken off"))
			w.store.Lose(op, 1)
			w.role("ann", v1alpha1.AccountRoleMember)
			o.only(t, "Admin[movies]", "Member[]")
		})
	}
}

// TestAPromotionThatIsRefusedHoldsNoWithdrawalBack: what an Admin would see does not keep what a Member has.
func TestAPromotionThatIsRefusedHoldsNoWithdrawalBack(t *testing.T) {
	t.Parallel()
	w := newWorld(t, memory.Options{Capabilities: func(c *media.Capabilities) {
		c.Roles[media.RoleAdmin] = media.RoleInfo{SeesAll: true, Administers: true}
	}})
	w.create(w.library("movies"), w.user("ann"), w.grant("g", "movies", "ann"))
	w.seesExactly("ann", "movies")
	w.ready(&v1alpha1.User{}, "ann")
	edit(w, w.user("ann"), func(u *v1alpha1.User) { u.Spec.Role = v1alpha1.AccountRoleAdmin })
	user := &v1alpha1.User{}
	w.condition(user, "ann", v1alpha1.ConditionStalled, "True", v1alpha1.ReasonUnsupported)
	w.delete(w.grant("g", "", ""))
	w.seesExactly("ann")
	w.eventually("the status says so", func() bool { return get(w, user, "ann").Status.Access.Total == 0 })
}

// TestALibraryThatGoesAwayLeavesTheListOfAnAdmin: else it would show as undeclared access once they are a Member again.
func TestALibraryThatGoesAwayLeavesTheListOfAnAdmin(t *testing.T) {
	t.Parallel()
	w := newWorld(t, memory.Options{})
	w.create(w.library("movies"), w.user("ann"), w.grant("g", "movies", "ann"))
	w.seesExactly("ann", "movies")
	w.role("ann", v1alpha1.AccountRoleAdmin)
	w.delete(w.library("movies"))
	w.gone(w.library("movies"))
	w.role("ann", v1alpha1.AccountRoleMember)
	w.seesExactly("ann")
}

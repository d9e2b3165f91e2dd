package controller_test

import (
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/usher-media/usher/api/v1alpha1"
	"github.com/usher-media/usher/internal/media/memory"
)

func TestGrantByLabel(t *testing.T) {
	t.Parallel()
	w := newWorld(t, memory.Options{})
	w.create(w.library("movies", "set=all"), w.user("ann"), w.grant("kids", "set=all", "group=kids"))
	w.ready(&v1alpha1.Library{}, "movies")
	w.ready(&v1alpha1.User{}, "ann")
	w.seesExactly("ann")

	edit(w, w.user("ann"), func(u *v1alpha1.User) { u.Labels = map[string]string{"group": "kids"} })
	w.seesExactly("ann", "movies")
	edit(w, w.user("ann"), func(u *v1alpha1.User) { u.Labels = nil })
	w.seesExactly("ann")
	edit(w, w.user("ann"), func(u *v1alpha1.User) { u.Labels = map[string]string{"group": "kids"} })
	w.seesExactly("ann", "movies")
	edit(w, w.library("movies"), func(l *v1alpha1.Library) { l.Labels = nil })
	w.seesExactly("ann")
}

func TestGrantDeletedAndDisabled(t *testing.T) {
	t.Parallel()
	w := newWorld(t, memory.Options{})
	w.create(w.library("movies"), w.library("tv"), w.user("ann"))
	w.create(w.grant("one", "movies", "ann"), w.grant("both", "movies,tv", "ann"))
	w.seesExactly("ann", "movies", "tv")

	w.delete(w.grant("both", "movies,tv", "ann"))
	w.seesExactly("ann", "movies")
	edit(w, w.grant("one", "", ""), func(g *v1alpha1.LibraryGrant) { g.Spec.Disabled = true })
	w.seesExactly("ann")
	one := &v1alpha1.LibraryGrant{}
	w.condition(one, "one", v1alpha1.ConditionApplied, metav1.ConditionTrue, "")
	if one.Status.State != v1alpha1.GrantDisabled || one.Status.Edges.Summary != "0/0" {
		t.Errorf("status: %+v", one.Status)
	}
}

func TestGrantWindowOpensAndCloses(t *testing.T) {
	t.Parallel()
	w := newWorld(t, memory.Options{})
	w.create(w.library("movies"), w.user("ann"))
	w.ready(&v1alpha1.Library{}, "movies")
	w.ready(&v1alpha1.User{}, "ann")
	w.store.ResetCalls()

	opens, closes := time.Now().Add(2*time.Second).Truncate(time.Second), time.Now().Add(8*time.Second).Truncate(time.Second)
	grant := w.grant("holidays", "movies", "ann")
	grant.Spec.NotBefore, grant.Spec.NotAfter = new(v1alpha1.NewTime(opens)), new(v1alpha1.NewTime(closes))
	w.create(grant)
	w.eventually("the grant is scheduled", func() bool {
		return get(w, &v1alpha1.LibraryGrant{}, "holidays").Status.State == v1alpha1.GrantScheduled
	})
	if seen := w.sees("ann"); len(seen) > 0 && time.Now().Before(opens) {
		t.Errorf("sees %v before the grant opens", seen)
	}
	w.seesExactly("ann", "movies")
	if time.Now().Before(opens) {
		t.Error("the grant opened early")
	}
	w.seesExactly("ann")
	if time.Now().Before(closes) {
		t.Error("the grant closed early")
	}
	w.eventually("the grant has ended", func() bool {
		return get(w, &v1alpha1.LibraryGrant{}, "holidays").Status.State == v1alpha1.GrantEnded
	})
	if writes := w.store.Count(memory.SetAccess); writes != 2 {
		t.Errorf("%d access writes for one opening and one closing", writes)
	}
}

func TestGrantNamesWhatDoesNotExist(t *testing.T) {
	t.Parallel()
	w := newWorld(t, memory.Options{})
	w.create(w.library("movies"), w.user("ann"), w.grant("g", "movies,nope", "ann,nobody"))
	grant := &v1alpha1.LibraryGrant{}
	w.condition(grant, "g", v1alpha1.ConditionReady, metav1.ConditionFalse, v1alpha1.ReasonReferencesUnresolved)
	w.seesExactly("ann", "movies")
	blocked := map[string]string{}
	for _, edge := range grant.Status.Blocked.Items {
		blocked[edge.Library+edge.User] = edge.Reason
	}
	if want := map[string]string{"nope": "NotFound", "nobody": "NotFound"}; !maps.Equal(blocked, want) {
		t.Errorf("blocked %v, want %v", blocked, want)
	}
	w.create(w.library("nope"), w.user("nobody"))
	w.ready(grant, "g")
	w.seesExactly("nobody", "movies", "nope")
}

func TestTenLibrariesAtOnceAreFewWrites(t *testing.T) {
	t.Parallel()
	w := newWorld(t, memory.Options{})
	w.create(w.user("ann"))
	for i := range 10 {
		w.create(w.library(fmt.Sprintf("l%d", i)))
	}
	for i := range 10 {
		w.ready(&v1alpha1.Library{}, fmt.Sprintf("l%d", i))
	}
	w.ready(&v1alpha1.User{}, "ann")
	w.store.ResetCalls()

	w.create(w.grant("all", "*", "*"))
	w.eventually("ann sees ten libraries", func() bool { return len(w.sees("ann")) == 10 })
	w.condition(&v1alpha1.LibraryGrant{}, "all", v1alpha1.ConditionApplied, metav1.ConditionTrue, "")
	if writes := w.store.Count(memory.SetAccess); writes > 2 {
		t.Errorf("%d access writes for ten libraries at once, want at most 2", writes)
	}
}

func TestUnknownLibraryRoleIsBlockedNotRounded(t *testing.T) {
	t.Parallel()
	w := newWorld(t, memory.Options{Capabilities: withoutLibraryRoles})
	w.create(w.library("movies"), w.user("ann"))
	grant := w.grant("boss", "movies", "ann")
	grant.Spec.Role = v1alpha1.LibraryRoleAdmin
	w.create(grant)
	w.condition(grant, "boss", v1alpha1.ConditionApplied, metav1.ConditionFalse, v1alpha1.ReasonEdgesPending)
	w.eventually("the edge is blocked", func() bool {
		status := get(w, grant, "boss").Status
		return status.Blocked != nil && status.Blocked.Items[0].Reason == "RoleUnsupported"
	})
	w.ready(&v1alpha1.User{}, "ann")
	w.seesExactly("ann")
}

// TestAGrantSaysInOneMessageWhetherItGives: the message that `-o wide` shows is that of the column Ready, and says what
// gives nothing and why.
func TestAGrantSaysInOneMessageWhetherItGives(t *testing.T) {
	t.Parallel()
	w := newWorld(t, memory.Options{})
	w.create(w.library("movies"), w.user("ann", "group=kids"))
	guest := w.user("joe", "group=cousins", v1alpha1.LabelInvite+"=party")
	w.create(guest)
	typo := w.grant("typo", "movies", "groups=kids")
	adults := w.grant("adults", "movies", "group=kids")
	adults.Spec.Users.Selector = &v1alpha1.LabelSelector{MatchExpressions: []v1alpha1.LabelSelectorRequirement{{Key: "group", Operator: "NotIn", Values: []v1alpha1.LabelValue{"kids"}}}}
	noLibrary := w.grant("shelf", "set=none", "ann")
	off := w.grant("off", "movies", "ann")
	off.Spec.Disabled = true
	w.create(typo, adults, noLibrary, off, w.grant("good", "movies", "group=kids"), w.grant("half", "movies,nope", "ann"))
	for name, want := range map[string]string{
		"typo":   "spec.users.selector takes no User",
		"adults": "nobody who came by an Invite",
		"shelf":  "spec.libraries.selector takes no Library",
		"off":    "it is Disabled and gives nothing now",
		"good":   "every edge has reached its server",
		"half":   "there is no Library nope",
	} {
		grant := &v1alpha1.LibraryGrant{}
		w.eventually(name+" says: "+want, func() bool {
			ready := meta.FindStatusCondition(get(w, grant, name).Status.Conditions, v1alpha1.ConditionReady)
			return ready != nil && strings.Contains(ready.Message, want) && (ready.Status == metav1.ConditionTrue) == (name != "half")
		})
	}
	w.seesExactly("joe")
	edit(w, w.grant("adults", "", ""), func(g *v1alpha1.LibraryGrant) { g.Spec.IncludeInvited = true })
	w.seesExactly("joe", "movies")
}

// TestWhoCameByALinkIsNotTakenByWhatASelectorDoesNotSay: a guest sees what the link's page shows, and not what a grant merely
// does not exclude.
func TestWhoCameByALinkIsNotTakenByWhatASelectorDoesNotSay(t *testing.T) {
	t.Parallel()
	w := newInviteWorld(t)
	w.create(w.grant("all", "kids", "*"))
	w.invite("guests", func(s *v1alpha1.InviteSpec) {
		s.Account = &v1alpha1.InvitedAccount{Labels: map[string]v1alpha1.LabelValue{"group": "guests"}}
	})
	if status, text := w.register("joe", w.code("guests")); status != http.StatusCreated {
		t.Fatalf("%d %s", status, text)
	}
	var users v1alpha1.UserList
	through := func() (texts []string) {
		_ = w.client.List(t.Context(), &users, client.InNamespace(w.namespace), client.MatchingLabels{"group": "guests"})
		if len(users.Items) == 1 && users.Items[0].Status.Access != nil {
			for _, item := range users.Items[0].Status.Access.Items {
				texts = append(texts, item.Library+" by "+strings.Join(item.Through, " and "))
			}
		}
		return texts
	}
	sees := func(want ...string) {
		t.Helper()
		w.eventually(fmt.Sprintf("joe sees %v", want), func() bool { return slices.Equal(through(), want) })
	}
	sees("movies by invite guests")
	w.create(w.grant("people", "kids", "group=guests"))
	sees("kids by people (group=guests)", "movies by invite guests")
	w.delete(w.grant("people", "", ""))
	sees("movies by invite guests")
	edit(w.world, w.grant("all", "", ""), func(g *v1alpha1.LibraryGrant) { g.Spec.IncludeInvited = true })
	sees("kids by all", "movies by invite guests")
}

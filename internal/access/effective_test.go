package access

import (
	"fmt"
	"maps"
	"testing"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"pgregory.net/rapid"

	"github.com/usher-media/usher/api/v1alpha1"
)

var (
	groups    = []string{"", "kids", "adults"}
	audiences = []string{"", "family", "private"}
	now       = time.Date(2026, 12, 24, 18, 0, 0, 0, time.UTC)
)

func drawLabels(t *rapid.T, key string, values []string) map[string]string {
	if value := rapid.SampledFrom(values).Draw(t, key); value != "" {
		return map[string]string{key: value}
	}
	return nil
}

func drawLibraries(t *rapid.T) []v1alpha1.Library {
	var libraries []v1alpha1.Library
	for i := range rapid.IntRange(0, 5).Draw(t, "libraries") {
		library := v1alpha1.Library{ObjectMeta: metav1.ObjectMeta{Name: fmt.Sprintf("l%d", i), Labels: drawLabels(t, "audience", audiences)}}
		library.Spec.ServerRef.Name = rapid.SampledFrom([]string{"home", "other"}).Draw(t, "server")
		if rapid.IntRange(0, 5).Draw(t, "deleting") == 0 {
			library.DeletionTimestamp = &metav1.Time{Time: now}
		}
		libraries = append(libraries, library)
	}
	return libraries
}

func drawTargets(t *rapid.T, key string, values []string, prefix string) v1alpha1.Targets {
	switch rapid.IntRange(0, 3).Draw(t, "targets") {
	case 0:
		return v1alpha1.Targets{All: true}
	case 1:
		return v1alpha1.Targets{Selector: &v1alpha1.LabelSelector{MatchLabels: map[string]v1alpha1.LabelValue{
			key: v1alpha1.LabelValue(rapid.SampledFrom(values[1:]).Draw(t, "value")),
		}}}
	case 2:
		return v1alpha1.Targets{Refs: []v1alpha1.LocalReference{{Name: fmt.Sprintf("%s%d", prefix, rapid.IntRange(0, 6).Draw(t, "ref"))}}}
	}
	return v1alpha1.Targets{Selector: &v1alpha1.LabelSelector{}} // what the API server refuses
}

func drawGrants(t *rapid.T) []v1alpha1.LibraryGrant {
	var grants []v1alpha1.LibraryGrant
	for i := range rapid.IntRange(0, 4).Draw(t, "grants") {
		grant := v1alpha1.LibraryGrant{ObjectMeta: metav1.ObjectMeta{Name: fmt.Sprintf("g%d", i)}}
		grant.Spec = v1alpha1.LibraryGrantSpec{
			Libraries: drawTargets(t, "audience", audiences, "l"), Users: drawTargets(t, "group", groups, "u"),
			Role:     rapid.SampledFrom([]v1alpha1.LibraryRole{v1alpha1.LibraryRoleViewer, v1alpha1.LibraryRoleAdmin}).Draw(t, "role"),
			Disabled: rapid.IntRange(0, 4).Draw(t, "disabled") == 0,
		}
		if offset := rapid.IntRange(-1, 2).Draw(t, "after"); offset < 2 {
			grant.Spec.NotAfter = written(now.Add(time.Duration(offset) * time.Hour))
		}
		grants = append(grants, grant)
	}
	return grants
}

func drawUser(t *rapid.T) *v1alpha1.User {
	user := &v1alpha1.User{ObjectMeta: metav1.ObjectMeta{Name: fmt.Sprintf("u%d", rapid.IntRange(0, 3).Draw(t, "user")), Labels: drawLabels(t, "group", groups)}}
	user.Spec.ServerRef.Name = "home"
	if rapid.IntRange(0, 4).Draw(t, "all") == 0 {
		user.Spec.Access = v1alpha1.UserAccessAll
	}
	return user
}

func knowsAll(v1alpha1.LibraryRole) bool { return true }

func viewerOnly(role v1alpha1.LibraryRole) bool { return role == v1alpha1.LibraryRoleViewer }

// TestEffectiveAccessIsWhatAnActiveGrantSays compares with the definition, edge by edge: a library is there if and only if
// it is on the user's server, not being deleted, and some active grant joins the two (or the user sees all).
func TestEffectiveAccessIsWhatAnActiveGrantSays(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		user, libraries, grants := drawUser(t), drawLibraries(t), drawGrants(t)
		knows := rapid.SampledFrom([]func(v1alpha1.LibraryRole) bool{knowsAll, viewerOnly}).Draw(t, "knows")
		active, _ := ActiveGrants(grants, NewGrant, now)
		effective := EffectiveAccess(Subject{User: user, Knows: knows}, libraries, active)
		for i := range libraries {
			library := &libraries[i]
			want := v1alpha1.LibraryRole("")
			if user.Spec.Access == v1alpha1.UserAccessAll {
				want = v1alpha1.LibraryRoleViewer
			}
			for j := range grants {
				if joins(&grants[j], library, user) && knows(grants[j].Spec.Role) {
					want = HighestRole(want, grants[j].Spec.Role)
				}
			}
			if library.Spec.ServerRef != user.Spec.ServerRef || !library.DeletionTimestamp.IsZero() {
				want = ""
			}
			if got := effective[library.Name].Role; got != want {
				t.Fatalf("%s: role %q, want %q", library.Name, got, want)
			}
		}
	})
}

// joins is the definition of an edge, told without the code under test.
func joins(grant *v1alpha1.LibraryGrant, library *v1alpha1.Library, user *v1alpha1.User) bool {
	ended := grant.Spec.NotAfter != nil && !now.Before(read(grant.Spec.NotAfter))
	return !grant.Spec.Disabled && !ended && takes(grant.Spec.Libraries, library) && takes(grant.Spec.Users, user)
}

func takes(targets v1alpha1.Targets, object metav1.Object) bool {
	for _, ref := range targets.Refs {
		if ref.Name == object.GetName() {
			return true
		}
	}
	selector := targets.Selector
	if selector == nil || len(selector.MatchLabels) == 0 {
		return targets.All
	}
	for key, value := range selector.MatchLabels {
		if object.GetLabels()[key] != string(value) {
			return targets.All
		}
	}
	return true
}

// TestMoreGrantsNeverGiveLess: adding a grant never takes away, and taking one away never gives.
func TestMoreGrantsNeverGiveLess(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		user, libraries, grants := drawUser(t), drawLibraries(t), drawGrants(t)
		if len(grants) == 0 {
			return
		}
		all, _ := ActiveGrants(grants, NewGrant, now)
		fewer, _ := ActiveGrants(grants[1:], NewGrant, now)
		more := EffectiveAccess(Subject{User: user, Knows: knowsAll}, libraries, all)
		for name, edge := range EffectiveAccess(Subject{User: user, Knows: knowsAll}, libraries, fewer) {
			if HighestRole(more[name].Role, edge.Role) != more[name].Role {
				t.Fatalf("%s: %q with a grant more, %q without", name, more[name].Role, edge.Role)
			}
		}
	})
}

func TestADeletedUserHasNoAccess(t *testing.T) {
	user := &v1alpha1.User{ObjectMeta: metav1.ObjectMeta{DeletionTimestamp: &metav1.Time{Time: now}}}
	user.Spec.Access = v1alpha1.UserAccessAll
	libraries := []v1alpha1.Library{{ObjectMeta: metav1.ObjectMeta{Name: "movies"}}}
	if got := EffectiveAccess(Subject{User: user, SeesAll: true, Knows: knowsAll}, libraries, nil); len(got) > 0 {
		t.Errorf("has %v", got)
	}
}

func TestGrantState(t *testing.T) {
	at := func(offset time.Duration) *v1alpha1.Time { return written(now.Add(offset)) }
	for name, c := range map[string]struct {
		spec  v1alpha1.LibraryGrantSpec
		state v1alpha1.LibraryGrantState
		next  *v1alpha1.Time
	}{
		"no window":                {v1alpha1.LibraryGrantSpec{}, v1alpha1.GrantActive, nil},
		"before the window":        {v1alpha1.LibraryGrantSpec{NotBefore: at(time.Second), NotAfter: at(time.Hour)}, v1alpha1.GrantScheduled, at(time.Second)},
		"the window opens now":     {v1alpha1.LibraryGrantSpec{NotBefore: at(0), NotAfter: at(time.Hour)}, v1alpha1.GrantActive, at(time.Hour)},
		"the last moment within":   {v1alpha1.LibraryGrantSpec{NotAfter: at(time.Nanosecond)}, v1alpha1.GrantActive, at(time.Nanosecond)},
		"the window closes now":    {v1alpha1.LibraryGrantSpec{NotAfter: at(0)}, v1alpha1.GrantEnded, nil},
		"disabled within":          {v1alpha1.LibraryGrantSpec{NotAfter: at(time.Hour), Disabled: true}, v1alpha1.GrantDisabled, nil},
		"disabled after the end":   {v1alpha1.LibraryGrantSpec{NotAfter: at(-time.Hour), Disabled: true}, v1alpha1.GrantDisabled, nil},
		"no end, begun long ago":   {v1alpha1.LibraryGrantSpec{NotBefore: at(-time.Hour)}, v1alpha1.GrantActive, nil},
		"no end, not begun so far": {v1alpha1.LibraryGrantSpec{NotBefore: at(time.Hour)}, v1alpha1.GrantScheduled, at(time.Hour)},
	} {
		state, next := GrantState(&v1alpha1.LibraryGrant{Spec: c.spec}, now)
		if state != c.state || (c.next == nil) != next.IsZero() || (c.next != nil && *written(next) != *c.next) {
			t.Errorf("%s: %s, next %v; want %s, next %v", name, state, next, c.state, c.next)
		}
	}
}

func TestSwitch(t *testing.T) {
	const active, expired, onServer = v1alpha1.UserActive, v1alpha1.UserExpired, v1alpha1.UserDisabledOnServer
	for _, c := range []struct {
		want                      v1alpha1.UserState
		wantDisabled, is, byUsher bool
		switching                 Switching
		state                     v1alpha1.UserState
	}{
		{active, false, false, false, SwitchNothing, active},
		{active, false, false, true, SwitchNothing, active},
		{active, false, true, true, SwitchEnable, active},
		{active, false, true, false, SwitchNothing, onServer},
		{expired, true, false, false, SwitchDisable, expired},
		{expired, true, true, false, SwitchNothing, expired},
		{expired, true, true, true, SwitchNothing, expired},
	} {
		switching, state := Switch(c.want, c.wantDisabled, c.is, c.byUsher)
		if switching != c.switching || state != c.state {
			t.Errorf("%+v: %s %s", c, switching, state)
		}
	}
}

func TestWantDisabled(t *testing.T) {
	user := &v1alpha1.User{}
	check := func(name string, state v1alpha1.UserState, disabled bool, next time.Time) {
		t.Helper()
		gotState, gotDisabled, gotNext := WantDisabled(user, false, now)
		if gotState != state || gotDisabled != disabled || !gotNext.Equal(next) {
			t.Errorf("%s: %s %t %v", name, gotState, gotDisabled, gotNext)
		}
	}
	check("no expiry", v1alpha1.UserActive, false, time.Time{})
	user.Spec.ExpiresAt = written(now.Add(time.Minute))
	check("expires later", v1alpha1.UserActive, false, now.Add(time.Minute))
	user.Spec.ExpiresAt = written(now)
	check("expires now", v1alpha1.UserExpired, true, time.Time{})
	user.Spec.Disabled = true
	check("disabled and expired", v1alpha1.UserDisabled, true, time.Time{})
}

func TestTarget(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		ids := rapid.MapOf(rapid.IntRange(0, 9), rapid.SampledFrom([]string{"Viewer", "Admin"}))
		current, desired := ids.Draw(t, "current"), ids.Draw(t, "desired")
		declaredSet := rapid.MapOf(rapid.IntRange(0, 9), rapid.Bool()).Draw(t, "declared")
		for id := range desired { // desired edges are of declared libraries
			declaredSet[id] = true
		}
		declared := func(id int) bool { return declaredSet[id] }
		keep := rapid.Bool().Draw(t, "keep")
		target := Target(current, desired, declared, keep)
		for id := range 10 {
			want := desired[id]
			if !declared(id) && keep {
				want = current[id]
			}
			if target[id] != want {
				t.Fatalf("library %d: %q, want %q", id, target[id], want)
			}
		}
		if !maps.Equal(Target(target, desired, declared, keep), target) {
			t.Fatal("applying it twice differs from once")
		}
	})
}

func TestClaimWinner(t *testing.T) {
	object := func(uid string, age int) metav1.Object {
		return &v1alpha1.User{ObjectMeta: metav1.ObjectMeta{UID: types.UID(uid), Name: uid, CreationTimestamp: metav1.NewTime(now.Add(-time.Duration(age) * time.Hour))}}
	}
	older, younger, recorded := Claimant{Object: object("older", 3)}, Claimant{Object: object("younger", 1)}, Claimant{Object: object("recorded", 0), Recorded: true}
	for name, c := range map[string]struct {
		claimants []Claimant
		want      string
	}{
		"age":                                   {[]Claimant{younger, older}, "older"},
		"record beats age":                      {[]Claimant{older, recorded, younger}, "recorded"},
		"alone":                                 {[]Claimant{younger}, "younger"},
		"of two records, the one that is there": {[]Claimant{{Object: object("lost", 3), Recorded: true}, {Object: object("there", 1), Recorded: true, Present: true}}, "there"},
		"what is there needs a record":          {[]Claimant{{Object: object("older", 3), Present: true}, recorded}, "recorded"},
	} {
		if got := ClaimWinner(c.claimants).GetName(); got != c.want {
			t.Errorf("%s: %s, want %s", name, got, c.want)
		}
	}
	if ClaimWinner(nil) != nil {
		t.Error("nobody claims, and somebody wins")
	}
}

// TestARedeemedRoleThatTheServerDoesNotKnow gives nothing, and is not rounded.
func TestARedeemedRoleThatTheServerDoesNotKnow(t *testing.T) {
	user := &v1alpha1.User{ObjectMeta: metav1.ObjectMeta{Name: "joe"}}
	libraries := []v1alpha1.Library{{ObjectMeta: metav1.ObjectMeta{Name: "movies"}}}
	redeemed := map[string]Edge{"movies": {Role: v1alpha1.LibraryRoleAdmin}}
	if got := EffectiveAccess(Subject{User: user, Knows: viewerOnly, Redeemed: redeemed}, libraries, nil); len(got) > 0 {
		t.Errorf("has %v", got)
	}
	if got := EffectiveAccess(Subject{User: user, Knows: knowsAll, Redeemed: redeemed}, libraries, nil); got["movies"].Role != v1alpha1.LibraryRoleAdmin {
		t.Errorf("a known role gives %v", got)
	}
}

// TestOnlyALibraryThatGoesIsWithdrawn: what its status said before it was made again under its name does not count.
func TestOnlyALibraryThatGoesIsWithdrawn(t *testing.T) {
	library := &v1alpha1.Library{}
	library.Status.Conditions = v1alpha1.Conditions{{Type: v1alpha1.ConditionReady, Status: "False", Reason: v1alpha1.ReasonAccessStillHeld}}
	if Withdrawn(library) {
		t.Error("one that stays is withdrawn")
	}
	library.DeletionTimestamp = &metav1.Time{Time: now}
	if !Withdrawn(library) {
		t.Error("one that goes is not")
	}
}

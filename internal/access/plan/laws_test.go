package plan

import (
	"maps"
	"slices"
	"testing"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"pgregory.net/rapid"

	"github.com/usher-media/usher/api/v1alpha1"
	"github.com/usher-media/usher/internal/access"
	"github.com/usher-media/usher/internal/media"
)

// ids are the libraries of the server: movies and tv are declared.
var ids = []media.LibraryID{"home-videos", "movies", "music", "tv"}

func drawAccess(t *rapid.T, name string, can media.Capabilities) media.Access {
	a := media.Access{Libraries: map[media.LibraryID]media.LibraryRole{}, All: can.AccessAll && rapid.IntRange(0, 4).Draw(t, name+" all") == 0}
	for _, id := range ids {
		if role := rapid.SampledFrom([]media.LibraryRole{"", "", media.LibraryViewer, media.LibraryAdmin}).Draw(t, name+" "+string(id)); role != "" {
			a.Libraries[id] = role
		}
	}
	return a
}

// draw is any snapshot of an account with that ownership.
func draw(t *rapid.T, ownership access.Action) Snapshot {
	can := able(rapid.SampledFrom([]func(*media.Capabilities){func(*media.Capabilities) {}, byPassword, byAccess, fixed}).Draw(t, "server"))
	u := user()
	u.Spec.Role = v1alpha1.AccountRole(rapid.SampledFrom([]string{"Member", "Editor", "Admin"}).Draw(t, "wanted role"))
	if rapid.IntRange(0, 4).Draw(t, "all") == 0 {
		u.Spec.Access = v1alpha1.UserAccessAll
	}
	account := media.Account{
		ID: "7", Username: "ann", Role: media.Role(rapid.SampledFrom([]string{"Member", "Editor", "Admin", "Owner"}).Draw(t, "role")),
		Access: drawAccess(t, "list", can), Disabled: can.Disable && rapid.Bool().Draw(t, "disabled"), Exposed: rapid.IntRange(0, 4).Draw(t, "exposed") == 0,
	}
	if ownership == access.ActionCreate {
		account = media.Account{}
	}
	s := snapshot(ownership, u, can, account)
	var given []string
	for _, name := range []string{"movies", "tv"} {
		if rapid.Bool().Draw(t, "given "+name) {
			given = append(given, name)
		}
	}
	s = s.granted(given...)
	if rapid.Bool().Draw(t, "to be disabled") {
		disabled(&s)
	}
	if ownership == access.ActionManage && rapid.Bool().Draw(t, "by Usher") {
		byUsher(MethodFor(can, u.Spec.Role))(&s)
		s.Record.OwesPassword = rapid.Bool().Draw(t, "owes")
	}
	if ownership == access.ActionAdopt && account.Disabled {
		s.FoundDisabled = v1alpha1.DisableSwitch
	}
	if rapid.Bool().Draw(t, "undeclared access is removed") {
		remove(&s)
	}
	if rapid.IntRange(0, 4).Draw(t, "protected") == 0 {
		protected(&s)
	}
	s.Blocked = ownership == access.ActionManage && rapid.IntRange(0, 4).Draw(t, "blocked") == 0
	s.Narrowing = s.Blocked && rapid.Bool().Draw(t, "narrowing")
	return s
}

func drawAny(t *rapid.T) Snapshot {
	return draw(t, rapid.SampledFrom([]access.Action{access.ActionManage, access.ActionManage, access.ActionTake, access.ActionAdopt, access.ActionCreate, access.ActionRecord}).Draw(t, "ownership"))
}

// record is what is on record once a step is taken.
func record(before Record, step Step, account media.Account) Record {
	switch step.Action {
	case Create, Recover:
		return Record{Origin: v1alpha1.OriginCreated, Disabled: step.Method != "" || account.Disabled, Method: step.Method}
	case Adopt:
		return Record{
			Origin: v1alpha1.OriginAdopted, Disabled: step.Method != "", Method: step.Method,
			Locked: step.Method == v1alpha1.DisableLockOut, OwesPassword: step.Method != "",
		}
	case Disable:
		before.Disabled, before.Method, before.Locked = true, step.Method, true
	case Enable, ForgetDisabled:
		return Record{Origin: before.Origin}
	case SetOwedPassword:
		before.OwesPassword = false
	}
	return before
}

// after is the snapshot once a step is taken.
func after(s Snapshot, step Step) Snapshot {
	account := s.Account
	if step.Action == Create {
		account = media.Account{Role: media.Role(s.User.Spec.Role)}
	}
	next := s.With(apply(account, step), record(s.Record, step, account))
	if step.Action == Create || step.Action == Adopt || step.Action == Recover {
		next.Ownership = access.ActionManage
	}
	return next
}

// run takes all steps of a plan, and tells the snapshot after each.
func run(s Snapshot, each func(Step, Snapshot)) Snapshot {
	for _, step := range For(s).Steps {
		s = after(s, step)
		if each != nil {
			each(step, s)
		}
	}
	return s
}

// visible is what somebody sees by an account, whether or not they can sign in.
func visible(s Snapshot) map[media.LibraryID]media.LibraryRole {
	seen := maps.Clone(s.Account.Access.Libraries)
	if seen == nil {
		seen = map[media.LibraryID]media.LibraryRole{}
	}
	if s.Account.Access.All || s.Server.Can.Roles[s.Account.Role].SeesAll {
		for _, id := range ids {
			if seen[id] == "" {
				seen[id] = media.LibraryViewer
			}
		}
	}
	return seen
}

// making says whether the account is only being made: nobody has its password until it is whole.
func (s Snapshot) making() bool {
	return s.Ownership == access.ActionCreate || s.Ownership == access.ActionRecord
}

func within(a, b map[media.LibraryID]media.LibraryRole) bool {
	for id, role := range a {
		if b[id] == "" || (role == media.LibraryAdmin && b[id] != media.LibraryAdmin) {
			return false
		}
	}
	return true
}

// TestNobodyEverHasMoreThanBeforeOrAfter: at each moment of a plan, what an account shows is a part of what it showed before the
// plan, or of what it shows after it; and where its role changes, of what it shows with the role that it has at that moment.
func TestNobodyEverHasMoreThanBeforeOrAfter(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		s := drawAny(t)
		if s.making() {
			return
		}
		last := run(s, nil)
		before, end := visible(s), visible(last)
		run(s, func(step Step, now Snapshot) {
			seen, old, changed := visible(now), now.Account.Role == s.Account.Role, s.Account.Role != last.Account.Role
			asBefore := within(seen, before) && (old || !changed)
			asAfter := within(seen, end) && (!old || !changed)
			if !asBefore && !asAfter {
				t.Fatalf("after %s it shows %v, before %v, at the end %v\n%s", step.Action, seen, before, end, For(s).text())
			}
		})
	})
}

// TestNobodyGetsMoreThanTheManifestsGive: what an account shows of declared libraries at the end, the manifests give.
func TestNobodyGetsMoreThanTheManifestsGive(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		s := drawAny(t)
		end := run(s, nil)
		p := For(s)
		if s.Server.Can.Roles[end.Account.Role].SeesAll || (p.Problem != nil && p.Problem.Reason == v1alpha1.ReasonProtected) {
			return // the list gives nothing, or nothing is done to the account
		}
		all := s.User.Spec.Access == v1alpha1.UserAccessAll
		for name, id := range s.Beliefs.Given {
			_, given := s.Subject.Redeemed[name]
			if visible(end)[id] != "" && !given && !all {
				t.Fatalf("%s is shown, and nobody gave it\n%s", name, p.text())
			}
		}
		before := visible(s)
		for id := range visible(end) {
			if !slices.Contains([]media.LibraryID{"movies", "tv"}, id) && before[id] == "" && s.Record.Revoked[id] == "" && !all {
				t.Fatalf("%s is shown, which no manifest declares and was not there\n%s", id, p.text())
			}
		}
	})
}

// TestTighteningComesBeforeLoosening: once a step gives something to somebody who can sign in, none that follows takes.
func TestTighteningComesBeforeLoosening(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		s := drawAny(t)
		before, loosened := s, false
		run(s, func(step Step, now Snapshot) {
			tightens := !within(visible(before), visible(now)) || step.Action == Disable
			if tightens && loosened {
				t.Fatalf("%s takes, after something was given\n%s", step.Action, For(s).text())
			}
			gives := !within(visible(now), visible(before)) && !now.Account.Disabled
			if !s.making() && (gives || step.Action == Enable) {
				loosened = true
			}
			before = now
		})
	})
}

// TestAnAccountComesToRest: once a plan is executed, nothing is left to do.
func TestAnAccountComesToRest(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		s := drawAny(t)
		if left := For(run(s, nil)); left.Writes() {
			t.Fatalf("left to do:\n%safter\n%s", left.text(), For(s).text())
		}
	})
}

// TestPlanningTwiceGivesTheSame, and changes nothing of what is planned for.
func TestPlanningTwiceGivesTheSame(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		s := drawAny(t)
		effective, list := maps.Clone(s.Effective), maps.Clone(s.Account.Access.Libraries)
		first := For(s).text()
		if second := For(s).text(); first != second {
			t.Fatalf("the plans differ:\n%s%s", first, second)
		}
		if len(s.Effective) != len(effective) || !maps.Equal(s.Account.Access.Libraries, list) {
			t.Fatal("planning changed the snapshot")
		}
	})
}

// TestObserveSaysWhatEnforceDoes: Observe prints a plan whole; Enforce plans anew once the account is the User's, and once it has
// the password that it owed. Both say the same.
func TestObserveSaysWhatEnforceDoes(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		s := drawAny(t)
		observed := For(s).Reasons()
		var enforced []string
		for {
			p := For(s)
			if !p.Obtains() && !p.Has(SetOwedPassword) {
				enforced = append(enforced, p.Reasons()...)
				break
			}
			enforced = append(enforced, p.Steps[0].Reason...)
			s = after(s, p.Steps[0])
		}
		if !slices.Equal(observed, enforced) {
			t.Fatalf("observed %q, enforced %q", observed, enforced)
		}
	})
}

// TestNobodyHoldsALibraryThatGoes: once a plan is executed, no list gives a Library whose access is taken back, whatever the
// manifests give besides, so that its deletion ends. What is seen as part of everything goes with that.
func TestNobodyHoldsALibraryThatGoes(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		s := draw(t, rapid.SampledFrom([]access.Action{access.ActionManage, access.ActionTake}).Draw(t, "ownership"))
		s.Blocked, s.Narrowing = false, false
		s = s.granted("movies")
		now := metav1.Now()
		going := &s.Libraries[1]
		going.DeletionTimestamp = &now
		going.Status.Conditions = []metav1.Condition{{Type: v1alpha1.ConditionReady, Reason: v1alpha1.ReasonAccessStillHeld}}
		p := For(s)
		end := run(s, nil)
		if p.Problem == nil && end.Account.Role != media.RoleOwner && end.Account.Access.Holds("tv") {
			t.Fatalf("it is still held: %+v\n%s", end.Account, p.text())
		}
	})
}

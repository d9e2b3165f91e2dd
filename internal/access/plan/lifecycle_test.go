package plan

import (
	"testing"

	"github.com/usher-media/usher/api/v1alpha1"
	"github.com/usher-media/usher/internal/access"
	"github.com/usher-media/usher/internal/media"
)

// TestPlansOfTheOwnershipTable: a whole plan for each action that the table of access.Ownership knows.
func TestPlansOfTheOwnershipTable(t *testing.T) {
	t.Parallel()
	whole := able()
	shut := member("tv")
	shut.Disabled = true
	other := member("movies", "home-videos")
	other.Username = "anna"
	rows := []row{
		{"Create", For(snapshot(access.ActionCreate, user(), whole, media.Account{}))},
		{"Create, disabled", For(snapshot(access.ActionCreate, user(), whole, media.Account{}).with(disabled))},
		{"Create, disabled, where only a password can disable", For(snapshot(access.ActionCreate, user(), able(byPassword), media.Account{}).with(disabled))},
		{"Create, disabled, where only the access list can disable", For(snapshot(access.ActionCreate, user(), able(byAccess), media.Account{}).with(disabled))},
		{"Create, with a role that Usher's account may not give", For(snapshot(access.ActionCreate, user(owner), whole, media.Account{}))},
		{"Create, where there was one whose password only its holder knew", For(snapshot(access.ActionCreate, user(byHolder), whole, media.Account{}).with(func(s *Snapshot) { s.AccountGone = true }))},
		{"Create, with a problem", For(snapshot(access.ActionCreate, user(), whole, media.Account{}).with(blocked))},
		{"Adopt, in use", For(snapshot(access.ActionAdopt, user(), whole, member("home-videos")))},
		{"Adopt, disabled when found", For(snapshot(access.ActionAdopt, user(), whole, shut).with(found(v1alpha1.DisableSwitch)))},
		{"Adopt, disabled when found, and to stay so", For(snapshot(access.ActionAdopt, user(), whole, shut).with(found(v1alpha1.DisableSwitch)).with(disabled))},
		{"Adopt, locked out when found", For(snapshot(access.ActionAdopt, user(), able(byPassword), member("tv")).with(found(v1alpha1.DisableLockOut)))},
		{"Adopt, without any library when found", For(snapshot(access.ActionAdopt, user(), able(byAccess), member()).with(found(v1alpha1.DisableNoAccess)))},
		{"Adopt, disabled when found, with a password that its holder chooses", For(snapshot(access.ActionAdopt, user(byHolder), whole, shut).with(found(v1alpha1.DisableSwitch)))},
		{"Adopt, with another role", For(snapshot(access.ActionAdopt, user(editor), whole, member("tv")))},
		{"Adopt, protected, with another role", For(snapshot(access.ActionAdopt, user(editor), whole, member("tv")).with(protected))},
		{"Adopt, with a problem", For(snapshot(access.ActionAdopt, user(), whole, member("tv")).with(blocked))},
		{"Record", For(snapshot(access.ActionRecord, user(), whole, member("movies")))},
		{"Record, disabled", For(snapshot(access.ActionRecord, user(), whole, member("movies")).with(disabled))},
		{"Manage", For(snapshot(access.ActionManage, user(), whole, member("movies", "tv")))},
		{"Take", For(snapshot(access.ActionTake, user(), whole, other))},
		{"Take, with something that is given no more", For(snapshot(access.ActionTake, user(), whole, other).granted("tv"))},
		{"Take, disabled", For(snapshot(access.ActionTake, user(), whole, other).with(disabled))},
		{"Take, disabled, where only a password can disable", For(snapshot(access.ActionTake, user(), able(byPassword), other).with(disabled))},
		{"Conflict", For(snapshot(access.ActionConflict, user(), whole, member("tv")))},
		{"Doubt", For(snapshot(access.ActionDoubt, user(), whole, member("tv")))},
		{"Wait", For(snapshot(access.ActionWait, user(), whole, media.Account{}))},
	}
	golden(t, "ownership.golden", "# What is planned for each action of access.Ownership (testdata/ownership.golden there). ann is given movies and tv.\n", rows)
}

// TestPlansOfTheLifecycle: a whole plan for each change in the life of an account that is the User's.
func TestPlansOfTheLifecycle(t *testing.T) {
	t.Parallel()
	whole, rest := able(), []string{"movies", "tv"}
	manage := func(account media.Account, can media.Capabilities, change ...func(*Snapshot)) Plan {
		s := snapshot(access.ActionManage, user(), can, account)
		for _, c := range change {
			c(&s)
		}
		return For(s)
	}
	as := func(change func(*v1alpha1.User), account media.Account, changes ...func(*Snapshot)) Plan {
		s := snapshot(access.ActionManage, user(change), whole, account)
		for _, c := range changes {
			c(&s)
		}
		return For(s)
	}
	shut, exposed := member(rest...), member(rest...)
	shut.Disabled, exposed.Exposed = true, true
	chief := media.Account{ID: "7", Username: "ann", Role: media.RoleAdmin, Access: sees("home-videos")}
	rows := []row{
		{"at rest", manage(member(rest...), whole)},
		{"at rest, with an undeclared library", manage(member("movies", "tv", "home-videos"), whole)},
		{"a grant came", manage(member("tv"), whole)},
		{"a grant went", manage(member("movies", "tv"), whole, grants("tv"))},
		{"all grants went", manage(member("movies", "tv"), whole, grants())},
		{"another grant", manage(member("tv"), whole, grants("movies"))},
		{"undeclared access is removed", manage(member("movies", "tv", "home-videos"), whole, remove)},
		{"a list of the server shows too much", manage(exposed, whole)},
		{"a library is in doubt", manage(member("movies", "tv"), whole, doubt("tv"))},
		{"disabled", manage(member(rest...), whole, disabled)},
		{"disabled, and a grant went", manage(member(rest...), whole, disabled, grants("tv"))},
		{"disabled, where only a password can", manage(member(rest...), able(byPassword), disabled)},
		{"disabled, where only the access list can", manage(member("movies", "tv", "home-videos"), able(byAccess), disabled)},
		{"disabled, where the server cannot", manage(member("tv", "home-videos"), able(never), disabled, blocked, grants("movies"))},
		{"disabled, and protected", manage(member("tv"), whole, disabled, protected)},
		{"disabled at rest", manage(shut, whole, disabled, byUsher(v1alpha1.DisableSwitch))},
		{"locked out at rest", manage(member(rest...), able(byPassword), disabled, byUsher(v1alpha1.DisableLockOut))},
		{"locking out broke off", manage(member(rest...), able(byPassword), disabled, byUsher(v1alpha1.DisableLockOut), unlocked)},
		{"enabled again", manage(shut, whole, byUsher(v1alpha1.DisableSwitch))},
		{"enabled again, with other grants", manage(shut, whole, byUsher(v1alpha1.DisableSwitch), grants("movies"))},
		{"unlocked again", manage(member(rest...), able(byPassword), byUsher(v1alpha1.DisableLockOut))},
		{"given access again, the undeclared too", manage(member(), able(byAccess), byUsher(v1alpha1.DisableNoAccess), revoked("home-videos"))},
		{"somebody else disabled it", manage(shut, whole)},
		{"somebody else enabled it", manage(member(rest...), whole, byUsher(v1alpha1.DisableSwitch))},
		{"it owes a password", manage(shut, whole, byUsher(v1alpha1.DisableSwitch), owes)},
		{"it owes a password, which its holder chooses", as(byHolder, shut, byUsher(v1alpha1.DisableSwitch), owes)},
		{"it owed a password, and somebody enabled it", as(byHolder, member(rest...), byUsher(v1alpha1.DisableSwitch), owes)},
		{"it owes a password that the server does not set", manage(shut, able(fixed), byUsher(v1alpha1.DisableSwitch), owes)},
		{"another role that sees what is given", as(editor, member("tv", "home-videos"))},
		{"promoted to a role that sees everything", as(admin, member("tv"))},
		{"demoted from a role that sees everything", as(editor, chief)},
		{"a role that its protection keeps", as(editor, chief, protected)},
		{"an owner is never made", as(owner, member(rest...))},
		{"another email address and display name", as(profiled, member(rest...))},
		{"access to all libraries", as(all, member("tv"))},
		{"access to all libraries is taken", manage(member("*", "home-videos=Admin"), whole)},
		{"with a problem, and a role that sees everything is asked for", as(admin, member("tv"), blocked)},
		{"with a problem, and everything differs", as(editor, chief, blocked)},
		{"with a problem, and a grant went", manage(member("movies", "tv"), whole, blocked, grants("tv"))},
		{"with a date that cannot be read", manage(member("tv", "home-videos"), whole, narrowing, blocked)},
	}
	golden(t, "lifecycle.golden", "# What is planned for an account that is the User's. ann is given movies and tv, unless a row says otherwise.\n", rows)
}

// TestPlansOfFinalizing: a whole plan for each way in which a User goes.
func TestPlansOfFinalizing(t *testing.T) {
	t.Parallel()
	going := func(policy v1alpha1.UserDeletionPolicy, can media.Capabilities, refused bool, change ...func(*Snapshot)) Plan {
		s := snapshot(access.ActionManage, user(func(u *v1alpha1.User) { u.Spec.DeletionPolicy = policy }), can, member("movies", "home-videos"))
		s.Leaving = true
		for _, c := range change {
			c(&s)
		}
		return Finalize(s, refused)
	}
	renamed := func(s *Snapshot) {
		s.Ownership, s.Account.Username, s.Want, s.WantDisabled = access.ActionTake, "anna", v1alpha1.UserDisabled, true
	}
	rows := []row{
		{"Retain", going(v1alpha1.UserDeletionRetain, able(), false)},
		{"Delete", going(v1alpha1.UserDeletionDelete, able(), false)},
		{"Delete, which the server refuses", going(v1alpha1.UserDeletionDelete, able(), true)},
		{"Delete, which the server cannot", going(v1alpha1.UserDeletionDelete, able(keeps), false)},
		{"Disable", going(v1alpha1.UserDeletionDisable, able(), false)},
		{"Disable, where only a password can", going(v1alpha1.UserDeletionDisable, able(byPassword), false)},
		{"Disable, where only the access list can", going(v1alpha1.UserDeletionDisable, able(byAccess), false)},
		{"Disable, where the server cannot", going(v1alpha1.UserDeletionDisable, able(never), false)},
		{"Disable, and protected", going(v1alpha1.UserDeletionDisable, able(), false, protected)},
		{"Delete, and renamed", going(v1alpha1.UserDeletionDelete, able(), false, renamed)},
		{"Delete, and renamed, where only a password can disable", going(v1alpha1.UserDeletionDelete, able(byPassword), false, renamed)},
		{"an account from before, which is back", For(snapshot(access.ActionTake, user(all), able(), member("movies", "home-videos")).with(disabled).with(func(s *Snapshot) { s.Leaving = true }))},
	}
	golden(t, "finalizing.golden", "# What is planned for the account of a User that goes. It has movies, and an undeclared library.\n", rows)
}

func owner(u *v1alpha1.User)    { u.Spec.Role = v1alpha1.AccountRoleOwner }
func admin(u *v1alpha1.User)    { u.Spec.Role = v1alpha1.AccountRoleAdmin }
func editor(u *v1alpha1.User)   { u.Spec.Role = "Editor" }
func all(u *v1alpha1.User)      { u.Spec.Access = v1alpha1.UserAccessAll }
func byHolder(u *v1alpha1.User) { u.Spec.Password = &v1alpha1.Password{ChosenByHolder: true} }
func profiled(u *v1alpha1.User) { u.Spec.Email, u.Spec.DisplayName = "ann@example.com", "Ann" }

func blocked(s *Snapshot)   { s.Blocked = true }
func protected(s *Snapshot) { s.Protected = "it is the server's last administrator" }
func narrowing(s *Snapshot) { s.Narrowing = true }
func remove(s *Snapshot)    { s.Server.Unmanaged = v1alpha1.UnmanagedAccessRemove }
func owes(s *Snapshot)      { s.Record.OwesPassword = true }
func unlocked(s *Snapshot)  { s.Record.Locked = false }

func found(method v1alpha1.DisableMethod) func(*Snapshot) {
	return func(s *Snapshot) { s.FoundDisabled = method }
}

func grants(libraries ...string) func(*Snapshot) {
	return func(s *Snapshot) { *s = s.granted(libraries...) }
}

func revoked(ids ...string) func(*Snapshot) {
	return func(s *Snapshot) { s.Record.Revoked = sees(ids...).Libraries }
}

// doubt has nobody know what a Library is, which the status says was given.
func doubt(name string) func(*Snapshot) {
	return func(s *Snapshot) {
		id := s.Beliefs.Given[name]
		s.Beliefs.Given = map[string]media.LibraryID{"movies": "movies"}
		s.Beliefs.Doubted = map[string]media.LibraryID{name: id}
		s.User.Status.Access = &v1alpha1.UserAccessStatus{Total: 1, Items: []v1alpha1.UserAccessEntry{{Library: name, Through: []string{"family"}}}}
	}
}

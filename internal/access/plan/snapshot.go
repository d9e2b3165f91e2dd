package plan

import (
	"github.com/usher-media/usher/api/v1alpha1"
	"github.com/usher-media/usher/internal/access"
	"github.com/usher-media/usher/internal/media"
)

// Snapshot is all that a plan depends on: the manifests, what is on record, and what the server has. Nobody changes one;
// methods return what they derive.
type Snapshot struct {
	User   *v1alpha1.User
	Server Server
	// Record is what Usher noted of the account, Account what the server has.
	Record  Record
	Account media.Account
	// AccountGone: there was an account, and only its holder knew the password: none is made again.
	AccountGone bool
	// Protected says why the account is never demoted, disabled or deleted; empty when it may be.
	Protected string
	// Ownership says whose the account is: of ActionAdopt and ActionRecord, Account is the one that is to become the User's; of
	// ActionTake, it is the User's under another name than the manifest says.
	Ownership access.Action
	// FoundDisabled is how an account is disabled that is to be adopted; empty for one that somebody can use.
	FoundDisabled v1alpha1.DisableMethod
	// Blocked: something is wrong with the manifest, or with the account. Access is taken and given as ever, but the account
	// keeps its role and profile, and is not enabled.
	Blocked bool
	// WithoutAll: access to all libraries is not given, since nobody was asked for permission.
	WithoutAll bool
	// Narrowing: the account is given nothing that it does not have.
	Narrowing bool
	// Leaving: no manifest gives the account anything any more. Its User is being deleted, or has another account now.
	Leaving bool
	// PasswordUnchanged: the account still has the password that locks it out, as a sign-in showed.
	PasswordUnchanged bool

	// Want is the state that the manifest asks for, WantDisabled whether it disables the account.
	Want         v1alpha1.UserState
	WantDisabled bool
	// Libraries are those declared on the server, Beliefs what they are there.
	Libraries []v1alpha1.Library
	Beliefs   Beliefs
	// Effective is the access that the manifests give: Subject and Grants are what it was computed from. Kept is the access
	// with what was deleted a moment ago as well.
	Effective access.Effective
	Subject   access.Subject
	Grants    []access.Grant
	Kept      access.Effective
}

// Server is what a plan needs to know of a media server.
type Server struct {
	Name      string
	Unmanaged v1alpha1.UnmanagedAccess
	Can       media.Capabilities
	Traits    media.Traits
	// SelfName is the username of the account that Usher uses.
	SelfName string
	// Libraries counts those that the server has. Names are of those that the account sees, or saw before it was disabled.
	Libraries int
	Names     map[media.LibraryID]string
}

// Record is what is on record of an account, as far as a plan depends on it.
type Record struct {
	Origin v1alpha1.Origin
	// Disabled: Usher disabled the account by Method, and so may enable it. Locked: the password that nobody knows is set.
	Disabled bool
	Method   v1alpha1.DisableMethod
	Locked   bool
	// OwesPassword: the account was disabled when it was adopted, and is not enabled with the password that it has.
	OwesPassword bool
	// Revoked is the access to undeclared libraries that was taken to disable the account.
	Revoked map[media.LibraryID]media.LibraryRole
}

// Beliefs are the declared Libraries, by name, as what they are on the server.
type Beliefs struct {
	// Given: all witnesses agree. Only these are given to anybody.
	Given map[string]media.LibraryID
	// Kept: the same library beyond doubt, though somebody changed it, or one that the list lacks at the moment. Who has it
	// keeps it, and nobody is given it.
	Kept map[string]media.LibraryID
	// Doubted are in doubt: who was given them loses them.
	Doubted map[string]media.LibraryID
	// Likely are those in doubt of which one more witness than the id agrees.
	Likely map[string]bool
	// Former are what Libraries were before and the server has (again), beyond doubt: no manifest gives these.
	Former map[string][]media.LibraryID
	// Returning are those of them that are about to be the Library again, since the recorded one is not on the server: who is to
	// see the Library and has it keeps it, and nobody is given it.
	Returning map[string]media.LibraryID
}

// With is the snapshot of the account as it was read back, and as it is on record now.
func (s Snapshot) With(account media.Account, record Record) Snapshot {
	s.Account, s.Record = account, record
	return s
}

// Renamed says whether the account has another name than the manifest says. What can be undone is taken from it, and nothing is
// given.
func (s Snapshot) Renamed() bool { return s.Ownership == access.ActionTake }

// Role is the one that the account is to have: the one that it has, where it is blocked or has another name.
func (s Snapshot) Role() media.Role {
	if (s.Blocked || s.Renamed()) && s.Account.ID != "" {
		return s.Account.Role
	}
	return media.Role(s.User.Spec.Role)
}

// seesAll says whether the role that the account is to have sees every library, whatever the access list holds.
func (s Snapshot) seesAll() bool { return s.Server.Can.Roles[s.Role()].SeesAll }

// MethodFor is how an account of a role is disabled on the server; empty where that is not possible.
func MethodFor(can media.Capabilities, role v1alpha1.AccountRole) v1alpha1.DisableMethod {
	return access.Rung(access.Abilities{
		Switch: can.Disable, LockOut: can.LockOut, ZeroAccess: can.ZeroAccess, SeesAll: can.Roles[media.Role(role)].SeesAll,
	})
}

// Method is how this account is disabled, or would be. One that is in use stays in use until the account is enabled, also
// when the server learns a better one.
func (s Snapshot) Method() v1alpha1.DisableMethod {
	switch {
	case s.Record.Disabled && s.Record.Method == "":
		return v1alpha1.DisableSwitch
	case s.Record.Disabled:
		return s.Record.Method
	}
	return MethodFor(s.Server.Can, s.User.Spec.Role)
}

// Disabled says whether nobody can use the account now. Whether a password locks an account out cannot be read back
// from a server, so that is taken from the record: locked only once that was seen done, and to be unlocked as soon as
// it was begun.
func (s Snapshot) Disabled() bool {
	switch {
	case s.Account.Disabled:
		return true
	case !s.Record.Disabled || s.Method() == v1alpha1.DisableSwitch:
		return false
	case s.Method() == v1alpha1.DisableLockOut && s.WantDisabled:
		return s.Record.Locked
	}
	return true
}

// State is the account's state, for people.
func (s Snapshot) State() v1alpha1.UserState {
	action, state := access.Switch(s.Want, s.WantDisabled, s.Disabled(), s.Record.Disabled)
	switch action {
	case access.SwitchEnable: // it was to be enabled, and is not
		return v1alpha1.UserDisabledOnServer
	case access.SwitchDisable: // it was to be disabled, and is not
		return v1alpha1.UserActive
	}
	return state
}

// AccessWithheld says whether the account is disabled by seeing no library, also while it waits for its password.
func (s Snapshot) AccessWithheld() bool {
	return (s.WantDisabled || s.Record.OwesPassword) && s.Method() == v1alpha1.DisableNoAccess
}

// Opens says whether an account sees any library.
func (s Snapshot) Opens(account media.Account) bool {
	return account.Access.All || len(account.Access.Libraries) > 0 || s.Server.Can.Roles[account.Role].SeesAll
}

// Seen counts the libraries that an account sees.
func (s Snapshot) Seen(account media.Account) int {
	if account.Access.All || s.Server.Can.Roles[account.Role].SeesAll {
		return max(s.Server.Libraries, 1)
	}
	return len(account.Access.Libraries)
}

// Guarded says what of a User the admission policies guard; empty for an ordinary one.
func Guarded(user *v1alpha1.User, can media.Capabilities) string {
	switch spec := user.Spec; {
	case spec.Role == v1alpha1.AccountRoleOwner, spec.Role == v1alpha1.AccountRoleAdmin, can.Roles[media.Role(spec.Role)].Administers:
		return "role " + string(spec.Role)
	case spec.Access == v1alpha1.UserAccessAll:
		return "access All"
	}
	return ""
}

// given computes the effective access that the account is to have. Blocked, or under another name, it is that of the role that
// the account keeps; and for a while an account keeps what it has of what was just deleted: nobody gets anything by that.
func (s Snapshot) given() Snapshot {
	if s.Leaving {
		s.Effective, s.Kept, s.WithoutAll = nil, nil, true
		return s
	}
	if s.Blocked || s.Renamed() {
		s.Subject.SeesAll = s.seesAll()
		s.Effective = access.EffectiveAccess(s.Subject, s.Libraries, s.Grants)
	}
	if len(s.Kept) == 0 || s.AccessWithheld() || s.Server.Can.Roles[s.Account.Role].SeesAll { // then the list gives nothing that could be kept
		return s
	}
	effective := access.Effective{}
	for name, edge := range s.Effective {
		effective[name] = edge
	}
	for name, edge := range s.Kept {
		role, has := s.hasKept(name)
		if !has {
			continue
		}
		had := v1alpha1.LibraryRole(role)
		if access.HighestRole(edge.Role, had) != edge.Role { // more than was given
			had = edge.Role
		}
		if given := effective[name].Role; access.HighestRole(given, had) != given {
			effective[name] = access.Edge{Role: had, Through: edge.Through}
		}
	}
	s.Effective = effective
	return s
}

// hasKept is the role that the account has in what a Library is on the server.
func (s Snapshot) hasKept(name string) (role media.LibraryRole, has bool) {
	id, resolved := s.Beliefs.Given[name]
	if !resolved { // one that somebody changed is still the same
		id, resolved = s.Beliefs.Kept[name]
	}
	role, has = s.Account.Access.Libraries[id]
	if returning, back := s.Beliefs.Returning[name]; back && !has {
		role, has = s.Account.Access.Libraries[returning]
		resolved = true
	}
	return role, has && resolved
}

package rules

// Subject is the account that something is done to, as it is stored.
type Subject struct {
	Holding
	Disabled bool
}

// has reports whether the subject's role is the wanted one.
func (s Subject) has(role Role, custom *Custom) bool {
	if s.Custom == nil || custom == nil {
		return s.Custom == custom && s.Role == role
	}
	return s.Custom.ID == custom.ID
}

// AccountChange is what an actor wants to do to a subject. Zero fields leave things as they are.
type AccountChange struct {
	// Role is the wanted role, or empty. For a role of the server's own it is Guest, and Custom says which.
	Role   Role
	Custom *Custom
	// Disabled is the wanted state, or nil.
	Disabled *bool
	// Edit says that another name or mail address is written.
	Edit bool
	// SetPassword says that the subject gets a new password.
	SetPassword bool
	// Delete says that the account goes away.
	Delete bool
}

var (
	errOwnerFixed = &Refusal{Message: "The owner cannot be changed"}
	errOwnRole    = &Refusal{Message: "You cannot change your own role"}
	errOwnAccount = &Refusal{Message: "You cannot disable or delete your own account"}
	errOneOwner   = &Refusal{Message: "There is exactly one owner: the first account that registered"}
)

// CheckNewAccount reports whether somebody may create an account that has that: the errors of HandOn, or a *Refusal for the
// owner's role (Dubby roles seed, lines 9 and 40: "Only one owner exists per server", "Can promote other users to admin").
func CheckNewAccount(actor, gift Holding) error {
	if actor.Can(ManageUsers) && gift.Role == Owner {
		return errOneOwner
	}
	return HandOn(actor, MakeAccount, gift, Holding{})
}

// CheckAccountChange reports whether actor may make the change to the subject. Writing what is already so is always
// allowed to whoever manages users. The owner is never demoted, disabled or deleted; nobody changes their own role,
// nor disables or deletes themselves; only the owner makes or unmakes admins and touches an admin's password, state
// or existence (Dubby contract, section 4). Errors: ErrForbidden or a *Refusal.
func CheckAccountChange(actor Holding, subject Subject, change AccountChange) error {
	if !actor.Can(ManageUsers) {
		return ErrForbidden
	}
	newRole := change.Role != "" && !subject.has(change.Role, change.Custom)
	newState := change.Disabled != nil && *change.Disabled != subject.Disabled
	if err := checkFixed(actor.Actor, subject, change, newRole, newState); err != nil {
		return err
	}
	for path, wanted := range map[Path]bool{
		EditAccount: change.Edit, SwitchAccount: newState, ResetPassword: change.SetPassword, RemoveAccount: change.Delete, GiveRole: newRole,
	} {
		gift := Holding{}
		if path == GiveRole {
			gift.Role, gift.Custom = change.Role, change.Custom
		}
		if !wanted {
			continue
		}
		if err := HandOn(actor, path, gift, subject.Holding); err != nil {
			return err
		}
	}
	return nil
}

// CheckPairsChange reports whether the actor may make, change or remove a role of the server's own that allows the
// pairs before (nil: a new one) and after (nil: none any longer). Error: ErrForbidden.
func CheckPairsChange(actor Actor, before, after []Pair) error {
	path := EditRole
	if before == nil {
		path = MakeRole
	}
	of := func(pairs []Pair) Holding { return Holding{Actor: Actor{Custom: &Custom{Pairs: pairs}}} }
	return HandOn(Holding{Actor: actor}, path, of(after), of(before))
}

// ErrBuiltIn says that a role cannot be changed (Shisho seed, line 10: "The built-in roles cannot be renamed or
// deleted").
var ErrBuiltIn error = &Refusal{Message: "The built-in roles cannot be renamed, changed or deleted"}

// CheckAccessChange reports whether actor may change the subject's access from what it is to what is wanted: only what changes
// counts, so that grants of libraries that the actor does not see are left alone. Errors: those of HandOn.
func CheckAccessChange(actor, subject, wanted Holding) error {
	before, after := Holding{Actor: subject.Actor, Libraries: map[string]LibraryRole{}}, Holding{Libraries: map[string]LibraryRole{}}
	if subject.All != wanted.All {
		before.All, after.All = true, true
	}
	for id, role := range subject.Libraries {
		if wanted.Libraries[id] != role {
			before.Libraries[id] = role
		}
	}
	for id, role := range wanted.Libraries {
		if subject.Libraries[id] != role {
			after.Libraries[id] = role
		}
	}
	return HandOn(actor, GiveAccess, after, before)
}

// checkFixed holds the rules that bind every role.
func checkFixed(actor Actor, subject Subject, change AccountChange, newRole, newState bool) error {
	self := actor.ID == subject.ID
	switch {
	case subject.Role == Owner && (newRole || newState || change.Delete):
		return errOwnerFixed
	case newRole && change.Role == Owner:
		return errOneOwner
	case self && newRole:
		return errOwnRole
	case self && (newState || change.Delete):
		return errOwnAccount
	}
	return nil
}

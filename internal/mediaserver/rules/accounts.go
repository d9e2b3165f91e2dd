package rules

// Actor is the account that asks for something.
type Actor struct {
	ID   string
	Role Role
}

// Subject is the account that something is done to, as it is stored.
type Subject struct {
	ID       string
	Role     Role
	Disabled bool
}

// AccountChange is what an actor wants to do to a subject. Zero fields leave things as they are.
type AccountChange struct {
	// Role is the wanted role, or empty.
	Role Role
	// Disabled is the wanted state, or nil.
	Disabled *bool
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

// CheckNewAccount reports whether actor may create an account of that role: ErrForbidden, or a *Refusal for the owner's
// role (Dubby roles seed: "Only one owner exists per server", "Can promote other users to admin").
func CheckNewAccount(actor Actor, role Role) error {
	switch {
	case !Can(actor.Role, ManageUsers):
		return ErrForbidden
	case role == Owner:
		return errOneOwner
	case role == Admin && actor.Role != Owner:
		return ErrForbidden
	}
	return nil
}

// CheckAccountChange reports whether actor may make the change to the subject. Writing what is already so is always
// allowed to whoever manages users. The owner is never demoted, disabled or deleted; nobody changes their own role,
// nor disables or deletes themselves; only the owner makes or unmakes admins and touches an admin's password, state or
// existence (Dubby contract, section 4). Errors: ErrForbidden or a *Refusal.
func CheckAccountChange(actor Actor, subject Subject, change AccountChange) error {
	if !Can(actor.Role, ManageUsers) {
		return ErrForbidden
	}
	newRole := change.Role != "" && change.Role != subject.Role
	newState := change.Disabled != nil && *change.Disabled != subject.Disabled
	if err := checkFixed(actor, subject, change, newRole, newState); err != nil {
		return err
	}
	return checkRank(actor, subject, change, newRole, newState)
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

// checkRank keeps admins from each other and from the owner.
func checkRank(actor Actor, subject Subject, change AccountChange, newRole, newState bool) error {
	if actor.Role == Owner {
		return nil
	}
	powerful := subject.Role == Admin || subject.Role == Owner
	if powerful && (newRole || newState || change.SetPassword || change.Delete) {
		return ErrForbidden
	}
	if newRole && change.Role == Admin {
		return ErrForbidden
	}
	return nil
}

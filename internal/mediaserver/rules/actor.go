package rules

import "slices"

// Actor is the account that asks for something.
type Actor struct {
	ID   string
	Role Role
	// Custom is set for who has a role of the server's own. Role is Guest then, and counts for nothing.
	Custom *Custom
}

// Can reports whether the account has the capability.
func (a Actor) Can(c Capability) bool {
	if a.Custom == nil {
		return Can(a.Role, c)
	}
	return c == ManageOwnProfile || slices.ContainsFunc(a.Custom.Pairs, func(p Pair) bool { return slices.Contains(granted[p], c) })
}

// Administers reports whether the account has one of the roles that see and manage everything.
func (a Actor) Administers() bool { return a.Can(AccessAllLibraries) }

// Pairs lists what the account's role may do.
func (a Actor) Pairs() []Pair {
	if a.Custom != nil {
		return a.Custom.Pairs
	}
	return a.Role.Pairs()
}

// SeesAll reports whether the account sees every library that is no other person's own, future ones included: by its
// role (Dubby access seed, line 10), or because its access says so (Shisho seed, line 24).
func (a Actor) SeesAll(accessAll bool) bool { return accessAll || a.Administers() }

package rules

import (
	"fmt"
	"maps"
	"slices"
)

// Holding is all that somebody has, or is to be given: a role on the server, and libraries with a role in each. A personal
// library is in no holding: everybody has one, and nobody is given another's.
type Holding struct {
	// Actor's role is empty where no role is given or taken.
	Actor
	// All says that the access has every library, to come ones included.
	All bool
	// Libraries are roles by library: LibraryOwner for who made it, where they see it.
	Libraries map[string]LibraryRole
}

// Path is a way on which somebody hands something on to somebody.
type Path string

// Every way to hand something on.
const (
	MakeAccount       Path = "make an account"
	EditAccount       Path = "edit an account"
	GiveRole          Path = "give a role"
	SwitchAccount     Path = "disable or enable an account"
	RemoveAccount     Path = "delete an account"
	ResetPassword     Path = "reset a password, and sign in with it"
	GiveAccess        Path = "set an access"
	GrantLibrary      Path = "grant a library"
	TakeLibrary       Path = "take a library"
	ChangeMember      Path = "change a member"
	RemoveMember      Path = "remove a member"
	MakeInvite        Path = "make an invite"
	SeeInvite         Path = "see an invite"
	SeeLibraryInvite  Path = "see a library's invite"
	EditInvite        Path = "edit or revive an invite"
	MakeLibraryInvite Path = "make a library's invite"
	MakeRole          Path = "make a role"
	EditRole          Path = "edit a role"
	ShareItem         Path = "share an item"
)

// handing says what a path takes, besides that nobody hands on more than they have.
type handing struct {
	// needs is a capability of the giver.
	needs Capability
	// governs asks the giver to be admin in each library that it is about, or to share libraries by their role.
	governs bool
	// belowAdmin keeps administrators for the owner, be they the receiver or what is given.
	belowAdmin bool
}

var handings = map[Path]handing{
	MakeAccount:       {needs: ManageUsers, belowAdmin: true},
	EditAccount:       {needs: ManageUsers},
	GiveRole:          {needs: ManageUsers, belowAdmin: true},
	SwitchAccount:     {needs: ManageUsers, belowAdmin: true},
	RemoveAccount:     {needs: ManageUsers, belowAdmin: true},
	ResetPassword:     {needs: ManageUsers, belowAdmin: true},
	GiveAccess:        {needs: ManageUsers},
	GrantLibrary:      {governs: true},
	TakeLibrary:       {governs: true},
	ChangeMember:      {governs: true},
	RemoveMember:      {governs: true},
	MakeInvite:        {needs: InviteUsers, belowAdmin: true},
	SeeInvite:         {needs: InviteUsers},
	SeeLibraryInvite:  {governs: true},
	EditInvite:        {needs: InviteUsers, belowAdmin: true},
	MakeLibraryInvite: {governs: true, belowAdmin: true},
	MakeRole:          {needs: AssignRoles},
	EditRole:          {needs: AssignRoles},
	ShareItem:         {governs: true},
}

// Paths lists every path, by name. The caller owns the slice.
func Paths() []Path { return slices.Sorted(maps.Keys(handings)) }

// HiddenLibraries says which libraries of a gift do not exist for the giver.
type HiddenLibraries struct{ IDs []string }

// Error counts them.
func (h *HiddenLibraries) Error() string { return fmt.Sprintf("%d unknown libraries", len(h.IDs)) }

// HandOn is the one rule about what people hand on: what somebody gives, restores, edits or signs in as holds no more than they
// have themselves, in role, in capabilities, in which libraries and in the roles there. The gift is what there will be, and the
// receiver what there is that it touches. Errors: ErrForbidden, or *HiddenLibraries if that is all that is wrong with the gift.
func HandOn(giver Holding, path Path, gift, receiver Holding) error {
	rule, known := handings[path]
	switch {
	case !known, rule.needs != "" && !giver.Can(rule.needs):
		return ErrForbidden
	case rule.governs && !(giver.governs(gift) && giver.governs(receiver)):
		return ErrForbidden
	case rule.belowAdmin && giver.Role != Owner && (gift.Administers() || receiver.Administers()):
		return ErrForbidden
	}
	if more, hidden := giver.beyond(receiver); more || len(hidden) > 0 {
		return ErrForbidden
	}
	more, hidden := giver.beyond(gift)
	switch {
	case more:
		return ErrForbidden
	case len(hidden) > 0:
		return &HiddenLibraries{IDs: hidden}
	}
	return nil
}

// StillGives returns what of a gift, which somebody promised by a link, they may give now; false if that is nothing.
func StillGives(maker Holding, path Path, gift Holding) (Holding, bool) {
	promised := gift.Libraries
	gift.Libraries = nil
	if HandOn(maker, path, gift, Holding{}) != nil {
		return Holding{}, false
	}
	left := Holding{Actor: gift.Actor, Libraries: make(map[string]LibraryRole, len(promised))}
	for id, role := range promised {
		one := Holding{Actor: gift.Actor, Libraries: map[string]LibraryRole{id: role}}
		if HandOn(maker, path, one, Holding{}) == nil {
			left.Libraries[id] = role
		}
	}
	return left, len(promised) == 0 || len(left.Libraries) > 0
}

// Sees reports whether the library, if it is no personal one, exists for who has the holding.
func (h Holding) Sees(libraryID string) bool { return h.rank(libraryID) > 0 }

// libraryRanks are the roles in a library, from none on.
var libraryRanks = map[LibraryRole]int{Viewer: 1, LibraryAdmin: 2, LibraryOwner: 3}

// rank is how much the holder may do in a library. Whoever administers the server does there what its owner does.
func (h Holding) rank(libraryID string) int {
	switch rank := libraryRanks[h.Libraries[libraryID]]; {
	case h.Administers():
		return libraryRanks[LibraryOwner]
	case rank == 0 && h.All:
		return libraryRanks[Viewer]
	default:
		return rank
	}
}

func (h Holding) governs(what Holding) bool {
	for id := range what.Libraries {
		if h.rank(id) < libraryRanks[LibraryAdmin] && !h.Can(ShareLibraries) {
			return false
		}
	}
	return true
}

// beyond reports whether the other holding has more, and which of its libraries the first does not see at all.
func (h Holding) beyond(other Holding) (more bool, hidden []string) {
	for _, capability := range ownerCapabilities {
		more = more || other.Can(capability) && !h.Can(capability)
	}
	more = more || other.All && !h.SeesAll(h.All)
	for _, id := range slices.Sorted(maps.Keys(other.Libraries)) {
		switch mine := h.rank(id); {
		case mine == 0:
			hidden = append(hidden, id)
		case mine < libraryRanks[other.Libraries[id]]:
			more = true
		}
	}
	return more, hidden
}

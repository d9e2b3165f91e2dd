package media

import (
	"context"
	"maps"
	"time"
)

// InviteID is an invite's id on its server. Opaque.
type InviteID string

// InviteSettings are what a server's own invite admits.
type InviteSettings struct {
	Role      Role
	Libraries map[LibraryID]LibraryRole
	// MaxUses, 0 for any number.
	MaxUses int
	// PriorUses count besides those that the server knows: it was put back to an earlier time, or the invite made anew.
	// Only with Capabilities.Invites; elsewhere MaxUses is lowered by them.
	PriorUses int
	// ExpiresAt, zero for never.
	ExpiresAt time.Time
	Revoked   bool
	// Held admits nobody for now, and does not say that the invite is revoked. Only with Capabilities.Invites.
	Held bool
	// Email that the invite is bound to, empty for anybody.
	Email string
	// Inviter is the name that people see.
	Inviter string
	// Welcome is shown to who has joined, as Markdown; empty for none.
	Welcome string
	// Foreign says that another account than Usher's answers for the invite, which gives what that account may give. It is only
	// read: whoever writes an invite answers for it from then on.
	Foreign bool
}

// Equal says whether both admit the same, in the same words.
func (s InviteSettings) Equal(o InviteSettings) bool {
	return s.Role == o.Role && maps.Equal(s.Libraries, o.Libraries) && s.MaxUses == o.MaxUses && s.ExpiresAt.Equal(o.ExpiresAt) &&
		s.PriorUses == o.PriorUses && s.Revoked == o.Revoked && s.Held == o.Held && s.Email == o.Email && s.Inviter == o.Inviter && s.Welcome == o.Welcome && s.Foreign == o.Foreign
}

// Invite is a server's own invite.
type Invite struct {
	ID InviteID
	// CodeHash is the SHA-256 of the code, in hex.
	CodeHash string
	// Code that the server chose itself (Capabilities.WeakInvites); a secret. Empty elsewhere: it is not to be had.
	Code string
	// Reference is what Usher wrote into it, to know its own again.
	Reference string
	Settings  InviteSettings
	// Changed is when its Settings were last set, by the server's clock; zero where the server does not tell.
	Changed time.Time
	// Uses counts the people who came, as far as the server knows them.
	Uses int
	// LastUsedBy is who came last; empty for nobody, or where the server does not tell. With Uses it says whether
	// InviteUses has changed, also on a server that was put back to an earlier time.
	LastUsedBy AccountID
}

// NewInvite is an invite to be made.
type NewInvite struct {
	// Code of 128 bits or more. A secret.
	Code      string
	Reference string
	Settings  InviteSettings
}

// InviteUse is one person who came by a server's own invite.
type InviteUse struct {
	Account     AccountID
	Username    string
	Email       string
	DisplayName string
	At          time.Time
	// Registered: the account was made with this invite. Else somebody who had an account accepted it.
	Registered bool
	// Told: the server says what the invite gave then. Else Role and Libraries are empty.
	Told bool
	// Role that a registered account was given.
	Role Role
	// Libraries that were given.
	Libraries map[LibraryID]LibraryRole
}

// Inviter is for servers whose own invites count exactly, in one transaction with the account (Capabilities.Invites).
// Servers with Capabilities.WeakInvites choose the code themselves and know no Reference; SetInvite then only revokes.
type Inviter interface {
	// ListInvites returns every invite, or an error (rule R4).
	ListInvites(ctx context.Context) ([]Invite, error)
	// CreateInvite makes an invite; AlreadyExists when there is one of that code.
	CreateInvite(ctx context.Context, invite NewInvite) (Invite, error)
	// SetInvite replaces what an invite admits. Uses stay counted.
	SetInvite(ctx context.Context, id InviteID, settings InviteSettings) (Invite, error)
	// DeleteInvite kills the link and leaves the people.
	DeleteInvite(ctx context.Context, id InviteID) error
	// InviteUses returns who came, oldest first.
	InviteUses(ctx context.Context, id InviteID) ([]InviteUse, error)
	// InvitePath is the path of an invite's page below the server's public URL.
	InvitePath(code string) string
}

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
	// ExpiresAt, zero for never.
	ExpiresAt time.Time
	Revoked   bool
	// Email that the invite is bound to, empty for anybody.
	Email string
	// Inviter is the name that people see.
	Inviter string
	// Welcome is shown to who has joined, as Markdown; empty for none.
	Welcome string
}

// Equal says whether both admit the same, in the same words.
func (s InviteSettings) Equal(o InviteSettings) bool {
	return s.Role == o.Role && maps.Equal(s.Libraries, o.Libraries) && s.MaxUses == o.MaxUses && s.ExpiresAt.Equal(o.ExpiresAt) &&
		s.Revoked == o.Revoked && s.Email == o.Email && s.Inviter == o.Inviter && s.Welcome == o.Welcome
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
	// Uses counts the people who came.
	Uses int
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

package media

import (
	"context"
	"time"
)

// Invites returns the server's own invites, from a list that is no older than maxAge. One list serves all who ask.
func (s *Server) Invites(ctx context.Context, maxAge time.Duration) ([]Invite, error) {
	select {
	case s.invites.turn <- struct{}{}:
		defer func() { <-s.invites.turn }()
	case <-ctx.Done():
		return nil, &Error{Code: Unavailable, Op: "ListInvites", Message: "no turn came", cause: ctx.Err()}
	}
	if now := s.now(); s.invites.valid && now.Sub(s.invites.at) < maxAge {
		return s.invites.list, nil
	}
	begun := s.now()
	list, err := inviter(s, ctx, "ListInvites", false, Inviter.ListInvites)
	s.invites.list, s.invites.at, s.invites.valid = list, begun, err == nil
	return list, err
}

// CreateInvite makes an invite of the server's own.
func (s *Server) CreateInvite(ctx context.Context, invite NewInvite) (Invite, error) {
	defer s.forgetInvites()
	return inviter(s, ctx, "CreateInvite", true, func(able Inviter, ctx context.Context) (Invite, error) {
		return able.CreateInvite(ctx, invite)
	})
}

// SetInvite replaces what an invite admits.
func (s *Server) SetInvite(ctx context.Context, id InviteID, settings InviteSettings) (Invite, error) {
	defer s.forgetInvites()
	return inviter(s, ctx, "SetInvite", true, func(able Inviter, ctx context.Context) (Invite, error) {
		return able.SetInvite(ctx, id, settings)
	})
}

// DeleteInvite kills an invite's link. One that is gone already is no error.
func (s *Server) DeleteInvite(ctx context.Context, id InviteID) error {
	defer s.forgetInvites()
	_, err := inviter(s, ctx, "DeleteInvite", true, func(able Inviter, ctx context.Context) (struct{}, error) {
		return struct{}{}, able.DeleteInvite(ctx, id)
	})
	if CodeOf(err) == NotFound {
		return nil
	}
	return err
}

// InviteUses returns who came by an invite, oldest first.
func (s *Server) InviteUses(ctx context.Context, id InviteID) ([]InviteUse, error) {
	return inviter(s, ctx, "ListInviteUses", false, func(able Inviter, ctx context.Context) ([]InviteUse, error) {
		return able.InviteUses(ctx, id)
	})
}

// InvitePath is the path of an invite's page below the server's public URL; empty where the server has no invites.
func (s *Server) InvitePath(code string) string {
	if able, ok := s.driver.(Inviter); ok {
		return able.InvitePath(code)
	}
	return ""
}

// forgetInvites makes the next Invites ask the server.
func (s *Server) forgetInvites() {
	s.invites.turn <- struct{}{}
	s.invites.valid = false
	<-s.invites.turn
}

// inviteList is the last list of invites; turn guards it.
type inviteList struct {
	turn  chan struct{}
	list  []Invite
	at    time.Time
	valid bool
}

// inviter runs a call of the optional interface.
func inviter[T any](s *Server, ctx context.Context, operation string, write bool, f func(Inviter, context.Context) (T, error)) (result T, err error) {
	err = s.call(ctx, operation, write, func(ctx context.Context) error {
		able, ok := s.driver.(Inviter)
		if !ok {
			return unsupported("hold invites of its own")
		}
		result, err = f(able, ctx)
		return err
	})
	return result, err
}

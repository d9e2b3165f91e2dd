package media

import (
	"context"
	"slices"
	"sync"
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
	list, epoch, fresh := s.invites.get(s.now(), maxAge)
	if fresh {
		return list, nil
	}
	begun := s.now()
	list, err := inviter(s, ctx, task{operation: "ListInvites", again: true}, Inviter.ListInvites)
	if err == nil {
		s.invites.put(list, begun, epoch)
	}
	return slices.Clone(list), err
}

// CreateInvite makes an invite of the server's own.
func (s *Server) CreateInvite(ctx context.Context, invite NewInvite) (Invite, error) {
	defer s.invites.forget()
	return inviter(s, ctx, task{operation: "CreateInvite", write: true, target: invite.Reference, secrets: []string{invite.Code}}, func(able Inviter, ctx context.Context) (Invite, error) {
		return able.CreateInvite(ctx, invite)
	})
}

// SetInvite replaces what an invite admits.
func (s *Server) SetInvite(ctx context.Context, id InviteID, settings InviteSettings) (Invite, error) {
	defer s.invites.forget()
	return inviter(s, ctx, task{operation: "SetInvite", write: true, target: "invite " + string(id)}, func(able Inviter, ctx context.Context) (Invite, error) {
		return able.SetInvite(ctx, id, settings)
	})
}

// DeleteInvite kills an invite's link. One that is gone already is no error.
func (s *Server) DeleteInvite(ctx context.Context, id InviteID) error {
	defer s.invites.forget()
	_, err := inviter(s, ctx, task{operation: "DeleteInvite", write: true, target: "invite " + string(id)}, func(able Inviter, ctx context.Context) (struct{}, error) {
		return struct{}{}, able.DeleteInvite(ctx, id)
	})
	if CodeOf(err) == NotFound {
		return nil
	}
	return err
}

// InviteUses returns who came by an invite, oldest first.
func (s *Server) InviteUses(ctx context.Context, id InviteID) ([]InviteUse, error) {
	return inviter(s, ctx, task{operation: "ListInviteUses", again: true}, func(able Inviter, ctx context.Context) ([]InviteUse, error) {
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

// inviteList is the last list of invites. The turn is held by whoever lists.
type inviteList struct {
	turn chan struct{}
	mu   sync.Mutex
	list []Invite
	at   time.Time
	// epoch counts the times that the list was forgotten; valid says that there is one.
	epoch uint64
	valid bool
}

// get returns the list if it is younger than maxAge, and else the epoch that a new one belongs to.
func (l *inviteList) get(now time.Time, maxAge time.Duration) ([]Invite, uint64, bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return slices.Clone(l.list), l.epoch, l.valid && now.Sub(l.at) < maxAge
}

// put keeps a list, unless it was forgotten before it was there.
func (l *inviteList) put(list []Invite, begun time.Time, epoch uint64) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if epoch == l.epoch {
		l.list, l.at, l.valid = list, begun, true
	}
}

// forget makes the next Invites ask the server. It never waits for a list under way.
func (l *inviteList) forget() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.epoch++
	l.valid = false
}

// inviter runs a call of the optional interface.
func inviter[T any](s *Server, ctx context.Context, t task, f func(Inviter, context.Context) (T, error)) (result T, err error) {
	err = s.do(ctx, t, func(ctx context.Context) error {
		able, ok := s.driver.(Inviter)
		if !ok {
			return unsupported("hold invites of its own")
		}
		result, err = f(able, ctx)
		return err
	})
	return result, err
}

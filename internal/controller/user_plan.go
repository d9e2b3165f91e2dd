package controller

import (
	"context"
	"slices"
	"strings"

	"github.com/usher-media/usher/internal/access"
	"github.com/usher-media/usher/internal/access/plan"
	"github.com/usher-media/usher/internal/media"
)

// plan decides what is to be done to the account. While nobody was asked who may have what the admission policies guard,
// nobody is given it: not the role Owner or Admin, not access to all libraries.
func (r *userReconciler) plan(ctx context.Context, p *userPass) plan.Plan {
	s := p.view()
	s.Server.Names = p.names(p.account.Access.Libraries, p.record.Taken)
	s.Protected = p.to().Protection(p.connection.Probe, p.account)
	next := plan.For(s)
	if s.Ownership == access.ActionManage && !p.observing() && next.Raises() && !r.Policies.BoundNow(ctx) {
		s.WithoutAll, s.Blocked = next.GivesAll(), true
		if p.problem == nil {
			p.problem = notAsked(p.strong())
		}
		next = plan.For(s)
	}
	if next.Problem != nil && p.problem == nil && !next.Obtains() {
		p.problem = stalled(next.Problem.Reason, "%s", next.Problem.Message)
	}
	return next
}

// facts is the record as far as a plan depends on it.
func (r record) facts() plan.Record {
	return plan.Record{Origin: r.Origin, Disabled: r.Disabled, Method: r.Method, Locked: r.Locked, OwesPassword: r.OwesPassword, Revoked: r.Taken}
}

// view is the snapshot with the account as it was read back last, and as it is on record now.
func (p *userPass) view() plan.Snapshot {
	s := p.snapshot.With(p.account, p.record.facts())
	s.User, s.Blocked = p.user, p.problem != nil
	return s
}

// renamed says whether the account is this User's, and has another name on the server: what can be undone is taken from it.
func (p *userPass) renamed() bool { return p.snapshot.Ownership == access.ActionTake }

// planIfAlways adds to a conflict what adoptionPolicy Always would do, so that mode Observe shows it before anybody decides.
func (p *userPass) planIfAlways(o *outcome, account media.Account) {
	s := p.view().With(account, plan.Record{})
	s.Ownership, s.Server.Names = access.ActionAdopt, p.names(account.Access.Libraries)
	next := plan.For(s)
	if len(next.Steps) == 0 {
		return
	}
	words := slices.Concat(next.Reasons(), p.awaitedWords())
	p.status.Plan = firstListed(words)
	o.message += "; with Always it would: " + bounded(strings.Join(words, "; "), 500)
}

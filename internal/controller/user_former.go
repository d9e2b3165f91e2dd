package controller

import (
	"context"
	"fmt"

	"github.com/usher-media/usher/api/v1alpha1"
	"github.com/usher-media/usher/internal/access"
	"github.com/usher-media/usher/internal/media"
)

// former is what the User's record remembers once its account is gone. One that was announced and never seen was none.
func (p *userPass) former() []record {
	if neverSeen(p.user, p.record) {
		return p.record.FormerIDs
	}
	return p.record.former()
}

// orFormer looks for a former account of this User, where the recorded one is gone from the server: a newer backup that is
// restored after an older one takes away what was made in between, and brings back what was there before. It is the recorded
// one from then on.
func (r *userReconciler) orFormer(ctx context.Context, p *userPass, gone func(context.Context, *userPass) (access.Recorded, *outcome)) (access.Recorded, *outcome) {
	if p.record.open() || p.observing() {
		return gone(ctx, p)
	}
	found, o := r.findFormer(ctx, p)
	if o != nil {
		return "", o
	}
	if found == nil {
		return gone(ctx, p)
	}
	lost := p.record.ID
	r.restores.notice(r.Kit, p.site, max(1, p.inventory().AccountChanged(media.AccountID(lost))))
	p.record = p.record.back(*found)
	if deleted(p.user) {
		return r.recorded(ctx, p)
	}
	if o := r.putRecord(ctx, p); o != nil {
		return "", o
	}
	instead := ""
	if lost != "" {
		instead = fmt.Sprintf(", and account %s is not", lost)
	}
	r.warn(p.user, "CameBack", "Recall", "account %s, which was this User's before, is on the server again%s: it is this User's again, as after a restore", p.record.ID, instead)
	// What an account is to have depends on which one it is: that is computed anew.
	o = waiting(v1alpha1.ReasonProgressing, "account %s, which was this User's before, is on the server again: it is this User's again", p.record.ID)
	o.after = lookAgainAfter
	return "", o
}

// findFormer finds the record of a former account that is on the server, and is this User's beyond doubt. Where somebody is
// to be shut out, an account of the name counts that accepts the password on record; nil for none.
func (r *userReconciler) findFormer(ctx context.Context, p *userPass) (*record, *outcome) {
	for _, former := range p.record.FormerIDs {
		account, found := p.inventory().Account(media.AccountID(former.ID))
		if !found {
			continue
		}
		if own, o := r.isFormer(ctx, p, former, account); own || o != nil {
			return &former, o
		}
	}
	candidates := p.candidates()
	if len(candidates) != 1 || p.record.ID == "" || neverSeen(p.user, p.record) || !(p.snapshot.WantDisabled || deleted(p.user) || p.cascading()) {
		return nil, nil
	}
	claimed, err := r.claimedBy(ctx, p, candidates[0])
	if err != nil {
		return nil, retry(err)
	}
	accepted, o := r.acceptsRecordedPassword(ctx, p, candidates[0])
	if !accepted || o != nil || claimed != "" {
		return nil, o
	}
	found := p.witnesses(p.record, candidates[0])
	found.ID, found.Intent = string(candidates[0].ID), nil
	return &found, nil
}

// isFormer says whether an account is the former one that has its id: that its name is the same is not asked for, but whatever
// tells, where the server gives ids out again.
func (r *userReconciler) isFormer(ctx context.Context, p *userPass, former record, account media.Account) (bool, *outcome) {
	claimed, err := r.claimedBy(ctx, p, account)
	if err != nil {
		return false, retry(err)
	}
	then := *p
	then.record = former
	then.record.Server = p.record.Server
	likeness := access.Likeness{
		NeverReused: p.to().Traits().AccountIDsNeverReused, Claimed: claimed != "",
		Agrees: then.sameEmail(account) || media.SameMoment(former.Created, account.Created), Differs: then.differs(account),
	}
	if !likeness.Same() && !likeness.Claimed && !likeness.Differs {
		var o *outcome
		if likeness.Agrees, o = r.acceptsRecordedPassword(ctx, &then, account); o != nil {
			return false, o
		}
	}
	return likeness.Same(), nil
}

// revokeFormer shuts out the former accounts that are on the server besides the recorded one, and takes back what Usher gave
// them. They are not deleted.
func (r *userReconciler) revokeFormer(ctx context.Context, p *userPass) *outcome {
	if p.observing() {
		return nil
	}
	for _, former := range p.record.without(p.record.ID) {
		account, found := p.inventory().Account(media.AccountID(former.ID))
		if !found {
			continue
		}
		then := *p
		then.record, then.account, then.displaced, then.problem = former, account, true, nil
		then.snapshot.Ownership, then.snapshot.Leaving, then.snapshot.WantDisabled = access.ActionTake, true, true
		next := r.plan(ctx, &then)
		if !next.Writes() {
			continue
		}
		if own, o := r.isFormer(ctx, p, former, account); o != nil {
			return o
		} else if !own {
			continue
		}
		if o := r.execute(ctx, &then, next); o != nil {
			return o
		}
		r.warn(p.user, "FormerShutOut", "Disable", "account %s (%q), which was this User's before another was made, is on the server again: access that Usher gave is taken back, and it is disabled where the server can do that; it is not deleted", former.ID, bounded(account.Username, 128))
	}
	return nil
}

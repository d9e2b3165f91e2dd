package controller

import (
	"context"
	"fmt"
	"time"

	"github.com/usher-media/usher/api/v1alpha1"
	"github.com/usher-media/usher/internal/media"
)

// A media server whose database was put back to an earlier time has earlier passwords, and earlier switches. What Usher set
// since is set again. A server that tells when passwords were set proves it for each account; on another one, the password on
// record is tried once where several accounts changed at one look. No password is tried at a look that shows nothing of that.

// clockSkew is how far a server's clock may be from the operator's, for the first word of a server about a password that was
// just set to be believed. Later words are compared with that one.
const clockSkew = time.Minute

// hasFormerPassword says whether the account has an earlier password again than the one on record.
func (r *userReconciler) hasFormerPassword(ctx context.Context, p *userPass, want wanted) (bool, *outcome) {
	if p.record.PasswordAt.IsZero() || p.able().PasswordsFixed || p.account.ID == p.connection.Probe.Self {
		return false, nil // it is the one that the account was made with, or the account's own business
	}
	told, known := p.account.PasswordSet, p.record.PasswordTold
	var former bool
	var o *outcome
	switch {
	case told.IsZero() && known.IsZero():
		former, o = r.formerUntold(ctx, p, want)
	case known.IsZero():
		former, o = r.firstTold(ctx, p, want)
	case told.Before(known):
		former, o = r.formerTold(ctx, p, want)
	}
	if o != nil || !former {
		return false, o
	}
	if wait := r.renewals.wait(p.key, p.user.UID, r.Clock.Now()); wait > 0 {
		return false, p.trying(wait)
	}
	r.warn(p.user, "FormerPassword", "SetPassword", "account %q has an earlier password again, as after a restore of the server: the one that the manifest asks for is set again", p.user.Spec.Username)
	return true, nil
}

// later notes that a password is tried in a while: another's turn comes first, or the server limits how many sign in. What was
// found out before stays; it says no to any other outcome.
func (p *userPass) later(o *outcome, note string) bool {
	if o == nil || (o.reason != v1alpha1.ReasonProgressing && o.reason != v1alpha1.ReasonRateLimited) {
		return false
	}
	p.note = note
	p.again(o.after)
	return true
}

// again has the User looked at again after that long, if nothing else does sooner.
func (p *userPass) again(after time.Duration) {
	if p.after == 0 || after < p.after {
		p.after = after
	}
}

// trying is the outcome of a User whose password is still to be tried, or set again.
func (p *userPass) trying(wait time.Duration) *outcome {
	o := waiting(v1alpha1.ReasonProgressing, "the server or the cluster was put back to an earlier time, or a password was set by hand: whether the one on record works is found out for a few accounts at a time")
	o.after = wait
	return o
}

// firstTold takes the first word of the server about when the password was set. Where that is another time, the password was
// changed since, or the server's clock is wrong, which only a try tells: of a later time, that of setSince.
func (r *userReconciler) firstTold(ctx context.Context, p *userPass, want wanted) (bool, *outcome) {
	told := p.account.PasswordSet
	switch apart := told.Sub(p.record.PasswordAt); {
	case apart > clockSkew:
		return false, nil
	case apart < -clockSkew:
		works, o := r.worksStill(ctx, p, want, told)
		if o != nil || works != yes {
			return o == nil && works == no && !p.account.PasswordChosen, o
		}
	}
	p.record.PasswordTold, p.record.Outdated = told, ""
	return false, r.putRecord(ctx, p)
}

// formerTold is for a server that says itself that the account has a password which is older than the one on record. Whoever
// chose it did so before.
func (r *userReconciler) formerTold(ctx context.Context, p *userPass, want wanted) (bool, *outcome) {
	r.restores.notice(r.Kit, p.site, 1)
	works, o := r.worksStill(ctx, p, want, p.account.PasswordSet)
	if o != nil || works != yes {
		return o == nil, o
	}
	p.record.PasswordTold, p.record.Outdated = p.account.PasswordSet, ""
	return false, r.putRecord(ctx, p)
}

// setSince finds out whether the account has another password than the one on record, which the server says was set later: a
// record from before that came back with the cluster, or somebody set it by hand. It stays, and nothing says that the one on
// record works. Of an account that Usher made, the first password is as old as the account. What was found stays on record until
// the password is set again, or works.
func (r *userReconciler) setSince(ctx context.Context, p *userPass, want wanted) *outcome {
	p.outdated = p.record.Outdated != ""
	told, known := p.account.PasswordSet, p.record.PasswordTold
	if told.IsZero() {
		return r.sinceRestore(ctx, p, want)
	}
	if known.IsZero() {
		known = p.record.PasswordAt
		if known.IsZero() && p.record.Origin == v1alpha1.OriginCreated {
			known = p.account.Created
		}
		if known.IsZero() {
			return nil
		}
		known = known.Add(clockSkew)
	}
	since := told.UTC().Format(time.RFC3339Nano)
	switch {
	case p.chosenSince(), p.account.ID == p.connection.Probe.Self, p.record.Outdated == since:
		return nil
	case !told.After(known):
		return r.setOutdated(ctx, p, "")
	}
	works, o := r.worksStill(ctx, p, want, told)
	switch {
	case p.later(o, "another password was set on the server since, or the same one, which is found out for a few accounts at a time"):
		return nil
	case o != nil:
		return o
	case works == no:
		return r.setOutdated(ctx, p, since)
	case works == yes:
		p.record.PasswordTold = told
		p.outdated, p.record.Outdated = false, ""
		return r.putRecord(ctx, p)
	case !p.account.Disabled && p.note == "":
		p.note = "another password was set on the server since, and whether the one on record works cannot be found out there"
	}
	return nil
}

// setOutdated records since when the password on record is known not to work; empty for one that does.
func (r *userReconciler) setOutdated(ctx context.Context, p *userPass, since string) *outcome {
	p.outdated = since != ""
	if p.record.Outdated == since {
		return nil
	}
	p.record.Outdated = since
	return r.putRecord(ctx, p)
}

// sinceRestore is setSince for a server that does not tell when passwords were set: the password of a User that came back with
// the cluster, as another UID tells, is tried once, a few at a time.
func (r *userReconciler) sinceRestore(ctx context.Context, p *userPass, want wanted) *outcome {
	uid, made := r.provenance(p.user, p.record)
	if made != signedHere || uid == p.user.UID || p.record.ProvenUID == string(p.user.UID) || p.chosenSince() {
		return nil
	}
	if p.able().PasswordsFixed || p.account.Disabled || p.account.ID == p.connection.Probe.Self {
		return nil
	}
	if !p.able().Authenticate {
		p.note = fmt.Sprintf("it came back with the cluster, and whether its password works cannot be tried there: if it was changed after the backup, set the annotation %s to have another one", v1alpha1.AnnotationRotatePassword)
		return nil
	}
	works, o := r.worksStill(ctx, p, want, time.Time{})
	switch {
	case p.later(o, "it came back with the cluster, and whether its password works is found out for a few accounts at a time"):
		return nil
	case o != nil:
		return o
	case works == no:
		return r.setOutdated(ctx, p, string(p.user.UID))
	case works == unknown:
		p.note = "it came back with the cluster, and the server does not say whether its password works: it is asked again later"
		return nil
	}
	p.outdated, p.record.Outdated, p.record.ProvenUID = false, "", string(p.user.UID)
	return r.putRecord(ctx, p)
}

// formerUntold is for a server that does not tell when passwords were set: once a restore was noticed, the password is tried.
// Where the server tells that its holder has chosen another, that one stays.
func (r *userReconciler) formerUntold(ctx context.Context, p *userPass, want wanted) (bool, *outcome) {
	noticed := r.restores.noticed(p.site)
	if !p.record.Unproven && (noticed.IsZero() || noticed.Before(p.record.PasswordAt)) {
		return false, r.tellsOfRestore(ctx, p, want)
	}
	if p.chosenSince() {
		return false, r.proven(ctx, p)
	}
	works, o := r.worksStill(ctx, p, want, noticed)
	switch {
	case o != nil:
		return false, o
	case works == yes:
		return false, r.proven(ctx, p)
	case works == no:
		return true, nil
	case !p.able().Authenticate:
		p.note = fmt.Sprintf("the server was put back to an earlier time, and whether its password works cannot be tried there: set the annotation %s to have another one", v1alpha1.AnnotationRotatePassword)
		return false, nil
	}
	p.note = "the server was put back to an earlier time, and whether its password works is tried once the account is enabled"
	if !p.account.Disabled {
		p.note = "the server was put back to an earlier time, and does not say whether its password works: it is asked again later"
	}
	if p.record.Unproven {
		return false, nil
	}
	p.record.Unproven = true
	return false, r.putRecord(ctx, p)
}

// tellsOfRestore tries the password that was set last, once after the operator's start or an outage of the server. One that
// does not work may be its holder's choice as well, so that nothing is set: the status says what is known.
func (r *userReconciler) tellsOfRestore(ctx context.Context, p *userPass, want wanted) *outcome {
	if p.chosenSince() || p.account.Disabled {
		return nil
	}
	last, at, err := r.restores.lastSet(ctx, r.Kit, p.site, p.user)
	if err != nil {
		return retry(err)
	}
	if !last || !p.record.PasswordAt.Before(at) {
		return nil
	}
	works, o := r.worksStill(ctx, p, want, at)
	if p.later(o, "") {
		return nil
	}
	if o == nil && works == no {
		p.note = fmt.Sprintf("the password that was set last does not work any more: its holder has chosen another, or the server was put back to an earlier time, and passwords that were changed since are the former ones again; set the annotation %s anew to have another one", v1alpha1.AnnotationRotatePassword)
	}
	return o
}

// proven records that nothing is left to be tried.
func (r *userReconciler) proven(ctx context.Context, p *userPass) *outcome {
	if !p.record.Unproven {
		return nil
	}
	p.record.Unproven = false
	return r.putRecord(ctx, p)
}

// works is what a try of a password says.
type works int

const (
	// unknown: it cannot be tried, since the account is disabled or the server has no way, or the server did not say.
	unknown works = iota
	yes
	no
)

// tried is what a try said, and when: no password is tried twice for one reason. A server that did not say is asked again after a
// while.
type tried struct {
	result works
	at     time.Time
}

// worksStill tries the password on record, once for each reason to.
func (r *userReconciler) worksStill(ctx context.Context, p *userPass, want wanted, why time.Time) (works, *outcome) {
	if p.account.Disabled || !p.able().Authenticate {
		return unknown, nil
	}
	return r.tryOnce(ctx, p, want.password, fmt.Sprint(want.hash, p.record.PasswordAt, why))
}

func (r *userReconciler) tryOnce(ctx context.Context, p *userPass, password, what string) (works, *outcome) {
	key, now := p.triedAs(what), r.Clock.Now()
	if known, found := r.restores.tried.Get(key); found {
		once := known.(tried)
		left := safetyPoll - now.Sub(once.at)
		if once.result != unknown {
			return once.result, nil
		} else if left > 0 {
			p.again(left)
			return unknown, nil
		}
	}
	if wait := r.restores.tries.wait(p.key, p.user.UID, now); wait > 0 {
		return unknown, p.trying(wait)
	}
	result, o := r.tryPassword(ctx, p, p.account, password)
	if o != nil {
		return unknown, o
	}
	if result == unknown {
		p.again(jittered(safetyPoll))
	}
	r.restores.tried.Add(key, tried{result, now})
	return result, nil
}

func (p *userPass) triedAs(what string) string { return fmt.Sprint(p.user.UID, p.account.ID, what) }

// lockedStill makes sure, once a restore was noticed, that an account is still locked out by its password.
func (r *userReconciler) lockedStill(ctx context.Context, p *userPass) *outcome {
	noticed := r.restores.noticed(p.site)
	if noticed.IsZero() || !p.record.Locked || !p.snapshot.WantDisabled || !p.able().Authenticate {
		return nil
	}
	what := fmt.Sprint("locked", noticed)
	result, o := r.tryOnce(ctx, p, r.Keyring.LockOutPassword(p.identity(), p.account.ID), what)
	if o != nil || result == yes {
		return o
	}
	if o := p.mayWrite(); o != nil {
		return o
	}
	if o := r.lockOut(media.WithReason(ctx, "an earlier password lets its holder in again"), p); o != nil {
		return o
	}
	r.restores.tried.Add(p.triedAs(what), tried{yes, r.Clock.Now()})
	r.warn(p.user, "FormerPassword", "SetPassword", "account %q had an earlier password again, as after a restore of the server: it is locked out again", p.user.Spec.Username)
	return nil
}

// disabledBefore finds out who disabled an account that was enabled at the last look: Usher itself, in a database from before
// it enabled the account, where a restore is seen and the record says that nobody else has disabled it since. Else somebody did
// by hand, and from then on the record says nothing of the kind.
func (r *userReconciler) disabledBefore(ctx context.Context, p *userPass) *outcome {
	if !p.account.Disabled || p.account.LockedOut || p.snapshot.WantDisabled || p.record.Disabled || p.record.EnabledAt.IsZero() || p.method() != v1alpha1.DisableSwitch {
		return nil
	}
	listing := p.inventory().AccountDisabled(p.account.ID)
	changed, err := r.restores.at(ctx, r.Kit, p.site, listing)
	if err != nil {
		return retry(err)
	}
	p.record.EnabledAt = time.Time{}
	if changed > 1 && listing > 1 { // at the first look, nobody can tell what changed together
		p.record.Disabled, p.record.Method = true, v1alpha1.DisableSwitch
	}
	return r.putRecord(ctx, p)
}

package controller

import (
	"context"
	"maps"
	"sync"
	"time"

	"k8s.io/apimachinery/pkg/types"

	"github.com/usher-media/usher/api/v1alpha1"
	"github.com/usher-media/usher/internal/access"
	"github.com/usher-media/usher/internal/media"
)

// brake counts which accounts were shut out of which server lately: disabled, deleted, or left without any library. A mistake in a
// manifest that would shut out a whole household is stopped before it has (design D3). It is kept in memory: a restart
// begins a new window.
type brake struct {
	mu sync.Mutex
	// lost is by the UID of the MediaServer: one that is applied again under its name begins anew.
	lost map[types.UID]map[lossKey]loss
	// gained is since when accounts have what they would lose, as far as Usher gave it to them or took it within a day. One that is
	// not in it has had it since its User was made.
	gained map[holding]gain
	// forgetAt is how many of these there may be before the old ones are forgotten.
	forgetAt int
}

// lossKey is an account that was shut out, and whether it saw a library then.
type lossKey struct {
	account media.AccountID
	sees    bool
}

// loss is when an account was shut out and counted, when it was last, whose it was, and since when it had what it lost, as far as
// nothing is noted of it.
type loss struct {
	at, again, since time.Time
	user             types.UID
}

// loser is an account that is about to be shut out: whose it is, and since when it may have had what it loses.
type loser struct {
	account media.AccountID
	user    types.UID
	since   time.Time
}

// holding is what somebody has on a server and would lose: an account that is open, or that sees a library. It belongs to the
// account: who is declared anew has what they had.
type holding struct {
	server  types.UID
	account media.AccountID
	sees    bool
}

// gain is since when somebody has what they hold, and when it was given or taken last.
type gain struct{ since, noted time.Time }

// brakeKey is the server, whether the users saw something there, and for how long. Those that see nothing have little to lose, and
// neither have those that have just been given it: they are counted for themselves, so that however many of them somebody makes or
// deletes, as many of the others are shut out as before.
type brakeKey struct {
	server types.UID
	sees   bool
	tenure access.Tenure
}

// gave notes that an account has something to lose from now on. What was taken from it within a day it has for as long as before:
// otherwise whoever takes something from somebody and gives it back decides with whom they count.
func (b *brake) gave(of holding, now time.Time) {
	b.mu.Lock()
	defer b.mu.Unlock()
	since := now
	if before, known := b.gained[of]; known && now.Sub(before.noted) < access.TenuresRemembered {
		since = before.since
	}
	b.note(of, gain{since: since, noted: now})
}

// took notes that an account does not have something any more that it had since then, as far as nothing else is noted, or that its
// User lets go of it.
func (b *brake) took(of holding, since, now time.Time) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.note(of, gain{since: b.since(of, since), noted: now})
}

// begin forgets what an account had that had its id before.
func (b *brake) begin(of holding) {
	b.mu.Lock()
	defer b.mu.Unlock()
	delete(b.gained, of)
	delete(b.lost[of.server], lossKey{of.account, of.sees})
}

func (b *brake) note(of holding, now gain) {
	if len(b.gained) >= b.forgetAt {
		for other, before := range b.gained {
			if now.noted.Sub(before.noted) >= access.TenuresRemembered {
				delete(b.gained, other)
			}
		}
		b.forgetAt = max(1024, 2*len(b.gained))
	}
	if b.gained == nil {
		b.gained = map[holding]gain{}
	}
	b.gained[of] = now
}

// since is when an account got what it has, by default the given time.
func (b *brake) since(of holding, otherwise time.Time) time.Time {
	if known, noted := b.gained[of]; noted {
		return known.since
	}
	return otherwise
}

// tenure is how long an account has had what it would lose. Since then it may have had it, as far as nothing is noted of it.
func (b *brake) tenure(of holding, since, now time.Time) access.Tenure {
	b.mu.Lock()
	defer b.mu.Unlock()
	return access.TenureOf(b.since(of, since), now)
}

// allow says whether one more account may be shut out, and counts it then, and of how many that is how many at most. An account or
// User that was shut out within a day counts no second time: whoever takes from a few and gives back, again and again, holds back
// nobody else.
// accounts are all those that the key speaks of, as they are now. The tenure of those that were shut out is what it would be now, so
// that people who came together are counted together at any time.
func (b *brake) allow(key brakeKey, one loser, accounts map[media.AccountID]bool, now time.Time) (allowed bool, limit, of int) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.forget(now)
	of = len(accounts)
	counted := 0
	for other, loss := range b.lost[key.server] {
		tenure := access.TenureOf(b.since(holding{key.server, other.account, other.sees}, loss.since), now)
		if other.sees != key.sees || tenure != key.tenure || now.Sub(loss.at) >= access.BrakeWindow {
			continue
		}
		counted++
		if !accounts[other.account] { // it was among them when the window began
			of++
		}
	}
	limit = access.BrakeLimit(of)
	if b.counted(key, one, now) {
		return true, limit, of
	}
	if counted >= limit {
		return false, limit, of
	}
	if b.lost == nil {
		b.lost = map[types.UID]map[lossKey]loss{}
	}
	if b.lost[key.server] == nil {
		b.lost[key.server] = map[lossKey]loss{}
	}
	b.lost[key.server][lossKey{one.account, key.sees}] = loss{at: now, again: now, since: one.since, user: one.user}
	return true, limit, of
}

// counted says whether somebody was shut out within a day, and counted for it: for what the key speaks of or, where they see nothing,
// for being left without a library, so that they may be disabled then. It is remembered for another day.
func (b *brake) counted(key brakeKey, one loser, now time.Time) (counted bool) {
	for other, loss := range b.lost[key.server] {
		if (other.account == one.account || loss.user == one.user) && (other.sees || !key.sees) {
			counted, loss.again = true, now
			b.lost[key.server][other] = loss
		}
	}
	return counted
}

// forget ends what is a day old.
func (b *brake) forget(now time.Time) {
	for server, lost := range b.lost {
		maps.DeleteFunc(lost, func(_ lossKey, loss loss) bool { return now.Sub(loss.again) >= access.TenuresRemembered })
		if len(lost) == 0 {
			delete(b.lost, server)
		}
	}
}

// mayShutOut asks before a user is shut out: whether the server is being left altogether, which shuts nobody out, and the
// disruption limit. What ends at the time that a manifest has named long before is no mistake.
func (r *userReconciler) mayShutOut(ctx context.Context, p *userPass) *outcome {
	now := r.Clock.Now()
	if r.endsOnTime(p, now) {
		return nil
	}
	if p.user.DeletionTimestamp.IsZero() { // of one that is deleted, this is known
		if o := r.mayLose(ctx, p); o != nil {
			return o
		}
	}
	if access.BrakeReleased(p.server.Annotations[v1alpha1.AnnotationProceed], now) {
		return nil
	}
	sees := p.seen(p.account) > 0
	key := brakeKey{server: p.server.UID, sees: sees, tenure: r.tenure(p.site, p.user, p.account, sees, now)}
	accounts, err := r.losing(ctx, p, key, now)
	if err != nil {
		return retry(err)
	}
	allowed, limit, of := r.brake.allow(key, loser{p.account.ID, p.user.UID, r.heldSince(p.site, p.user, p.account)}, accounts, now)
	if allowed {
		return nil
	}
	whose := "users that see a library"
	if !key.sees {
		whose = "users that see no library"
	}
	if key.tenure != access.TenureLong {
		whose += " (and have for " + key.tenure.String() + ")"
	}
	o := waiting(v1alpha1.ReasonDisruptionLimit, "%d of %d %s were shut out within ten minutes, and this one would be next: if that is meant, run kubectl annotate -n %s mediaserver %s --overwrite %s=%s",
		limit, of, whose, p.server.Namespace, p.server.Name, v1alpha1.AnnotationProceed, now.Add(2*time.Hour).UTC().Truncate(time.Hour).Format(time.RFC3339))
	o.after = time.Minute
	return o
}

// losing are the declared accounts that would lose something if they were shut out, and of which the key speaks: that are open, and
// see a library or do not.
func (r *userReconciler) losing(ctx context.Context, p *userPass, key brakeKey, now time.Time) (map[media.AccountID]bool, error) {
	var users v1alpha1.UserList
	if err := r.Client.List(ctx, &users, ofServer(p.user.Namespace, p.server.Name)...); err != nil {
		return nil, err
	}
	losing := map[media.AccountID]bool{}
	for i := range users.Items {
		user := &users.Items[i]
		account, known := p.accountOf(user)
		open := known && !account.Disabled && !readRecord(user, p.identity()).Disabled
		if open && (p.seen(account) > 0) == key.sees && r.tenure(p.site, user, account, key.sees, now) == key.tenure {
			losing[account.ID] = true
		}
	}
	return losing, nil
}

// tenure is how long a User's account has had what it would lose.
func (r *userReconciler) tenure(s site, user *v1alpha1.User, account media.Account, sees bool, now time.Time) access.Tenure {
	return r.brake.tenure(holding{s.server.UID, account.ID, sees}, r.heldSince(s, user, account), now)
}

// heldSince is since when a User's account may have had what it has, as far as nothing is noted of it; zero for longer than anybody
// knows. An account that an Invite brought has all that it has from the server, which tells Usher nothing: it is no older than
// its User. One that was there before its User, or whose User is of before a restore of the cluster, is older.
func (r *userReconciler) heldSince(s site, user *v1alpha1.User, account media.Account) time.Time {
	made, known := user.CreationTimestamp.Time, readRecord(user, s.identity())
	if uid, by := r.provenance(user, known); by == signedHere && uid != user.UID {
		return time.Time{}
	}
	switch created := account.Created; {
	case !created.IsZero() && created.Before(made): // whatever the labels say, which editors write
		return created
	case created.IsZero() && known.Origin == v1alpha1.OriginAdopted && !access.Invited(user):
		return time.Time{}
	}
	return made
}

// noteHeld tells the disruption limit what the account has to lose that it had not before, and what was taken from it.
func (r *userReconciler) noteHeld(p *userPass, before media.Account) {
	now := r.Clock.Now()
	for _, sees := range []bool{false, true} {
		of := holding{p.server.UID, p.account.ID, sees}
		if before.ID == "" {
			r.brake.begin(of)
		}
		switch had, has := p.holds(before, sees), p.holds(p.account, sees); {
		case has && !had:
			r.brake.gave(of, now)
		case had && !has:
			r.brake.took(of, r.heldSince(p.site, p.user, before), now)
		}
	}
}

// holds says whether an account is open, and sees a library where that is asked for.
func (p *userPass) holds(account media.Account, sees bool) bool {
	return account.ID != "" && !account.Disabled && (!sees || p.seen(account) > 0)
}

// noteLeft tells the disruption limit that a User lets go of its account: another User that declares it within a day has had for as long
// what it has.
func (r *userReconciler) noteLeft(p *userPass) {
	if p.connection.Server == nil {
		return
	}
	account, known := p.accountOf(p.user)
	if !known {
		return
	}
	for _, sees := range []bool{false, true} {
		if p.holds(account, sees) {
			r.brake.took(holding{p.server.UID, account.ID, sees}, r.heldSince(p.site, p.user, account), r.Clock.Now())
		}
	}
}

// endsOnTime says whether what the account loses is what its manifests gave until a time that has come.
func (r *userReconciler) endsOnTime(p *userPass, now time.Time) bool {
	if !p.user.DeletionTimestamp.IsZero() || p.cascading() || p.snapshot.Want == v1alpha1.UserDisabled {
		return false
	}
	if p.snapshot.Want == v1alpha1.UserExpired {
		return true
	}
	given := access.EffectiveAccess(p.snapshot.Subject, p.snapshot.Libraries, access.GivenUntilNow(p.grants, r.Grants.Compile, now))
	known := map[media.LibraryID]bool{}
	for name := range given {
		known[p.snapshot.Beliefs.Given[name]] = true
	}
	for id := range p.account.Access.Libraries {
		if !known[id] {
			return false
		}
	}
	return !p.account.Access.All
}

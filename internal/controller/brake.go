package controller

import (
	"context"
	"sync"
	"time"

	"k8s.io/apimachinery/pkg/types"

	"github.com/usher-media/usher/api/v1alpha1"
	"github.com/usher-media/usher/internal/access"
	"github.com/usher-media/usher/internal/media"
)

// brake counts who was shut out of which server lately: disabled, deleted, or left without any library. A mistake in a
// manifest that would shut out a whole household is stopped before it has (design D3). It is kept in memory: a restart
// begins a new window.
type brake struct {
	mu sync.Mutex
	// shut is by the UID of the MediaServer: one that is applied again under its name begins anew.
	shut map[brakeKey]map[types.UID]time.Time
	// gained is since when accounts have what they would lose, as far as Usher gave it to them or took it within a day. One that is
	// not in it has had it since its User was made.
	gained map[holding]gain
	// forgetAt is how many of these there may be before the old ones are forgotten.
	forgetAt int
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

// took notes that an account of a User that was made then does not have something any more, or that the User lets go of it.
func (b *brake) took(of holding, made, now time.Time) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.note(of, gain{since: b.since(of, made), noted: now})
}

// begin forgets what an account had that had its id before.
func (b *brake) begin(of holding) {
	b.mu.Lock()
	defer b.mu.Unlock()
	delete(b.gained, of)
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

// since is when an account of a User that was made then got what it has. An account that an Invite brought has all that it has
// from the server, which tells Usher nothing: it is no older than its User.
func (b *brake) since(of holding, made time.Time) time.Time {
	if known, noted := b.gained[of]; noted {
		return known.since
	}
	return made
}

// tenure is how long an account of a User that was made then has had what it would lose.
func (b *brake) tenure(of holding, made, now time.Time) access.Tenure {
	b.mu.Lock()
	defer b.mu.Unlock()
	return access.TenureOf(b.since(of, made), now)
}

// allow says whether one more user may be shut out, and counts it then, and of how many that is how many at most. The
// same user twice counts once. users are all those that the key speaks of, as they are now.
func (b *brake) allow(key brakeKey, user types.UID, users map[types.UID]bool, now time.Time) (allowed bool, limit, of int) {
	b.mu.Lock()
	defer b.mu.Unlock()
	for other, users := range b.shut { // one that is gone is forgotten with the last that counts
		if other.server != key.server && !anyWithin(users, access.BrakeWindow, now) {
			delete(b.shut, other)
		}
	}
	if b.shut == nil {
		b.shut = map[brakeKey]map[types.UID]time.Time{}
	}
	recent := b.shut[key]
	if recent == nil {
		recent = map[types.UID]time.Time{}
		b.shut[key] = recent
	}
	for uid, at := range recent {
		if now.Sub(at) >= access.BrakeWindow {
			delete(recent, uid)
		}
	}
	of = len(users)
	for uid := range recent { // they were among them when the window began
		if !users[uid] {
			of++
		}
	}
	limit = access.BrakeLimit(of)
	if _, counted := recent[user]; !counted && !(!key.sees && b.lostAll(key.server, user)) {
		if len(recent) >= limit {
			return false, limit, of
		}
		recent[user] = now
	}
	return true, limit, of
}

// lostAll says whether a User was left without a library, and is counted for that: it may be disabled then.
func (b *brake) lostAll(server, user types.UID) bool {
	for _, tenure := range []access.Tenure{access.TenureLong, access.TenureRecent, access.TenureNew} {
		if _, lost := b.shut[brakeKey{server: server, sees: true, tenure: tenure}][user]; lost {
			return true
		}
	}
	return false
}

func anyWithin(times map[types.UID]time.Time, window time.Duration, now time.Time) bool {
	for _, at := range times {
		if now.Sub(at) < window {
			return true
		}
	}
	return false
}

// mayShutOut asks before a user is shut out: whether the server is being left altogether, which shuts nobody out, and the
// burst brake. What ends at the time that a manifest has named long before is no mistake.
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
	key := brakeKey{server: p.server.UID, sees: sees, tenure: r.tenure(p.site, p.user, p.account.ID, sees, now)}
	users, err := r.losing(ctx, p, key, now)
	if err != nil {
		return retry(err)
	}
	allowed, limit, of := r.brake.allow(key, p.user.UID, users, now)
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
	o := waiting(v1alpha1.ReasonBurstBrake, "%d of %d %s were shut out within ten minutes, and this one would be next: if that is meant, run kubectl annotate -n %s mediaserver %s --overwrite %s=%s",
		limit, of, whose, p.server.Namespace, p.server.Name, v1alpha1.AnnotationProceed, now.Add(2*time.Hour).UTC().Truncate(time.Hour).Format(time.RFC3339))
	o.after = time.Minute
	return o
}

// losing are the Users of the server that would lose something if they were shut out, and of which the key speaks: whose account
// is open, and sees a library or does not.
func (r *userReconciler) losing(ctx context.Context, p *userPass, key brakeKey, now time.Time) (map[types.UID]bool, error) {
	var users v1alpha1.UserList
	if err := r.Client.List(ctx, &users, ofServer(p.user.Namespace, p.server.Name)...); err != nil {
		return nil, err
	}
	losing := map[types.UID]bool{}
	for i := range users.Items {
		user := &users.Items[i]
		account, known := p.accountOf(user)
		open := known && !account.Disabled && !readRecord(user, p.identity()).Disabled
		if open && (p.seen(account) > 0) == key.sees && r.tenure(p.site, user, account.ID, key.sees, now) == key.tenure {
			losing[user.UID] = true
		}
	}
	return losing, nil
}

// tenure is how long a User's account has had what it would lose.
func (r *userReconciler) tenure(s site, user *v1alpha1.User, account media.AccountID, sees bool, now time.Time) access.Tenure {
	return r.brake.tenure(holding{s.server.UID, account, sees}, user.CreationTimestamp.Time, now)
}

// noteHeld tells the burst brake what the account has to lose that it had not before, and what was taken from it.
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
			r.brake.took(of, p.user.CreationTimestamp.Time, now)
		}
	}
}

// holds says whether an account is open, and sees a library where that is asked for.
func (p *userPass) holds(account media.Account, sees bool) bool {
	return account.ID != "" && !account.Disabled && (!sees || p.seen(account) > 0)
}

// noteLeft tells the burst brake that a User lets go of its account: another User that declares it within a day has had it for as long.
func (r *userReconciler) noteLeft(p *userPass) {
	id := media.AccountID(parseRecord(p.user).ID)
	if id == "" {
		return
	}
	for _, sees := range []bool{false, true} {
		r.brake.took(holding{p.server.UID, id, sees}, p.user.CreationTimestamp.Time, r.Clock.Now())
	}
}

// endsOnTime says whether what the account loses is what its manifests gave until a time that has come.
func (r *userReconciler) endsOnTime(p *userPass, now time.Time) bool {
	if !p.user.DeletionTimestamp.IsZero() || p.cascading() || p.want == v1alpha1.UserDisabled {
		return false
	}
	if p.want == v1alpha1.UserExpired {
		return true
	}
	given := access.EffectiveAccess(p.subject, p.libraries, access.GivenUntilNow(p.grants, r.Grants.Compile, now))
	known := map[media.LibraryID]bool{}
	for name := range given {
		known[p.ids[name]] = true
	}
	for id := range p.account.Access.Libraries {
		if !known[id] {
			return false
		}
	}
	return !p.account.Access.All
}

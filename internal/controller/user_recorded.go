package controller

import (
	"context"
	"fmt"

	"k8s.io/utils/lru"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/usher-media/usher/api/v1alpha1"
	"github.com/usher-media/usher/internal/access"
	"github.com/usher-media/usher/internal/media"
)

// recorded says what became of the recorded account. Two listings without it are not enough: the server is asked for it
// by its id, since a list can be short for as long as it likes. And an id is not enough where the name is another.
func (r *userReconciler) recorded(ctx context.Context, p *userPass) (access.Recorded, *outcome) {
	id := media.AccountID(p.record.ID)
	if id == "" {
		return r.orFormer(ctx, p, func(context.Context, *userPass) (access.Recorded, *outcome) { return access.RecordedNone, nil })
	}
	account, found := p.inventory().Account(id)
	switch {
	case found && p.hasName(account) && (!p.differs(account) || p.confirmed(p.record.ID)):
		return access.RecordedPresent, nil
	case found:
		return r.renamed(ctx, p, account)
	case !p.settledIntent(p.record), !p.inventory().AccountAbsent(id, p.connection.Opened):
		return access.RecordedMissing, nil
	}
	switch _, err := p.to().ReadAccount(ctx, media.AccountKey{ID: id, Username: p.user.Spec.Username}); media.CodeOf(err) {
	case "":
		return access.RecordedPresent, nil
	case media.NotFound:
		return r.orFormer(ctx, p, r.gone)
	case media.Conflict: // it is there under another name: the next listing shows it
		return access.RecordedMissing, nil
	default:
		return "", r.callFailed(p.site, err)
	}
}

// hasName says whether an account has the name that the manifest gives it.
func (p *userPass) hasName(account media.Account) bool {
	fold := p.to().Traits().FoldUsername
	return fold(account.Username) == fold(p.user.Spec.Username)
}

// differs says whether an account was made at another time than the recorded one, where an id alone says nothing.
func (p *userPass) differs(account media.Account) bool {
	return !p.to().Traits().AccountIDsNeverReused && !p.record.Created.IsZero() && !account.Created.IsZero() &&
		!media.SameMoment(p.record.Created, account.Created)
}

// witnesses are recorded of an account besides its id and its name, where ids are given out again.
func (p *userPass) witnesses(r record, account media.Account) record {
	if p.to().Traits().AccountIDsNeverReused {
		return r
	}
	r.Email = account.Email
	if !account.Created.IsZero() {
		r.Created = account.Created
	}
	return r
}

// gone is for an account that is missing beyond doubt. Several that went at one look were not deleted one by one. One that
// was announced and never seen has not come into being.
func (r *userReconciler) gone(ctx context.Context, p *userPass) (access.Recorded, *outcome) {
	if neverSeen(p.user, p.record) || p.record.Believed == believedGone {
		return access.RecordedAbsent, nil
	}
	together, o := r.together(ctx, p)
	switch {
	case o != nil:
		return "", o
	case together:
		return access.RecordedDoubted, r.doubts(ctx, p)
	}
	return access.RecordedAbsent, r.believes(ctx, p, believedGone)
}

// believedGone stands for the name of an account that is gone.
const believedGone = "-"

// renamed finds out whether an account that has the recorded id and another name is the recorded one. A person's word, and
// every witness besides the id, is asked for.
func (r *userReconciler) renamed(ctx context.Context, p *userPass, account media.Account) (access.Recorded, *outcome) {
	if p.inventory().AccountChanged(account.ID) == 0 {
		return access.RecordedMissing, nil // whether others changed too, only a listing shows
	}
	claimed, err := r.claimedBy(ctx, p, account)
	if err != nil {
		return "", retry(err)
	}
	together, o := r.together(ctx, p)
	if o != nil {
		return "", o
	}
	likeness := access.Likeness{
		NeverReused: p.to().Traits().AccountIDsNeverReused,
		Agrees:      p.sameEmail(account) || media.SameMoment(p.record.Created, account.Created),
		Differs:     p.differs(account),
		Claimed:     claimed != "", Together: together,
		Confirmed: p.confirmed(string(account.ID)) || p.record.Believed == account.Username,
	}
	if !likeness.Same() && !likeness.Claimed && !likeness.Together && !likeness.Differs {
		if likeness.Agrees, o = r.acceptsRecordedPassword(ctx, p, account); o != nil {
			return "", o
		}
	}
	p.account, p.claimedBy = account, claimed
	if !likeness.Same() {
		return access.RecordedDoubted, r.doubts(ctx, p)
	}
	return access.RecordedRenamed, r.believes(ctx, p, account.Username)
}

// sameEmail says whether the recorded email address is the account's. On a server without other names it is the name.
func (p *userPass) sameEmail(account media.Account) bool {
	traits := p.to().Traits()
	return p.record.Email != "" && !traits.NamedByEmail && traits.FoldEmail(p.record.Email) == traits.FoldEmail(account.Email)
}

// claimedBy names another User that stands for an account: by its name, or by a record of its own.
func (r *userReconciler) claimedBy(ctx context.Context, p *userPass, account media.Account) (string, error) {
	fold := p.to().Traits().FoldUsername
	for index, value := range map[string]string{
		indexClaim: claimOf(p.server.Name, account.Username), indexRecorded: recordedAs(p.server.Name, string(account.ID)),
	} {
		var users v1alpha1.UserList
		if err := r.Client.List(ctx, &users, client.InNamespace(p.user.Namespace), client.MatchingFields{index: value}, client.UnsafeDisableDeepCopy); err != nil {
			return "", err
		}
		for i := range users.Items {
			other := &users.Items[i]
			if other.UID != p.user.UID && (fold(other.Spec.Username) == fold(account.Username) || readRecord(other, p.identity()).ID == string(account.ID)) {
				return other.Name, nil
			}
		}
	}
	return "", nil
}

// triedPasswords remembers which accounts were tried with a recorded password, so that nobody's account is tried again and
// again.
var triedPasswords = lru.New(4096)

// acceptsRecordedPassword says whether an account accepts the password whose hash is on record, or the one that it was
// locked out with: one that nobody else has. While that password cannot be read, nothing is said, but that nobody waits for
// it who is being deleted.
func (r *userReconciler) acceptsRecordedPassword(ctx context.Context, p *userPass, account media.Account) (bool, *outcome) {
	if (p.record.Password == "" && !p.record.Locked) || account.Disabled || !p.able().Authenticate || p.observing() {
		return false, nil
	}
	key := fmt.Sprint(p.user.UID, account.ID, account.Username, p.record.Password, p.record.Locked)
	if accepted, tried := triedPasswords.Get(key); tried {
		return accepted.(bool), nil
	}
	var passwords []string
	var missing *outcome
	if p.record.Locked {
		passwords = []string{r.Keyring.LockOutPassword(p.identity(), account.ID)}
	} else {
		passwords, missing = r.announcedPasswords(ctx, p)
	}
	switch {
	case len(passwords) == 0 && !p.user.DeletionTimestamp.IsZero():
		return false, nil
	case len(passwords) == 0:
		return false, missing
	}
	accepted, o := r.tryPasswords(ctx, p, account, passwords)
	if o == nil {
		triedPasswords.Add(key, accepted)
	}
	return accepted, o
}

// unlessRenamed looks at all accounts again where a live read has shown that the account has another name: a list may say
// more of it than that.
func (r *userReconciler) unlessRenamed(p *userPass, o outcome) outcome {
	account, found := p.inventory().Account(media.AccountID(p.record.ID))
	if o.kind != kindStalled || o.reason != v1alpha1.ReasonConflict || !found || p.renamed() || p.hasName(account) {
		return o
	}
	return *r.lookAgain(p.site, p.record, v1alpha1.ReasonConfirmingAbsence, "the account has another name now: looking at all accounts")
}

package controller

import (
	"context"
	"fmt"

	"github.com/usher-media/usher/api/v1alpha1"
	"github.com/usher-media/usher/internal/media"
)

// together says whether this User's account is one of several that changed at one look, as after a restore. What was found
// together stays so, though others have been decided on since.
func (r *userReconciler) together(ctx context.Context, p *userPass) (bool, *outcome) {
	if p.record.Doubt != nil && p.record.Doubt.Restored {
		r.restores.notice(r.Kit, p.site, 1)
		return true, nil
	}
	listing := p.inventory().AccountChanged(media.AccountID(p.record.ID))
	changed, err := r.restores.at(ctx, r.Kit, p.site, listing)
	if err != nil {
		return false, retry(err)
	}
	if p.restored = changed > 1; p.restored {
		r.restores.notice(r.Kit, p.site, listing)
	}
	return p.restored, nil
}

// doubts records that the account is in doubt, with the answers that are older than the doubt: those are none to it.
func (r *userReconciler) doubts(ctx context.Context, p *userPass) *outcome {
	if p.observing() || !p.user.DeletionTimestamp.IsZero() {
		return nil
	}
	confirm, forget := p.user.Annotations[v1alpha1.AnnotationConfirmID], p.user.Annotations[v1alpha1.AnnotationForgetID]
	next := doubt{Restored: p.restored, Confirm: confirm, Forget: forget}
	if was := p.record.Doubt; was != nil {
		next = *was
		next.Restored = was.Restored || p.restored
		if was.Confirm != confirm || was.Forget != forget {
			next.Confirm, next.Forget = "", "" // an old answer was taken away: the same one is a new answer from now on
		}
		if next == *was {
			return nil
		}
	}
	p.record.Doubt, p.record.Believed = &next, ""
	if err := r.writeRecord(ctx, p.user, p.record); err != nil {
		return retry(err)
	}
	return nil
}

// believes records under which other name the account is known beyond doubt, or that it is gone, so that this is decided
// once.
func (r *userReconciler) believes(ctx context.Context, p *userPass, name string) *outcome {
	if p.observing() || !p.user.DeletionTimestamp.IsZero() || (p.record.Believed == name && p.record.Doubt == nil) {
		return nil
	}
	p.record.Believed, p.record.Doubt = name, nil
	if err := r.writeRecord(ctx, p.user, p.record); err != nil {
		return retry(err)
	}
	return nil
}

// confirmed says whether a person said, since the account is in doubt, that the one with that id is this User's.
func (p *userPass) confirmed(id string) bool {
	answer := p.user.Annotations[v1alpha1.AnnotationConfirmID]
	return p.record.Doubt != nil && answer == id && answer != p.record.Doubt.Confirm
}

// forget drops the record where a person said so, or that another account is this User's: the recorded one is left alone
// then. One that is not on the server now is remembered as a former one: if it comes back, it is no stranger's.
func (r *userReconciler) forget(ctx context.Context, p *userPass, candidates []media.Account) *outcome {
	answer := p.user.Annotations[v1alpha1.AnnotationForgetID]
	told := p.record.Doubt != nil && answer == p.record.ID && answer != p.record.Doubt.Forget
	for _, account := range candidates {
		if p.confirmed(string(account.ID)) {
			told, p.told = true, account.ID
		}
	}
	if !told || p.observing() {
		return nil
	}
	r.normal(p.user, "Forgotten", "Forget", "account %s of MediaServer %s is this User's no more, and is left as it is", p.record.ID, p.server.Name)
	former := p.record.FormerIDs
	if id := media.AccountID(p.record.ID); p.inventory().AccountAbsent(id, p.connection.Opened) {
		former = p.former()
	}
	p.record, p.account, p.status.ExternalID, p.status.Origin = record{Server: p.identity(), FormerIDs: former}, media.Account{}, "", ""
	if p.told != "" {
		return nil // it is recorded at once
	}
	if err := r.writeRecord(ctx, p.user, p.record); err != nil {
		return retry(err)
	}
	return nil
}

// otherThanRecorded says how the account is not what was recorded, and names the one that has the User's name now.
func (p *userPass) otherThanRecorded(candidates []media.Account) string {
	name, id := p.user.Spec.Username, p.record.ID
	what := fmt.Sprintf("account %s of the server was %q and is named %q now", id, name, bounded(p.account.Username, 128))
	switch {
	case p.account.ID == "":
		what = fmt.Sprintf("account %s, which was %q, is gone from the server", id, name)
	case p.hasName(p.account):
		what = fmt.Sprintf("account %s of the server (%q) was made at another time than the one that was recorded", id, name)
	}
	if len(candidates) == 1 {
		what += fmt.Sprintf(", and account %s is named %q now", candidates[0].ID, bounded(candidates[0].Username, 128))
	}
	if p.restored || (p.record.Doubt != nil && p.record.Doubt.Restored) {
		what += "; others changed at the same look, as after a restore"
	}
	if p.claimedBy != "" {
		what += fmt.Sprintf("; User %s stands for it", p.claimedBy)
	}
	return what
}

// inDoubt says what is not known of the account, and the two commands that decide. Nothing is written to it until then.
func (p *userPass) inDoubt(candidates []media.Account) *outcome {
	command := func(annotation, id string) string {
		return fmt.Sprintf("kubectl annotate -n %s user %s --overwrite %s=%s", p.user.Namespace, p.user.Name, annotation, id)
	}
	same := string(p.account.ID)
	if same == "" && len(candidates) == 1 {
		same = string(candidates[0].ID)
	}
	ways := "to forget the former account, run " + command(v1alpha1.AnnotationForgetID, p.record.ID)
	if same != "" {
		ways = fmt.Sprintf("if account %s is the same person, run %s; ", same, command(v1alpha1.AnnotationConfirmID, same)) + ways
	}
	o := stalled(v1alpha1.ReasonInDoubt, "%s. Nobody can tell whether it is the same person, so nothing is written to it: %s", p.otherThanRecorded(candidates), ways)
	o.after = safetyPoll
	return o
}

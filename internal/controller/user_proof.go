package controller

import (
	"context"
	"maps"
	"slices"

	"github.com/usher-media/usher/internal/media"
)

// provenOurs tries the passwords that only our own announced creation could have set, each once on each account. Nothing
// is held against an account while one of them cannot be read.
func (r *userReconciler) provenOurs(ctx context.Context, p *userPass, account media.Account) (bool, *outcome) {
	passwords, unread := r.announcedPasswords(ctx, p)
	p.unproven = len(passwords) == 0 && unread == nil
	id := string(account.ID)
	tried := slices.Clone(p.record.Intent.Tried[id])
	passwords = slices.DeleteFunc(passwords, func(password string) bool { return slices.Contains(tried, r.Keyring.Hash(p.user.UID, password)) })
	ours, o := r.tryPasswords(ctx, p, account, passwords)
	if ours || o != nil {
		return ours, o
	}
	if len(passwords) == 0 {
		return false, unread
	}
	for _, password := range passwords {
		tried = append(tried, r.Keyring.Hash(p.user.UID, password))
	}
	announced := *p.record.Intent
	announced.Tried = maps.Clone(announced.Tried)
	if announced.Tried == nil {
		announced.Tried = map[string][]string{}
	}
	announced.Tried[id] = tried
	p.record.Intent = &announced
	if err := r.writeRecord(ctx, p.user, p.record); err != nil {
		return false, retry(err)
	}
	return false, unread
}

// announcedPasswords are those that the account may have had since it was made, as far as they can be read, and why one
// cannot. What was made with another key is not to be had.
func (r *userReconciler) announcedPasswords(ctx context.Context, p *userPass) (passwords []string, unread *outcome) {
	uid, made := r.provenance(p.user, p.record)
	if made == signedByAnother || made == signedForAnother {
		return nil, nil
	}
	passwords = []string{r.Keyring.Password(uid, p.record.Rotation)}
	want, o := r.wantedPassword(ctx, p)
	switch {
	case o != nil && want.hash == "":
		unread = o
	case o == nil && want.fromSecret:
		passwords = append(passwords, want.password)
	}
	if p.record.Password == "" {
		return passwords, unread
	}
	passwords = slices.DeleteFunc(passwords, func(password string) bool {
		return r.Keyring.Hash(uid, password) != p.record.Password
	})
	if len(passwords) > 0 {
		unread = nil
	}
	return passwords, unread
}

// tryPasswords says whether the account is known to accept one of the passwords.
func (r *userReconciler) tryPasswords(ctx context.Context, p *userPass, account media.Account, passwords []string) (bool, *outcome) {
	for _, password := range passwords {
		if accepted, o := r.tryPassword(ctx, p, account, password); o != nil || accepted == yes {
			return accepted == yes, o
		}
	}
	return false, nil
}

// tryPassword signs in once. Only a server that refuses the credentials says no. One that limits how many sign in says nothing of
// other calls: revocations go on, and the User alone waits.
func (r *userReconciler) tryPassword(ctx context.Context, p *userPass, account media.Account, password string) (works, *outcome) {
	id, err := p.to().Authenticate(ctx, account.Username, password)
	switch media.CodeOf(err) {
	case "":
		if id == account.ID {
			return yes, nil
		}
		return unknown, nil // another account has the name by now
	case media.Unauthenticated:
		return no, nil
	case media.PermissionDenied, media.Unsupported, media.Invalid:
		return unknown, nil
	case media.RateLimited:
		o := fromServer(err)
		o.after = min(max(media.RetryAfter(err), jittered(renewalsEvery)), safetyPoll)
		return unknown, o
	}
	return unknown, r.callFailed(p.site, err)
}

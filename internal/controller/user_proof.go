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

func (r *userReconciler) tryPasswords(ctx context.Context, p *userPass, account media.Account, passwords []string) (bool, *outcome) {
	for _, password := range passwords {
		id, err := p.to().Authenticate(ctx, account.Username, password)
		switch media.CodeOf(err) {
		case "":
			return id == account.ID, nil
		case media.Unauthenticated, media.PermissionDenied, media.Unsupported, media.Invalid:
		default:
			return false, r.callFailed(p.site, err)
		}
	}
	return false, nil
}

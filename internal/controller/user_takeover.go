package controller

import (
	"context"

	"github.com/usher-media/usher/api/v1alpha1"
	"github.com/usher-media/usher/internal/media"
)

// shutWhenFound says by which rung an account is shut out that is being taken over; empty for one that somebody can use.
// Whoever had it before knows its password, unless it was locked out.
func (r *userReconciler) shutWhenFound(ctx context.Context, p *userPass, account media.Account) (v1alpha1.DisableMethod, *outcome) {
	if account.Disabled {
		return v1alpha1.DisableSwitch, nil
	}
	switch method := p.rung(p.user.Spec.Role); method {
	case v1alpha1.DisableLockOut:
		if locked, o := r.lockedOut(ctx, p, account); o != nil || locked {
			return method, o
		}
	case v1alpha1.DisableNoAccess:
		if !p.opens(account) {
			return method, nil
		}
	}
	return "", nil
}

// lockedOut says whether the account has the password that Usher locks out with, which can only be tried.
func (r *userReconciler) lockedOut(ctx context.Context, p *userPass, account media.Account) (bool, *outcome) {
	if !p.able().Authenticate {
		return false, nil
	}
	return r.tryPasswords(ctx, p, account, []string{r.Keyring.LockOutPassword(p.identity(), account.ID)})
}

// opens says whether an account sees any library.
func (p *userPass) opens(account media.Account) bool {
	return account.Access.All || len(account.Access.Libraries) > 0 || p.able().Roles[account.Role].SeesAll
}

// settleDebt gives an account that was taken over while it was shut the manifest's password, before it is opened: its
// former holder may know the one that it has.
func (r *userReconciler) settleDebt(ctx context.Context, p *userPass) *outcome {
	switch {
	case !p.record.OwesPassword:
		return nil
	case p.chosenByHolder(), p.able().PasswordsFixed:
		return r.leaveDebt(ctx, p)
	case p.record.Disabled && p.method() == v1alpha1.DisableLockOut:
		return nil // it is unlocked with that password
	}
	ctx = media.WithReason(ctx, "it was shut out when it was taken over")
	want, o := r.wantedPassword(ctx, p)
	if o != nil {
		return o
	}
	if o := p.mayWrite(); o != nil {
		return o
	}
	if err := r.confirmCurrent(ctx, p.user); err != nil {
		return retry(err)
	}
	if o := r.deliverPassword(ctx, p, want, true); o != nil {
		return o
	}
	p.record.applyAt(want, r.Clock.Now())
	p.record.OwesPassword = false
	if o := r.putRecord(ctx, p); o != nil {
		return o
	}
	r.normal(p.user, "PasswordSet", "SetPassword", "set the password of account %q, which was shut out when it was taken over", p.user.Spec.Username)
	return nil
}

// leaveDebt is for an account that Usher may give no password. It stays shut until a person opens it, who thereby says
// that whoever knows its password may come in.
func (r *userReconciler) leaveDebt(ctx context.Context, p *userPass) *outcome {
	if p.wantDisabled {
		return nil
	}
	shut := p.account.Disabled
	opening := "enable the account on the server"
	if p.record.Disabled && !shut {
		switch p.method() {
		case v1alpha1.DisableLockOut:
			var o *outcome
			if shut, o = r.lockedOut(ctx, p, p.account); o != nil {
				return o
			}
			opening = "give the account another password on the server"
		case v1alpha1.DisableNoAccess:
			shut, opening = !p.opens(p.account), "give the account a library on the server"
		}
	}
	if !shut {
		p.record.Disabled, p.record.Method, p.record.Locked, p.record.OwesPassword = false, "", false, false
		return r.putRecord(ctx, p)
	}
	if p.chosenByHolder() {
		return stalled(v1alpha1.ReasonPasswordUnknown, "account %q was shut out when it was taken over, and whoever had it before may know its password: remove spec.password.chosenByHolder, so that it gets another one before it is opened; or %s yourself, if it is to be opened with the password that it has", p.user.Spec.Username, opening)
	}
	return stalled(v1alpha1.ReasonPasswordUnknown, "account %q was shut out when it was taken over, whoever had it before may know its password, and this server sets no other: delete the account on the server, so that a new one is made; or %s yourself, if it is to be opened with the password that it has", p.user.Spec.Username, opening)
}

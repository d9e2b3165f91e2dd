package controller

import (
	"context"

	"github.com/usher-media/usher/api/v1alpha1"
	"github.com/usher-media/usher/internal/media"
)

// settle gives a new account what it lacks, and records it as ours. That it is ours is recorded also where something of it
// fails: it would have to be proven otherwise, by passwords that may not be to be had then.
func (r *userReconciler) settle(ctx context.Context, p *userPass, account media.Account) *outcome {
	p.account = account
	o := r.complete(ctx, p, account)
	if o == nil || p.record.ID != "" {
		return o
	}
	p.record = p.made(p.record)
	p.record.Generated = p.passwordRef() == nil
	if err := r.writeRecord(ctx, p.user, p.record); err != nil {
		return retry(err)
	}
	return o
}

// made is the record of the new account.
func (p *userPass) made(announced record) record {
	made := p.witnesses(announced, p.account)
	made.ID, made.Origin, made.Disabled, made.Intent = string(p.account.ID), v1alpha1.OriginCreated, p.account.Disabled, nil
	if p.wantDisabled {
		made.Disabled, made.Method = true, p.method()
	}
	return made
}

// complete gives a new account its access and then the password that its holder gets.
func (r *userReconciler) complete(ctx context.Context, p *userPass, account media.Account) *outcome {
	if !account.Access.Equal(p.desired()) {
		exactly := func(media.Account) media.Access { return p.desired() }
		if o := r.setAccess(ctx, p, exactly); o != nil {
			return o
		}
	}
	// One whose creation broke off may be open still: it is shut before its holder has a password.
	if p.wantDisabled && !p.account.Disabled && p.method() == v1alpha1.DisableSwitch {
		if o := r.setSwitch(ctx, p, true); o != nil {
			return o
		}
	}
	announced, made := p.record, p.made(p.record)
	if announced.ID != "" {
		made.Intent = announced.Intent
	}
	// Where a password locks the account out, nobody is to have one that works. One that can only be given at the creation
	// has been given.
	if made.Method != v1alpha1.DisableLockOut && !p.able().PasswordsFixed {
		want, o := r.wantedPassword(ctx, p)
		if o != nil {
			return o
		}
		// One whose creation broke off may have to be changed at the first sign-in, for which nobody asked.
		unasked := p.account.MustChangePassword && !want.mustChange
		if o := r.deliverPassword(ctx, p, want, want.fromSecret || p.untried || unasked); o != nil {
			return o
		}
		made.apply(want)
	}
	if made.same(announced) {
		return nil // it was announced like that
	}
	p.record = made
	p.record.Intent = nil
	if err := r.writeRecord(ctx, p.user, p.record); err != nil {
		return retry(err)
	}
	return nil
}

package controller

import (
	"context"
	"fmt"
	"time"

	"k8s.io/apimachinery/pkg/types"

	"github.com/usher-media/usher/api/v1alpha1"
	"github.com/usher-media/usher/internal/media"
)

// underAnotherKey is for a record whose hash was made with another key of the operator's: it says nothing, and the password
// stays as it is. Where a person has accepted the present key, a generated password is set anew, a few at a time; one that a
// person chose counts as applied.
func (r *userReconciler) underAnotherKey(ctx context.Context, p *userPass) *outcome {
	generated := p.passwordRef() == nil
	switch {
	case !r.keyAccepted(p.server) || p.able().PasswordsFixed || p.account.ID == p.connection.Probe.Self:
		p.keepsPassword(ctx, r, generated)
		return nil
	case !generated, p.chosenSince():
		if o := r.countAsApplied(ctx, p); o != nil {
			return o
		}
		return r.putRecord(ctx, p)
	}
	want, o := r.wantedPassword(ctx, p)
	if o != nil {
		return o
	}
	if wait := r.renewals.wait(p.key, r.Clock.Now()); wait > 0 {
		p.keepsPassword(ctx, r, generated)
		p.after = wait
		return nil
	}
	next := p.record
	next.applyAt(want, r.Clock.Now())
	return r.changePassword(media.WithReason(ctx, "the operator's new key was accepted"), p, want, next)
}

// keepsPassword says in the status that the password was made with another key.
func (p *userPass) keepsPassword(ctx context.Context, r *userReconciler, generated bool) {
	p.status.CredentialsSecret, p.status.CredentialsVersion = "", ""
	if !generated {
		p.note = fmt.Sprintf("a change of the Secret with its password goes unnoticed, since the password was set under another key of Usher's (%s): see the MediaServer", p.record.KeyID)
		return
	}
	p.note = fmt.Sprintf("its password was generated with another key of Usher's (%s), and is not set again: see the MediaServer", p.record.KeyID)
	if told, known := p.account.PasswordSet, p.record.PasswordTold; !told.IsZero() && !known.IsZero() && !told.Equal(known) {
		p.note += fmt.Sprintf("; by the server's word another password was set (%s), as after a restore or by hand: set the annotation %s to have one that is known", told.UTC().Format(time.RFC3339), v1alpha1.AnnotationRotatePassword)
	}
	name := credentialsSecretName(p.user)
	if r.exists(ctx, types.NamespacedName{Namespace: p.user.Namespace, Name: name}) {
		p.status.CredentialsSecret = name
		return
	}
	p.note += fmt.Sprintf("; its Secret is gone and can be made only with that key: set the annotation %s to have another password", v1alpha1.AnnotationRotatePassword)
}

package controller

import (
	"context"
	"errors"
	"fmt"
	"time"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

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
		return r.keepsPassword(ctx, p, generated)
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
		p.after = wait
		o := r.keepsPassword(ctx, p, generated)
		if o != nil && o.reason == v1alpha1.ReasonKeyChanged { // it is made anew by itself
			o = waiting(v1alpha1.ReasonProgressing, "%s; the present key is accepted, and another password is set in a moment", o.message)
			o.after = wait
		}
		return o
	}
	next := p.record
	next.applyAt(want, r.Clock.Now())
	return r.changePassword(media.WithReason(ctx, "the operator's new key was accepted"), p, want, next)
}

// keepsPassword says in the status that the password was made with another key. The outcome is that of a User whose Secret does
// not hold it, and cannot be made again.
func (r *userReconciler) keepsPassword(ctx context.Context, p *userPass, generated bool) *outcome {
	if ref := p.passwordRef(); !generated {
		p.note = fmt.Sprintf("a change of the Secret with its password goes unnoticed, since the password was set under another key of Usher's (%s): see the MediaServer", p.record.KeyID)
		p.status.CredentialsSecret, p.status.CredentialsVersion = "", ""
		_, err := r.readSecretKey(ctx, p.user.Namespace, ref.Name, ref.Key)
		if missing, ok := errors.AsType[missingError](err); ok {
			return waiting(v1alpha1.ReasonSecretNotFound, "%s (spec.password.secretRef)", missing.message)
		}
		if err != nil {
			return retry(err)
		}
		return nil
	}
	p.note = fmt.Sprintf("its password was generated with another key of Usher's (%s), and is not set again: see the MediaServer", p.record.KeyID)
	if told, known := p.account.PasswordSet, p.record.PasswordTold; !told.IsZero() && !known.IsZero() && !told.Equal(known) {
		p.note += fmt.Sprintf("; by the server's word another password was set (%s), as after a restore or by hand: set the annotation %s to have one that is known", told.UTC().Format(time.RFC3339), v1alpha1.AnnotationRotatePassword)
	}
	if p.chosenSince() {
		p.status.CredentialsSecret, p.status.CredentialsVersion = "", ""
		p.tellOutdated(wanted{})
		return nil
	}
	return r.stillKept(ctx, p)
}

// stillKept makes sure that the credentials Secret holds a password that cannot be computed any more: it is there, this User's,
// or nobody's, and as it was seen before; else its password is tried once.
func (r *userReconciler) stillKept(ctx context.Context, p *userPass) *outcome {
	secret := r.credentials(p, wanted{})
	name, key := secret.Name, client.ObjectKeyFromObject(secret)
	seen := versionSeen(r.versionOf(ctx, key), secret)
	if seen != "" && seen == p.status.CredentialsVersion {
		return nil
	}
	tried := p.status.CredentialsVersion
	p.status.CredentialsSecret, p.status.CredentialsVersion = "", ""
	var kept corev1.Secret
	err := r.Live.Get(ctx, key, &kept)
	switch {
	case apierrors.IsNotFound(err):
		return p.lostPassword("Secret " + name + " is gone")
	case err != nil:
		return retry(err)
	case metav1.GetControllerOf(&kept) != nil && !ownedBy(&kept, p.user, "User"):
		return p.lostPassword("Secret " + name + " is not this User's")
	}
	seen = versionSeen(kept.ResourceVersion, secret)
	switch {
	case tried == worthless+seen:
		p.status.CredentialsVersion = tried
		return p.lostPassword("Secret " + name + " does not hold it")
	case p.shutOut(): // it is tried once the account is open
		p.status.CredentialsSecret, p.status.CredentialsVersion = name, tried
		return nil
	}
	if o := p.mayWrite(); o != nil {
		return o
	}
	works, o := r.tryPasswords(ctx, p, p.account, []string{string(kept.Data["password"])})
	switch {
	case o != nil:
		return o
	case !works:
		p.status.CredentialsVersion = worthless + seen
		return p.lostPassword("Secret " + name + " does not hold it")
	}
	p.status.CredentialsSecret, p.status.CredentialsVersion = name, seen
	return nil
}

// worthless marks a version of the credentials Secret whose password was tried and does not work, so that it is tried once.
const worthless = "worthless-"

// lostPassword is for a generated password that nobody can tell any more.
func (p *userPass) lostPassword(why string) *outcome {
	ways := "bring that key back"
	if !p.able().PasswordsFixed && p.account.ID != p.connection.Probe.Self {
		ways += fmt.Sprintf(", or set the annotation %s to have another password", v1alpha1.AnnotationRotatePassword)
	}
	return stalled(v1alpha1.ReasonKeyChanged, "Usher leaves the account as it is, but %s, and its password can be told only with the key that made it (%s): %s", why, p.record.KeyID, ways)
}

package controller

import (
	"context"
	"errors"
	"fmt"
	"time"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
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
	if wait := r.renewals.wait(p.key, p.user.UID, r.Clock.Now()); wait > 0 {
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
	} else if p.record.Outdated != "" {
		p.note += fmt.Sprintf("; it was found not to work: set the annotation %s to have one that does", v1alpha1.AnnotationRotatePassword)
	}
	if p.chosenSince() {
		p.status.CredentialsSecret, p.status.CredentialsVersion = "", ""
		p.tellOutdated(wanted{})
		return nil
	}
	return r.stillKept(ctx, p)
}

// stillKept makes sure that the credentials Secret holds a password that cannot be computed any more: it is there, this User's,
// or nobody's, and as it was seen before; else its password is tried once, a few at a time. What the status said stays until then.
func (r *userReconciler) stillKept(ctx context.Context, p *userPass) *outcome {
	name, before := credentialsSecretName(p.user), secretVersion(p.status.CredentialsVersion)
	key := types.NamespacedName{Namespace: p.user.Namespace, Name: name}
	if version := r.versionOf(ctx, key); version != "" && version == before {
		return nil
	}
	var kept corev1.Secret
	err := r.Live.Get(ctx, key, &kept)
	switch {
	case apierrors.IsNotFound(err):
		return p.lostPassword("", "Secret "+name+" is gone")
	case err != nil:
		return retry(err)
	case metav1.GetControllerOf(&kept) != nil && !ownedBy(&kept, p.user, "User"):
		return p.lostPassword("", "Secret "+name+" is not this User's")
	}
	password := string(kept.Data["password"])
	seen := versionSeen(kept.ResourceVersion, &kept)
	switch {
	case unacceptable(password, p.to().Traits()) != nil: // no generated one is
		return p.lostPassword(worthless+seen, "Secret "+name+" does not hold it")
	case before == worthless+kept.ResourceVersion:
		return p.lostPassword(p.status.CredentialsVersion, p.doesNotHold(name))
	case !p.able().Authenticate:
		p.note += fmt.Sprintf("; whether the password in Secret %s works cannot be tried there", name)
		fallthrough
	case p.disabled(): // it is tried once the account is open
		p.status.CredentialsSecret = name
		return nil
	}
	if o := p.mayWrite(); o != nil {
		return o
	}
	works, o := r.tryOnce(ctx, p, password, fmt.Sprint("kept", kept.UID, kept.ResourceVersion, p.account.PasswordSet))
	switch {
	case p.later(o, p.note), o == nil && works == unknown:
		return r.saysAsBefore(p, name)
	case o != nil:
		return o
	case works == no:
		return p.lostPassword(worthless+seen, p.doesNotHold(name))
	}
	p.status.CredentialsSecret, p.status.CredentialsVersion = name, seen
	return nil
}

// saysAsBefore is for a Secret whose password cannot be tried yet. Of one that nothing was said of, that is said.
func (r *userReconciler) saysAsBefore(p *userPass, name string) *outcome {
	said := meta.FindStatusCondition(*p.user.StatusConditions(), v1alpha1.ConditionStalled)
	switch {
	case said != nil && said.Reason == v1alpha1.ReasonKeyChanged:
		o := stalled(v1alpha1.ReasonKeyChanged, "%s", said.Message)
		o.after = p.after
		return o
	case p.status.CredentialsSecret == "":
		p.note += fmt.Sprintf("; whether the password in Secret %s works is found out for a few accounts at a time", name)
	}
	return nil
}

// doesNotHold says why the password in the credentials Secret does not work, as far as that is known: a server that tells when
// passwords were set tells whether it is the account's that changed.
func (p *userPass) doesNotHold(name string) string {
	told, known := p.account.PasswordSet, p.record.PasswordTold
	switch {
	case told.IsZero() || known.IsZero():
		return "the password in Secret " + name + " does not work: the Secret was changed, or the account has another one since, as when its holder chose one"
	case !told.Equal(known):
		return fmt.Sprintf("the password in Secret %s does not work: by the server's word another one was set (%s)", name, told.UTC().Format(time.RFC3339))
	}
	return "Secret " + name + " does not hold it"
}

// worthless marks a version of the credentials Secret whose password was tried and does not work, so that it is tried once.
const worthless = "worthless-"

// lostPassword is for a generated password that nobody can tell any more. The version is that of the Secret that was tried.
func (p *userPass) lostPassword(version, why string) *outcome {
	p.status.CredentialsSecret, p.status.CredentialsVersion = "", version
	ways := "bring that key back"
	if !p.able().PasswordsFixed && p.account.ID != p.connection.Probe.Self {
		ways += fmt.Sprintf(", or set the annotation %s to have another password", v1alpha1.AnnotationRotatePassword)
	}
	return stalled(v1alpha1.ReasonKeyChanged, "Usher leaves the account as it is, but %s, and its password can be told only with the key that made it (%s): %s", why, p.record.KeyID, ways)
}

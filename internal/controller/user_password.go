package controller

import (
	"context"
	"errors"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"k8s.io/apimachinery/pkg/types"

	"github.com/usher-media/usher/api/v1alpha1"
	"github.com/usher-media/usher/internal/media"
)

// wanted is the password that an account should have.
type wanted struct {
	password string
	hash     string
	// keyID and seed are what the hash was made with.
	keyID, seed string
	mustChange  bool
	// fromSecret: a person wrote it; else it was made here.
	fromSecret bool
	// kept: it is kept in the credentials Secret, for its holder.
	kept bool
}

// userOfCredentials is the name of the User whose generated password a Secret of that name would hold.
func userOfCredentials(secret string) (user string, is bool) {
	return strings.CutSuffix(secret, credentialsSuffix)
}

func (p *userPass) passwordRef() *v1alpha1.SecretKeyReference {
	if p.user.Spec.Password == nil {
		return nil
	}
	return p.user.Spec.Password.SecretRef
}

// chosenByHolder: the person's password is the person's alone.
func (p *userPass) chosenByHolder() bool { return chosenByHolder(p.user) }

func chosenByHolder(user *v1alpha1.User) bool {
	return user.Spec.Password != nil && user.Spec.Password.ChosenByHolder
}

// wantedPassword returns the password that the account should have: that of the Secret, else the generated one of the
// rotation in the record.
func (r *userReconciler) wantedPassword(ctx context.Context, p *userPass) (wanted, *outcome) {
	want := wanted{mustChange: p.user.Spec.Password != nil && p.user.Spec.Password.RequireChange}
	signed := p.record
	uid, made := r.provenance(p.user, signed)
	if made != signedHere {
		r.sign(p.user, &signed)
	}
	want.keyID, want.seed = signed.KeyID, signed.Seed
	ref := p.passwordRef()
	if ref == nil {
		want.password = r.Keyring.Password(uid, p.record.Rotation)
		want.kept = !p.chosenByHolder()
	} else {
		value, err := r.readSecretKey(ctx, p.user.Namespace, ref.Name, ref.Key)
		if missing, ok := errors.AsType[missingError](err); ok {
			return want, waiting(v1alpha1.ReasonSecretNotFound, "%s (spec.password.secretRef)", missing.message)
		}
		if err != nil {
			return want, retry(err)
		}
		want.password, want.fromSecret = string(value), true
	}
	want.hash = r.Keyring.Hash(uid, want.password)
	return want, unacceptable(want.password, p.to().Traits())
}

// firstPassword is what an account is made with: a password that nobody knows until the account is whole. Where none can
// be set later, it is at once the one that the account should have, and the record announces its hash.
func (r *userReconciler) firstPassword(ctx context.Context, p *userPass) (string, *outcome) {
	r.sign(p.user, &p.record)
	if !p.able().PasswordsFixed {
		return r.Keyring.Password(p.user.UID, p.record.Rotation), nil
	}
	want, o := r.wantedPassword(ctx, p)
	p.record.apply(want)
	return want.password, o
}

// unacceptable says what is wrong with a password, without showing it.
func unacceptable(password string, traits media.Traits) *outcome {
	const where = "the password in the Secret (spec.password.secretRef) "
	switch {
	case strings.ContainsFunc(password, unicode.IsControl):
		return stalled(v1alpha1.ReasonPasswordUnacceptable, where+"holds a line break or another control character: store it without (kubectl create secret generic NAME --from-literal=password=...)")
	case utf8.RuneCountInString(password) < traits.MinPasswordCharacters:
		return stalled(v1alpha1.ReasonPasswordUnacceptable, where+"is shorter than the %d characters that the server wants", traits.MinPasswordCharacters)
	case len(password) < traits.MinPassword:
		return stalled(v1alpha1.ReasonPasswordUnacceptable, where+"is shorter than the %d characters that the server wants", traits.MinPassword)
	case traits.MaxPassword > 0 && len(password) > traits.MaxPassword:
		return stalled(v1alpha1.ReasonPasswordUnacceptable, where+"is longer than the %d bytes that the server takes", traits.MaxPassword)
	}
	return nil
}

// apply records that an account has a password. One that is kept nowhere is its holder's to choose, and tells nothing later.
func (r *record) apply(want wanted) {
	if !want.fromSecret && !want.kept {
		return
	}
	r.Password, r.Generated, r.MustChange, r.KeyID, r.Seed = want.hash, !want.fromSecret, want.mustChange, want.keyID, want.seed
}

// applyAt is apply for a password that replaced another one.
func (r *record) applyAt(want wanted, now time.Time) {
	r.apply(want)
	r.PasswordAt, r.PasswordTold, r.Unproven, r.ProvenUID, r.Outdated = now.UTC().Round(0), time.Time{}, false, "", ""
}

// countAsApplied records what the manifest says as what the account has, without setting it: that of an account that is
// taken over, and that of a record which says nothing. A generated password that nobody can tell is its holder's own.
func (r *userReconciler) countAsApplied(ctx context.Context, p *userPass) *outcome {
	p.record.Password, p.record.Generated, p.record.MustChange, p.record.KeyID, p.record.Seed = "", false, false, "", ""
	p.record.PasswordAt, p.record.PasswordTold, p.record.Unproven, p.record.Outdated = time.Time{}, time.Time{}, false, ""
	if p.passwordRef() == nil {
		p.status.CredentialsSecret, p.status.CredentialsVersion = "", ""
		return nil
	}
	want, o := r.wantedPassword(ctx, p)
	if o == nil {
		p.record.apply(want)
	}
	return o
}

// agreePassword applies a password that changed since it was last applied.
func (r *userReconciler) agreePassword(ctx context.Context, p *userPass) *outcome {
	rotation := p.user.Annotations[v1alpha1.AnnotationRotatePassword]
	rotate := rotation != "" && rotation != p.record.Rotation
	if p.record.Disabled && p.method() == v1alpha1.DisableLockOut {
		return r.lockedStill(ctx, p) // a password that works would let its holder in
	}
	if p.record.Assumed {
		if o := r.assumePassword(ctx, p); o != nil {
			return o
		}
	}
	if p.chosenByHolder() || (p.passwordRef() == nil && !rotate && !p.record.Generated) {
		return nil // nobody but its holder knows the password, and it stays
	}
	next := *p
	if rotate {
		next.record.Rotation = rotation
	} else if says, o := r.recordSays(ctx, p); !says {
		return o
	}
	want, o := r.wantedPassword(ctx, &next)
	if o != nil {
		return o
	}
	lost := p.to().PasswordLost(p.account.ID) && !p.able().PasswordsFixed
	if want.hash == p.record.Password && !rotate && !lost {
		if former, o := r.hasFormerPassword(ctx, p, want); o != nil {
			return o
		} else if !former {
			if o := r.setSince(ctx, p, want); o != nil {
				return o
			}
			p.tellOutdated(want)
			return r.keepCredentials(ctx, p, want)
		}
	}
	next.record.applyAt(want, r.Clock.Now())
	return r.changePassword(ctx, p, want, next.record)
}

// passwordChanged is why a password is set that the manifest asks for now.
const passwordChanged = "the password that the manifest asks for has changed"

// passwordReasons say in mode Observe that agreePassword would set a password, as far as that is known without trying one.
func (r *userReconciler) passwordReasons(ctx context.Context, p *userPass) ([]string, *outcome) {
	rotation := p.user.Annotations[v1alpha1.AnnotationRotatePassword]
	rotate := rotation != "" && rotation != p.record.Rotation
	_, made := r.provenance(p.user, p.record)
	switch {
	case p.record.Disabled && p.method() == v1alpha1.DisableLockOut, p.record.Assumed, p.chosenByHolder():
		return nil, nil
	case rotate:
		return []string{passwordChanged}, p.passwordFixed()
	case p.record.Password == "", made != signedHere, p.passwordRef() == nil && !p.record.Generated:
		return nil, nil // nothing tells which one the account has, or it is its holder's
	}
	want, o := r.wantedPassword(ctx, p)
	if o != nil || want.hash == p.record.Password {
		return nil, o
	}
	return []string{passwordChanged}, p.passwordFixed()
}

// passwordFixed says why Usher sets no other password for the account; nil when it may.
func (p *userPass) passwordFixed() *outcome {
	switch {
	case p.account.ID == p.connection.Probe.Self:
		return stalled(v1alpha1.ReasonProtected, "this is the account that Usher itself uses: change its password on the server and in Secret %s", p.server.Spec.Credentials.SecretRef.Name)
	case p.able().PasswordsFixed:
		return stalled(v1alpha1.ReasonUnsupported, "this server keeps the password that an account was made with, unless its holder changes it: put the former one back into the Secret of spec.password.secretRef, or remove what was changed (secretRef, or the annotation %s)", v1alpha1.AnnotationRotatePassword)
	}
	return nil
}

// recordSays says whether the hash on record tells which password was applied. One that does not is replaced where that
// can be done without a doubt, and nothing is set.
func (r *userReconciler) recordSays(ctx context.Context, p *userPass) (bool, *outcome) {
	_, made := r.provenance(p.user, p.record)
	switch {
	case p.record.Password == "" || made == signedHere:
		return true, nil
	case made == signedByAnother:
		return false, r.underAnotherKey(ctx, p)
	case made == unsigned:
		want, o := r.wantedPassword(ctx, p)
		if o != nil {
			return false, o
		}
		if want.hash == p.record.Password { // of an earlier version of Usher
			p.record.apply(want)
			return true, r.putRecord(ctx, p)
		}
	}
	if o := r.countAsApplied(ctx, p); o != nil {
		return false, o
	}
	return false, r.putRecord(ctx, p)
}

// changePassword sets a password that the manifest asks for now.
func (r *userReconciler) changePassword(ctx context.Context, p *userPass, want wanted, next record) *outcome {
	if o := p.passwordFixed(); o != nil {
		return o
	}
	if strong := p.strong(); strong != "" && !r.Policies.BoundNow(ctx) {
		return notAsked("a new password for " + strong)
	}
	if o := p.mayWrite(); o != nil {
		return o
	}
	if o := r.deliverPassword(media.WithReason(ctx, passwordChanged), p, want, true); o != nil {
		return o
	}
	if next.seedUID() != p.user.UID {
		next.ProvenUID = string(p.user.UID)
	}
	p.record = next
	if o := r.putRecord(ctx, p); o != nil {
		return o
	}
	r.normal(p.user, "PasswordSet", "SetPassword", "set the password of account %q", p.user.Spec.Username)
	return nil
}

func (r *userReconciler) putRecord(ctx context.Context, p *userPass) *outcome {
	if err := r.writeRecord(ctx, p.user, p.record); err != nil {
		return retry(err)
	}
	return nil
}

// deliverPassword sets the password on the server where that is still to be done, and then lets its holder have it.
func (r *userReconciler) deliverPassword(ctx context.Context, p *userPass, want wanted, set bool) *outcome {
	if set {
		if o := r.mayKeep(ctx, p, want); o != nil {
			return o
		}
		if err := p.to().SetPassword(ctx, p.accountKey(), media.NewPassword{Password: want.password, MustChange: want.mustChange}); err != nil {
			return r.callFailed(p.site, err)
		}
		p.account.MustChangePassword, p.account.PasswordChosen, p.record.MustChange = want.mustChange, false, want.mustChange
	}
	return r.keepCredentials(ctx, p, want)
}

// exists asks the cache, which holds only the metadata of Secrets.
func (k *Kit) exists(ctx context.Context, key types.NamespacedName) bool {
	return k.versionOf(ctx, key) != ""
}

func publicURL(server *v1alpha1.MediaServer) string {
	if server.Spec.PublicURL != "" {
		return server.Spec.PublicURL
	}
	return server.Spec.URL
}

package controller

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"maps"
	"strings"
	"time"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/usher-media/usher/api/v1alpha1"
)

const credentialsSuffix = "-credentials"

func credentialsSecretName(user *v1alpha1.User) string { return user.Name + credentialsSuffix }

// keepCredentials keeps a generated password in the credentials Secret, and repairs it. It is read only when it has changed
// since it was last seen: the status remembers its version. A Secret of that name that is not this User's is never written.
func (r *userReconciler) keepCredentials(ctx context.Context, p *userPass, want wanted) *outcome {
	if !want.kept {
		p.status.CredentialsSecret, p.status.CredentialsVersion = "", ""
		return nil
	}
	secret := r.credentials(p, want)
	key := client.ObjectKeyFromObject(secret)
	seen := versionSeen(r.versionOf(ctx, key), secret)
	if want.hash == p.keptHash || (seen != "" && seen == p.status.CredentialsVersion && want.hash == p.record.Password) {
		p.status.CredentialsSecret = secret.Name
		return nil
	}
	p.status.CredentialsSecret, p.status.CredentialsVersion = "", ""
	if o := r.putCredentials(ctx, p, secret); o != nil {
		return o
	}
	p.status.CredentialsSecret, p.status.CredentialsVersion = secret.Name, versionSeen(secret.ResourceVersion, secret)
	p.keptHash = want.hash
	return nil
}

// credentials is the Secret as it should be.
func (r *userReconciler) credentials(p *userPass, want wanted) *corev1.Secret {
	var labels map[string]string
	if p.chosenSince() || p.outdated {
		labels = map[string]string{v1alpha1.LabelOutdated: "true"}
	}
	return &corev1.Secret{
		ObjectMeta: metav1.ObjectMeta{
			Namespace: p.user.Namespace, Name: credentialsSecretName(p.user), Labels: labels,
			OwnerReferences: []metav1.OwnerReference{*metav1.NewControllerRef(p.user, v1alpha1.GroupVersion.WithKind("User"))},
		},
		Data: map[string][]byte{"username": []byte(p.user.Spec.Username), "password": []byte(want.password), "url": []byte(publicURL(p.server))},
	}
}

// versionSeen names a version of a Secret that was found to hold what it should. The password is not in it: its hash is in
// the record.
func versionSeen(version string, secret *corev1.Secret) string {
	if version == "" {
		return ""
	}
	sum := sha256.Sum256([]byte(string(secret.Data["username"]) + "\n" + string(secret.Data["url"]) + "\n" + secret.Labels[v1alpha1.LabelOutdated]))
	return version + "-" + hex.EncodeToString(sum[:4])
}

// secretVersion is the version of the Secret in what versionSeen names: one that is the same has the same password, whatever else
// belongs into it now.
func secretVersion(seen string) string {
	if end := strings.LastIndex(seen, "-"); end >= 0 {
		return seen[:end]
	}
	return seen
}

// putCredentials makes the Secret, or makes it what it should be. It then holds what the API server answered.
func (r *userReconciler) putCredentials(ctx context.Context, p *userPass, secret *corev1.Secret) *outcome {
	err := r.Live.Create(ctx, secret)
	if !apierrors.IsAlreadyExists(err) {
		if err != nil {
			return retry(err)
		}
		return nil
	}
	var existing corev1.Secret
	if err := r.Live.Get(ctx, client.ObjectKeyFromObject(secret), &existing); err != nil {
		return retry(err)
	}
	if (!ownedBy(&existing, p.user, "User") && !r.holdsRecorded(p, &existing)) || r.servesAServer(ctx, &existing) {
		return foreignSecret(secret.Name, "User", "the generated password")
	}
	return r.repairSecret(ctx, &existing, secret)
}

// repairSecret makes a Secret of ours what it should be, where it is not. want then is what is there.
func (k *Kit) repairSecret(ctx context.Context, existing, want *corev1.Secret) *outcome {
	same := metav1.GetControllerOf(existing)
	holds := maps.EqualFunc(existing.Data, want.Data, func(a, b []byte) bool { return string(a) == string(b) })
	if !holds || same == nil || same.UID != want.OwnerReferences[0].UID || existing.Labels[v1alpha1.LabelOutdated] != want.Labels[v1alpha1.LabelOutdated] {
		if !holds && existing.Immutable != nil && *existing.Immutable {
			return stalled(v1alpha1.ReasonConflict, "Secret %s does not hold what it should, and is immutable: delete it, and it is made again", existing.Name)
		}
		existing.Data, existing.OwnerReferences = want.Data, want.OwnerReferences
		delete(existing.Labels, v1alpha1.LabelOutdated)
		for name, value := range want.Labels {
			metav1.SetMetaDataLabel(&existing.ObjectMeta, name, value)
		}
		if err := k.Live.Update(ctx, existing); err != nil {
			return retry(err)
		}
	}
	want.ResourceVersion = existing.ResourceVersion
	return nil
}

func foreignSecret(name, kind, what string) *outcome {
	return stalled(v1alpha1.ReasonConflict, "Secret %s exists and is not this %s's: rename or delete it, so that %s can be kept there", name, kind, what)
}

// ownedBy says whether an object controls a Secret, or did before the cluster was restored, which gives new UIDs.
func ownedBy(secret, owner client.Object, kind string) bool {
	ref := metav1.GetControllerOf(secret)
	return ref != nil && ref.Kind == kind && ref.Name == owner.GetName() && ref.APIVersion == v1alpha1.GroupVersion.String()
}

// chosenSince says whether the account's holder has chosen another password than the one that was last set, as far as the
// server tells: by itself, or by not asking for another any more.
func (p *userPass) chosenSince() bool {
	return p.account.PasswordChosen || (p.record.MustChange && p.record.Password != "" && !p.account.MustChangePassword)
}

// tellOutdated says in the status that the password in a Secret does not work any more.
func (p *userPass) tellOutdated(want wanted) {
	secret := credentialsSecretName(p.user)
	if want.fromSecret {
		secret = p.passwordRef().Name
	}
	switch {
	case p.chosenSince():
		p.note = fmt.Sprintf("its holder has chosen another password: the one in Secret %s does not work any more", secret)
	case p.outdated && p.account.PasswordSet.IsZero():
		p.note = fmt.Sprintf("it came back with the cluster, and the password in Secret %s does not work any more: it was changed after the backup, or its holder has chosen another; set the annotation %s anew to have another one", secret, v1alpha1.AnnotationRotatePassword)
	case p.outdated:
		p.note = fmt.Sprintf("another password was set on the server since (%s): the one in Secret %s does not work any more, as after a restore of the cluster; set the annotation %s anew to have another one",
			p.account.PasswordSet.UTC().Format(time.RFC3339), secret, v1alpha1.AnnotationRotatePassword)
	}
}

// holdsRecorded says whether a Secret that nobody controls holds the password on record: a restore may lose who owns it.
func (r *userReconciler) holdsRecorded(p *userPass, secret *corev1.Secret) bool {
	uid, made := r.provenance(p.user, p.record)
	return metav1.GetControllerOf(secret) == nil && made == signedHere && p.record.Password != "" &&
		r.Keyring.Hash(uid, string(secret.Data["password"])) == p.record.Password
}

// mayKeep makes sure, before a password is set that is to be kept, that it can be: what the cache knows of the Secret is
// enough, and one that holds the recorded password is not read for it.
func (r *userReconciler) mayKeep(ctx context.Context, p *userPass, want wanted) *outcome {
	if !want.kept {
		return nil
	}
	secret := &metav1.PartialObjectMetadata{}
	secret.SetGroupVersionKind(corev1.SchemeGroupVersion.WithKind("Secret"))
	key := types.NamespacedName{Namespace: p.user.Namespace, Name: credentialsSecretName(p.user)}
	if r.Cached.Get(ctx, key, secret) != nil || ownedBy(secret, p.user, "User") {
		return nil
	}
	var existing corev1.Secret
	if err := r.Live.Get(ctx, key, &existing); err != nil {
		return nil // gone meanwhile, or it is found out when it is written
	}
	if !ownedBy(&existing, p.user, "User") && !r.holdsRecorded(p, &existing) {
		return foreignSecret(key.Name, "User", "the generated password")
	}
	return nil
}

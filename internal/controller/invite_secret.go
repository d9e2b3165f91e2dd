package controller

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"strings"
	"sync"

	"github.com/skip2/go-qrcode"
	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/usher-media/usher/api/v1alpha1"
)

const inviteSuffix = "-invite"

func inviteSecretName(invite *v1alpha1.Invite) string { return invite.Name + inviteSuffix }

// codeHash is how servers and status name a code without telling it.
func codeHash(code string) string {
	sum := sha256.Sum256([]byte(code))
	return hex.EncodeToString(sum[:])
}

// url is the link that people open.
func (r *inviteReconciler) url(p *invitePass) string {
	if p.isNative {
		return strings.TrimSuffix(publicURL(p.server), "/") + p.to().InvitePath(p.code)
	}
	return strings.TrimSuffix(r.PortalURL, "/") + "/invite/" + p.code
}

// keepSecret keeps code and link in the invite's Secret, and repairs it. One of that name that is not this Invite's is never
// written.
func (r *inviteReconciler) keepSecret(ctx context.Context, p *invitePass) *outcome {
	switch {
	case p.observing() && p.code != "" && !r.exists(ctx, types.NamespacedName{Namespace: p.invite.Namespace, Name: inviteSecretName(p.invite)}):
		p.status.Plan = []string{"keep the link in Secret " + inviteSecretName(p.invite)}
		return observed(p.status.Plan)
	case p.observing():
		return nil
	case p.code == "" && p.formerKey != "":
		return p.lostLink()
	case p.code == "": // a server that chooses codes itself has made none: the invite admits nobody now
		return nil
	}
	p.status.SecretName, p.status.CodeHash = inviteSecretName(p.invite), codeHash(p.code)
	secret := &corev1.Secret{
		ObjectMeta: metav1.ObjectMeta{
			Namespace: p.invite.Namespace, Name: p.status.SecretName,
			OwnerReferences: []metav1.OwnerReference{*metav1.NewControllerRef(p.invite, v1alpha1.GroupVersion.WithKind("Invite"))},
		},
		Data: map[string][]byte{"code": []byte(p.code), "url": []byte(r.url(p))},
	}
	link := string(secret.Data["url"])
	if r.secrets.unchanged(p.invite.UID, r.versionOf(ctx, client.ObjectKeyFromObject(secret)), link) {
		return nil
	}
	if err := drawQR(secret.Data); err != nil {
		return retry(err)
	}
	var existing corev1.Secret
	err := r.Live.Get(ctx, client.ObjectKeyFromObject(secret), &existing)
	if apierrors.IsNotFound(err) {
		if err := r.Live.Create(ctx, secret); err != nil {
			return retry(err)
		}
		return nil
	}
	if err != nil {
		return retry(err)
	}
	if !ownedBy(&existing, p.invite, "Invite") && !p.holdsCode(&existing) {
		return foreignSecret(secret.Name, "Invite", "the link")
	}
	if o := r.repairSecret(ctx, &existing, secret); o != nil {
		return o
	}
	r.secrets.seen(p.invite.UID, secret.ResourceVersion, link)
	return nil
}

// holdsCode says whether a Secret that nobody controls holds this Invite's code, or the one that it had before the cluster was
// restored: a restore may lose who owns it.
func (p *invitePass) holdsCode(secret *corev1.Secret) bool {
	hash := codeHash(string(secret.Data["code"]))
	return metav1.GetControllerOf(secret) == nil && (hash == p.codeHash || hash == p.formerHash)
}

// seenSecrets remembers which version of an Invite's Secret was found to hold the link, so that an Invite that is looked
// at every few seconds does not read its Secret as often. The link holds the code.
type seenSecrets struct {
	mu    sync.Mutex
	byUID map[types.UID][2]string
}

func (s *seenSecrets) unchanged(invite types.UID, version, url string) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return version != "" && s.byUID[invite] == [2]string{version, url}
}

func (s *seenSecrets) seen(invite types.UID, version, url string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.byUID == nil {
		s.byUID = map[types.UID][2]string{}
	}
	s.byUID[invite] = [2]string{version, url}
}

func (s *seenSecrets) forget(invite types.UID) {
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.byUID, invite)
}

// versionOf is the version of a Secret in the cache, which holds only the metadata; empty when there is none.
func (k *Kit) versionOf(ctx context.Context, key types.NamespacedName) string {
	secret := &metav1.PartialObjectMetadata{}
	secret.SetGroupVersionKind(corev1.SchemeGroupVersion.WithKind("Secret"))
	if k.Cached.Get(ctx, key, secret) != nil {
		return ""
	}
	return secret.ResourceVersion
}

// drawQR adds the link as a picture and as text for a terminal.
func drawQR(data map[string][]byte) error {
	qr, err := qrcode.New(string(data["url"]), qrcode.Medium)
	if err != nil {
		return err
	}
	if data["qr.png"], err = qr.PNG(512); err != nil {
		return err
	}
	data["qr.txt"] = []byte(qr.ToSmallString(false))
	return nil
}

// servesAServer says whether a MediaServer reads a Secret: whoever wrote that took it over, and nobody else writes or deletes
// it.
func (k *Kit) servesAServer(ctx context.Context, secret client.Object) bool {
	return len(k.mediaServersOfSecret(ctx, secret)) > 0
}

// deleteSecret deletes a Secret that an object of ours, of that kind, controls.
func (k *Kit) deleteSecret(ctx context.Context, owner client.Object, kind, name string) error {
	key := types.NamespacedName{Namespace: owner.GetNamespace(), Name: name}
	if !k.exists(ctx, key) {
		return nil
	}
	var secret corev1.Secret
	if err := k.Live.Get(ctx, key, &secret); err != nil {
		return client.IgnoreNotFound(err)
	}
	if !ownedBy(&secret, owner, kind) || k.servesAServer(ctx, &secret) {
		return nil
	}
	return client.IgnoreNotFound(k.Live.Delete(ctx, &secret, client.Preconditions{UID: &secret.UID}))
}

package controller

import (
	"context"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/usher-media/usher/api/v1alpha1"
)

// chooseCode finds out which code the link has: one derived from the operator's key. A link that was made with another key
// stays, and its Secret tells its code, until a person accepts the present key.
func (r *inviteReconciler) chooseCode(ctx context.Context, p *invitePass) *outcome {
	p.code = r.Keyring.InviteCode(p.invite.UID)
	p.codeHash = codeHash(p.code)
	recorded := readRecord(p.invite, p.identity())
	p.formerHash = recorded.CodeHash
	if recorded.CodeHash == "" || recorded.KeyID == r.Keyring.ID() || recorded.seedUID() != p.invite.UID {
		return nil
	}
	if r.keyAccepted(p.server) && p.mayWrite() == nil && !p.observing() && r.renewals.wait(p.key, p.invite.UID, r.Clock.Now()) == 0 {
		return nil
	}
	p.formerKey, p.code, p.codeHash = recorded.KeyID, "", recorded.CodeHash
	var secret corev1.Secret
	err := r.Live.Get(ctx, types.NamespacedName{Namespace: p.invite.Namespace, Name: inviteSecretName(p.invite)}, &secret)
	if client.IgnoreNotFound(err) != nil {
		return retry(err)
	}
	if code := string(secret.Data["code"]); codeHash(code) == p.codeHash {
		p.code = code
	}
	return nil
}

// signCode records which key made the code, once no other link of this Invite is left on the server.
func (r *inviteReconciler) signCode(p *invitePass) {
	if p.formerKey == "" {
		r.sign(p.invite, &p.record)
		p.record.CodeHash = p.codeHash
	}
}

// whereTheLinkIs is what the status of an Invite says whose link is as it should be.
func (p *invitePass) whereTheLinkIs() outcome {
	if p.code == "" {
		return done(v1alpha1.ReasonSynced, "nobody can come now, and the server has no link of this Invite")
	}
	o := done(v1alpha1.ReasonSynced, "the link is in Secret "+inviteSecretName(p.invite))
	if p.formerKey != "" {
		o.message += ", and was made with another key of Usher's (" + p.formerKey + "): see the MediaServer"
	}
	return o
}

// lostLink is for a link whose code was made with another key, and whose Secret does not hold it: it works on for who has it.
func (p *invitePass) lostLink() *outcome {
	p.status.SecretName, p.status.CodeHash = "", p.codeHash
	return stalled(v1alpha1.ReasonKeyChanged, "the link works for who has it, but Secret %s does not hold it, and can be made again only with the key that made it (%s): bring that key back, or set the annotation %s on the MediaServer to get another link",
		inviteSecretName(p.invite), p.formerKey, v1alpha1.AnnotationAcceptedKey)
}

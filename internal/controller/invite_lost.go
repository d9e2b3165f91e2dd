package controller

import (
	"context"
	"time"

	"github.com/usher-media/usher/api/v1alpha1"
)

// unknownKey stands for the id of a key of which nothing is known but that it is not the present one.
const unknownKey = "unknown"

// recall makes a record again that was lost, as when the whole object is replaced by its manifest, of what the status
// remembers: which link is this Invite's, and how many came.
func (r *inviteReconciler) recall(ctx context.Context, p *invitePass) *outcome {
	if !p.lostRecord() || p.observing() {
		return nil
	}
	if err := r.writeRecord(ctx, p.invite, r.remembered(p)); err != nil {
		return retry(err)
	}
	r.warn(p.invite, "RecordLost", "Recall", "the annotation %s was removed: it is written again, since the status remembers the link and who came", v1alpha1.AnnotationOwned)
	return nil
}

// lostRecord says whether the annotation is gone, or cannot be read, though there was one. A record of another server is none
// that was lost.
func (p *invitePass) lostRecord() bool {
	s := p.invite.Status
	return p.isNative && parseRecord(p.invite).Server == "" && (s.CodeHash != "" || s.ExternalID != "" || (s.Uses != nil && s.Uses.Total > 0))
}

// linkRecord is the record of an Invite, or what the status remembers of one that was lost.
func (r *inviteReconciler) linkRecord(p *invitePass) record {
	if p.lostRecord() {
		return r.remembered(p)
	}
	return readRecord(p.invite, p.identity())
}

// remembered is what the status of an Invite remembers of its record. All who came count as known to nobody but Usher, until
// the server's list is compared.
func (r *inviteReconciler) remembered(p *invitePass) record {
	s := p.invite.Status
	lost := record{Server: p.identity(), UIDs: p.uids}
	switch {
	case p.able().WeakInvites: // the server chose the code
		lost.ID = s.ExternalID
	case s.CodeHash == codeHash(r.Keyring.InviteCode(p.invite.UID)):
		lost.CodeHash = s.CodeHash
		r.sign(p.invite, &lost)
	case s.CodeHash != "":
		lost.CodeHash, lost.KeyID, lost.Seed = s.CodeHash, unknownKey, string(p.invite.UID)
	}
	if s.Uses != nil {
		lost.Earlier = int(s.Uses.Total)
		if len(s.Uses.Items) > 0 {
			at, _ := s.Uses.Items[0].At.Parse()
			lost.LastUse = at.Add(time.Second - 1) // the status holds seconds
		}
	}
	return lost
}

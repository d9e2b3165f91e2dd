package controller_test

import (
	"net/http"
	"testing"

	corev1 "k8s.io/api/core/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/usher-media/usher/api/v1alpha1"
)

// replaceInvite sends an Invite's manifest again as `kubectl replace` does.
func (w *inviteWorld) replaceInvite(name string) {
	w.t.Helper()
	replace(w.world, &v1alpha1.Invite{ObjectMeta: w.meta(name)}, func(now *v1alpha1.Invite) {
		manifest := w.meta(name)
		manifest.ResourceVersion, manifest.UID = now.ResourceVersion, now.UID
		now.ObjectMeta, now.Status = manifest, v1alpha1.InviteStatus{}
	})
}

// loseAll loses the record of an Invite, with or without the operator's key and the Secret that holds the link.
var loseAll = map[string]struct{ key, secret bool }{
	"the record": {}, "the record and the key": {key: true}, "the record, the key and the Secret": {key: true, secret: true},
}

// TestALostInviteRecordAdmitsNobodyMore: what the status remembers is a witness. The link stays, who came counts, and nobody who
// came meanwhile is lost.
func TestALostInviteRecordAdmitsNobodyMore(t *testing.T) {
	t.Parallel()
	for name, lose := range loseAll {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newInviteWorld(t)
			w.invite("guests", func(s *v1alpha1.InviteSpec) { s.MaxUses = new(int32(3)) })
			code := w.code("guests")
			w.mustRegister("joe", code)
			w.came("joe")
			w.state("guests", v1alpha1.InvitePending, 1)
			w.stop()
			w.mustRegister("kim", code)
			w.replaceInvite("guests")
			if lose.key {
				w.loseKey()
			}
			if lose.secret {
				w.delete(&corev1.Secret{ObjectMeta: w.meta("guests-invite")})
			}
			w.openEmbedded()
			w.came("kim")
			w.state("guests", v1alpha1.InvitePending, 2)
			w.eventually("an event says that the record was lost", func() bool { return w.warnings("guests", "RecordLost") > 0 })
			w.mustRegister("lou", code)
			w.state("guests", v1alpha1.InviteExhausted, 3)
			if status, _ := w.register("max", code); status != http.StatusGone {
				t.Errorf("a fourth: %d", status)
			}
			if !lose.key {
				return
			}
			edit(w.world, &v1alpha1.Invite{ObjectMeta: w.meta("guests")}, func(i *v1alpha1.Invite) { i.Spec.MaxUses = new(int32(4)) })
			w.acceptKey(w.presentKey())
			w.eventually("there is a new link", func() bool {
				var secret corev1.Secret
				return w.client.Get(t.Context(), w.key("guests-invite"), &secret) == nil && string(secret.Data["code"]) != code
			})
			w.mustRegister("max", w.code("guests"))
			w.state("guests", v1alpha1.InviteExhausted, 4)
			if status, _ := w.register("ned", w.code("guests")); status != http.StatusGone {
				t.Errorf("a fifth: %d", status)
			}
		})
	}
}

// TestTheGuestsOfAFormerLinkAreKept: an Invite is made again under its name, and an older database brings the link of the first
// one back. Who comes by it before it is killed is recorded; who came before, and is known, does not count again.
func TestTheGuestsOfAFormerLinkAreKept(t *testing.T) {
	t.Parallel()
	for name, deleted := range map[string]bool{"the Invite stands": false, "and is deleted": true} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			root := t.TempDir()
			server := newRestorable(t, root)
			w := newInviteWorldOf(t, root, server.url)
			labelled := func(s *v1alpha1.InviteSpec) {
				s.Account = &v1alpha1.InvitedAccount{Labels: map[string]v1alpha1.LabelValue{"group": "guests"}}
			}
			w.invite("party", labelled)
			former := w.code("party")
			w.mustRegister("cat", former)
			w.came("cat")
			older := server.backup()
			w.dropInvite("party")
			w.invite("party", labelled)
			w.stop()
			server.putBack(older)
			w.mustRegister("eve", former)
			if deleted {
				w.delete(&v1alpha1.Invite{ObjectMeta: w.meta("party")})
			}
			w.openEmbedded()
			if eve := w.came("eve"); eve.Labels["group"] != "" {
				t.Errorf("she has labels that her link did not give: %v", eve.Labels)
			}
			w.eventually("the former link is dead", func() bool {
				status, _ := w.register("fay", former)
				return status == http.StatusNotFound
			})
			if !deleted {
				w.state("party", v1alpha1.InvitePending, 1)
				w.mustRegister("gil", w.code("party"))
				w.state("party", v1alpha1.InvitePending, 2) // eve counts once
				w.came("gil")
			}
			var redemptions v1alpha1.RedemptionList
			want := []string{"cat", "eve"}
			if !deleted {
				want = append(want, "gil")
			}
			if err := w.client.List(t.Context(), &redemptions, client.InNamespace(w.namespace)); err != nil || len(redemptions.Items) != len(want) {
				t.Errorf("%d Redemptions, want those of %v: %v", len(redemptions.Items), want, err)
			}
		})
	}
}

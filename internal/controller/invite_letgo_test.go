package controller_test

import (
	"strings"
	"testing"
	"time"

	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/usher-media/usher/api/v1alpha1"
)

// TestAnInviteThatIsLetGoIsNotPending: Pending means that it can be used. Its MediaServer is gone, with its link closed or left;
// when that is made again, it is Pending again.
func TestAnInviteThatIsLetGoIsNotPending(t *testing.T) {
	t.Parallel()
	for name, down := range map[string]bool{"its link is closed": false, "its server is down": true} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			root := t.TempDir()
			server := newRestorable(t, root)
			w := newInviteWorldOf(t, root, server.url)
			w.invite("cousins", nil)
			if down {
				w.stop()
				w.releaseAfter = time.Second
				w.openEmbedded()
				server.halt()
			}
			w.remakeServer(func() {
				w.state("cousins", v1alpha1.InviteWaiting, 0)
				w.stop()
				w.openEmbedded()
				w.state("cousins", v1alpha1.InviteWaiting, 0)
				if down {
					server.start()
				}
			})
			w.state("cousins", v1alpha1.InvitePending, 0)
			if state := w.linkState(w.code("cousins")); state != "pending" {
				t.Errorf("the link is %s", state)
			}
		})
	}
}

// TestRestoredRedemptionsHaveTheirPhaseAgain: a restore of the cluster that knows no status leaves none empty, whether their Invite
// stands or is gone.
func TestRestoredRedemptionsHaveTheirPhaseAgain(t *testing.T) {
	t.Parallel()
	for invite, gone := range map[string]bool{"stands": false, "gone": true} {
		t.Run(invite, func(t *testing.T) {
			t.Parallel()
			w := newInviteWorld(t)
			w.invite("cousins", nil)
			for _, person := range []string{"cat", "dan"} {
				w.mustRegister(person, w.code("cousins"))
				w.came(person)
			}
			w.eventually("both are complete", func() bool { return len(w.completed()) == 2 })
			before := w.completed()
			if gone {
				w.dropInvite("cousins")
			}
			w.stop()
			var backup v1alpha1.RedemptionList
			if err := w.client.List(t.Context(), &backup, client.InNamespace(w.namespace)); err != nil {
				t.Fatal(err)
			}
			for i := range backup.Items {
				w.delete(backup.Items[i].DeepCopy())
				again := &v1alpha1.Redemption{ObjectMeta: w.meta(backup.Items[i].Name), Spec: backup.Items[i].Spec}
				again.Labels = backup.Items[i].Labels
				w.create(again)
			}
			if n := len(w.completed()); n != 0 {
				t.Fatalf("%d came back with their status", n)
			}
			w.openEmbedded()
			w.eventually("both are complete again, with their accounts", func() bool {
				now := w.completed()
				return len(now) == 2 && now["cat"] == before["cat"] && now["dan"] == before["dan"]
			})
			if !gone {
				w.state("cousins", v1alpha1.InvitePending, 2)
			}
		})
	}
}

// completed are the accounts of the Redemptions that are complete, by their names.
func (w *inviteWorld) completed() map[string]string {
	w.t.Helper()
	var all v1alpha1.RedemptionList
	if err := w.client.List(w.t.Context(), &all, client.InNamespace(w.namespace)); err != nil {
		w.t.Fatal(err)
	}
	of := map[string]string{}
	for _, one := range all.Items {
		if one.Status.Phase == v1alpha1.RedemptionCompleted {
			of[one.Spec.Accounts[0].Username] = one.AccountID(serverName)
		}
	}
	return of
}

// TestModeObserveNamesTheLinksThatStayOpen, when an Invite is deleted, or the MediaServer; and no others.
func TestModeObserveNamesTheLinksThatStayOpen(t *testing.T) {
	t.Parallel()
	w := newInviteWorld(t)
	w.invite("cousins", nil)
	w.invite("friends", nil)
	edit(w.world, w.mediaServer(), func(s *v1alpha1.MediaServer) { s.Spec.Mode = v1alpha1.ModeObserve })
	w.ready(&v1alpha1.MediaServer{}, serverName)
	w.create(&v1alpha1.Invite{ObjectMeta: w.meta("neighbours"), Spec: v1alpha1.InviteSpec{Offers: offering(serverName)}})
	w.ready(&v1alpha1.Invite{}, "neighbours")

	friends := w.code("friends")
	w.dropInvite("friends")
	w.dropInvite("neighbours")
	w.eventually("an event names the link of the deleted Invite", func() bool { return w.warnings("friends", "LeftBehind") > 0 })
	if notes := strings.Join(w.eventsOf("friends"), "\n"); !strings.Contains(notes, "link of Invite friends stays") {
		t.Errorf("the event says %s", notes)
	}
	if n := w.warnings("neighbours", "LeftBehind"); n != 0 {
		t.Errorf("%d events name a link that never was", n)
	}
	if state := w.linkState(friends); state != "pending" {
		t.Errorf("the link is %s", state)
	}

	w.create(&v1alpha1.Invite{ObjectMeta: w.meta("neighbours"), Spec: v1alpha1.InviteSpec{Offers: offering(serverName)}})
	w.ready(&v1alpha1.Invite{}, "neighbours")
	w.remakeServer(func() {
		w.eventually("an event names the link of the Invite that stays", func() bool {
			notes := strings.Join(w.eventsOf(serverName), "\n")
			return strings.Contains(notes, "may still admit people: revoke them there: cousins") && !strings.Contains(notes, "neighbours")
		})
	})
}

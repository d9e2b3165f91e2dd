package controller_test

import (
	"maps"
	"net/http"
	"strings"
	"testing"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/usher-media/usher/api/v1alpha1"
	"github.com/usher-media/usher/internal/media/memory"
	"github.com/usher-media/usher/internal/testenv"
)

// TestSeveralOffersAreNotServedYet: the Invite says so, touches no server, and goes away at once.
func TestSeveralOffersAreNotServedYet(t *testing.T) {
	t.Parallel()
	w := newWorld(t, memory.Options{})
	invite := &v1alpha1.Invite{ObjectMeta: w.meta("both"), Spec: v1alpha1.InviteSpec{Offers: append(offering(serverName), offering("cabin")...)}}
	w.create(invite)
	stalled := w.condition(&v1alpha1.Invite{}, "both", v1alpha1.ConditionStalled, metav1.ConditionTrue, v1alpha1.ReasonUnsupported)
	for _, part := range []string{"2 servers (home, cabin)", "one for each server"} {
		if !strings.Contains(stalled.Message, part) {
			t.Errorf("the message does not say %q: %s", part, stalled.Message)
		}
	}
	both := get(w, &v1alpha1.Invite{}, "both")
	if both.Status.State != v1alpha1.InviteWaiting || both.Status.SecretName != "" || len(both.Finalizers) > 0 || both.Status.Delivery != "" {
		t.Errorf("state %s, Secret %q, finalizers %v, delivery %q", both.Status.State, both.Status.SecretName, both.Finalizers, both.Status.Delivery)
	}
	w.delete(both)
	w.gone(both)
}

// asBefore stores an Invite, or a Redemption, as it was written before there were offers and accounts.
func (w *inviteWorld) asBefore(object client.Object, list string) {
	w.t.Helper()
	testenv.Get(w.t).Rewrite(w.t, object, func(stored map[string]any) {
		spec := stored["spec"].(map[string]any)
		first := spec[list].([]any)[0].(map[string]any)
		delete(spec, list)
		maps.Copy(spec, first)
		if server, named := first["server"].(string); named {
			delete(spec, "server")
			spec["serverRef"] = map[string]any{"name": server}
		}
	})
}

// TestAnInviteOfBeforeThereWereOffersAdmitsNobody: what it gave is given no more, its link is closed, others go on, and it can be
// written anew, with its link and who came, or deleted.
func TestAnInviteOfBeforeThereWereOffersAdmitsNobody(t *testing.T) {
	t.Parallel()
	w := newInviteWorld(t)
	w.invite("cousins", nil)
	w.invite("uncles", nil)
	cousins, uncles := w.code("cousins"), w.code("uncles")
	w.mustRegister("joe", cousins)
	if has := got(w.came("joe")); !strings.Contains(has, "[movies]") {
		t.Fatalf("joe has %s", has)
	}
	w.stop()
	for _, name := range []string{"cousins", "uncles"} {
		w.asBefore(get(w.world, &v1alpha1.Invite{}, name), "offers")
	}
	var redemptions v1alpha1.RedemptionList
	if err := w.client.List(t.Context(), &redemptions, client.InNamespace(w.namespace)); err != nil || len(redemptions.Items) != 1 {
		t.Fatal(err, len(redemptions.Items))
	}
	w.asBefore(&redemptions.Items[0], "accounts")
	w.openEmbedded()

	for name, code := range map[string]string{"cousins": cousins, "uncles": uncles} {
		stalled := w.condition(&v1alpha1.Invite{}, name, v1alpha1.ConditionStalled, metav1.ConditionTrue, v1alpha1.ReasonInvalidSpec)
		if !strings.Contains(stalled.Message, "spec.offers is missing") {
			t.Errorf("the message says something else: %s", stalled.Message)
		}
		if status, _ := w.register("eve", code); status == http.StatusCreated {
			t.Errorf("somebody comes by %s", name)
		}
	}
	w.eventually("joe sees nothing by it any more", func() bool { return total(w.came("joe")) == 0 })
	w.invite("friends", nil)
	w.mustRegister("kim", w.code("friends"))
	w.came("kim")

	edit(w.world, &v1alpha1.Invite{ObjectMeta: w.meta("cousins")}, func(i *v1alpha1.Invite) {
		libraries := targets("kids")
		i.Spec.Offers, i.Spec.MaxUses = offering(serverName), new(int32(2))
		i.Spec.Offers[0].Libraries, i.Spec.Offers[0].Role = &libraries, v1alpha1.AccountRoleGuest
	})
	w.state("cousins", v1alpha1.InvitePending, 1)
	if w.code("cousins") != cousins {
		t.Error("it has another link")
	}
	w.mustRegister("leo", cousins)
	if has := got(w.came("leo")); !strings.HasPrefix(has, "Guest  [kids]") {
		t.Errorf("leo has %s", has)
	}
	w.state("cousins", v1alpha1.InviteExhausted, 2)

	w.dropInvite("uncles")
	if state := w.linkState(uncles); state != "" {
		t.Errorf("the link of a deleted Invite is %s", state)
	}
}

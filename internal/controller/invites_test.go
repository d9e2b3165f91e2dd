package controller_test

import (
	"bytes"
	"fmt"
	"image/png"
	"maps"
	"net/http"
	"strings"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/usher-media/usher/api/v1alpha1"
	"github.com/usher-media/usher/internal/media/embedded"
	"github.com/usher-media/usher/internal/media/memory"
)

func TestPeopleWhoCameBecomeUsers(t *testing.T) {
	t.Parallel()
	w := newInviteWorld(t)
	w.invite("cousins", func(s *v1alpha1.InviteSpec) {
		s.MaxUses = new(int32(2))
		s.Account = &v1alpha1.InvitedAccount{Labels: map[string]v1alpha1.LabelValue{"group": "cousins"}, ExpiresAfter: new(v1alpha1.NewDuration(720 * time.Hour))}
	})
	w.create(w.grant("more", "kids", "group=cousins"))
	code := w.code("cousins")
	for _, name := range []string{"Joe", "kim"} {
		if status, text := w.register(name, code); status != http.StatusCreated {
			t.Fatalf("%s: %d %s", name, status, text)
		}
	}
	began := time.Now()
	if status, text := w.register("late", code); status != http.StatusGone || strings.Contains(text, code) {
		t.Errorf("a third: %d %s", status, text)
	}
	w.state("cousins", v1alpha1.InviteExhausted, 2)
	var users v1alpha1.UserList
	w.eventually("both are Users with all that they are to have", func() bool {
		_ = w.client.List(t.Context(), &users, client.InNamespace(w.namespace), client.MatchingLabels{"group": "cousins", v1alpha1.LabelInvite: "cousins"})
		return len(users.Items) == 2 && total(users.Items[0]) == 2 && total(users.Items[1]) == 2
	})
	took := time.Since(began)
	t.Logf("Users with their access %s after the sign-up", took.Round(time.Millisecond))
	if took > 10*time.Second {
		t.Errorf("took %s, want ten seconds at most", took)
	}
	for _, user := range users.Items {
		if user.Spec.ExpiresAt == nil || len(user.OwnerReferences) > 0 || user.Spec.Password == nil || !user.Spec.Password.ChosenByHolder {
			t.Errorf("%s: spec %+v, owners %v", user.Name, user.Spec, user.OwnerReferences)
		}
	}
	edit(w.world, &v1alpha1.Invite{ObjectMeta: w.meta("cousins")}, func(i *v1alpha1.Invite) { i.Spec.MaxUses = new(int32(3)) })
	w.state("cousins", v1alpha1.InvitePending, 2)
	w.eventually("a third may come", func() bool { status, _ := w.register("third", code); return status == http.StatusCreated })
	w.state("cousins", v1alpha1.InviteExhausted, 3)
}

func total(user v1alpha1.User) int32 {
	if user.Status.Access == nil {
		return 0
	}
	return user.Status.Access.Total
}

func TestFiftyPeopleAndTenPlaces(t *testing.T) {
	t.Parallel()
	w := newInviteWorld(t)
	w.invite("party", func(s *v1alpha1.InviteSpec) { s.MaxUses = new(int32(10)) })
	code := w.code("party")
	statuses := make(chan int, 50)
	for i := range cap(statuses) {
		go func() { status, _ := w.register(fmt.Sprintf("person%02d", i), code); statuses <- status }()
	}
	counts := map[int]int{}
	for range cap(statuses) {
		counts[<-statuses]++
	}
	if want := map[int]int{http.StatusCreated: 10, http.StatusGone: 40}; !maps.Equal(counts, want) {
		t.Errorf("answers %v, want %v", counts, want)
	}
	w.state("party", v1alpha1.InviteExhausted, 10)
	var redemptions v1alpha1.RedemptionList
	w.eventually("ten Redemptions are complete", func() bool {
		_ = w.client.List(t.Context(), &redemptions, client.InNamespace(w.namespace))
		complete := 0
		for _, r := range redemptions.Items {
			if r.Status.Phase == v1alpha1.RedemptionCompleted {
				complete++
			}
		}
		return complete == 10 && len(redemptions.Items) == 10
	})
	t.Logf("50 sign-ups for 10 places: answers %v, %d Redemptions", counts, len(redemptions.Items))
}

func TestRevokeExpireAndReturn(t *testing.T) {
	t.Parallel()
	w := newInviteWorld(t)
	w.invite("guests", nil)
	invite := func() *v1alpha1.Invite { return &v1alpha1.Invite{ObjectMeta: w.meta("guests")} }
	code := w.code("guests")
	edit(w.world, invite(), func(i *v1alpha1.Invite) { i.Spec.Revoked = true })
	w.state("guests", v1alpha1.InviteRevoked, 0)
	w.eventually("the link is dead", func() bool { status, _ := w.register("joe", code); return status == http.StatusGone })
	edit(w.world, invite(), func(i *v1alpha1.Invite) { i.Spec.Revoked = false })
	w.state("guests", v1alpha1.InvitePending, 0)

	expires := time.Now().Add(3 * time.Second).Truncate(time.Second)
	edit(w.world, invite(), func(i *v1alpha1.Invite) { i.Spec.ExpiresAt = new(v1alpha1.NewTime(expires)) })
	w.state("guests", v1alpha1.InviteExpired, 0)
	late := time.Since(expires)
	t.Logf("expired %s after its time", late.Round(time.Millisecond))
	if late < 0 || late > time.Second {
		t.Errorf("expired %s after its time, want within the second", late)
	}
	if status, _ := w.register("joe", code); status != http.StatusGone {
		t.Errorf("an expired link answers %d", status)
	}
	later := v1alpha1.NewTime(time.Now().Add(time.Hour).Truncate(time.Second))
	edit(w.world, invite(), func(i *v1alpha1.Invite) { i.Spec.ExpiresAt = &later })
	w.state("guests", v1alpha1.InvitePending, 0)
	w.eventually("the link works again", func() bool { status, _ := w.register("joe", code); return status == http.StatusCreated })
}

func TestRecreatedInviteHasANewCodeAndTheOldLinkIsDead(t *testing.T) {
	t.Parallel()
	w := newInviteWorld(t)
	first := w.invite("guests", nil)
	old := w.code("guests")
	if status, _ := w.register("joe", old); status != http.StatusCreated {
		t.Fatal(status)
	}
	w.state("guests", v1alpha1.InvitePending, 1)
	w.eventually("joe is a User", func() bool { return w.users(v1alpha1.LabelInvite, "guests") == 1 })

	w.delete(first)
	w.gone(first)
	if status, _ := w.register("kim", old); status != http.StatusNotFound {
		t.Errorf("the deleted invite's link answers %d", status)
	}
	w.invite("guests", nil)
	if w.code("guests") == old {
		t.Error("made anew under its name, it has the old code")
	}
	w.state("guests", v1alpha1.InvitePending, 0)
	if w.users(v1alpha1.LabelInvite, "guests") != 1 {
		t.Error("deleting the invite did something to who had come")
	}
}

// TestRestoredFromAManifestAlone: the cluster is lost while the server's invite lives on.
func TestRestoredFromAManifestAlone(t *testing.T) {
	t.Parallel()
	w := newInviteWorld(t)
	first := w.invite("guests", func(s *v1alpha1.InviteSpec) { s.MaxUses = new(int32(1)) })
	old := w.code("guests")
	w.stop()
	edit(w.world, first, func(i *v1alpha1.Invite) { i.Finalizers = nil })
	w.delete(first, &corev1.Secret{ObjectMeta: w.meta("guests-invite")})

	w.openAs(embedded.Open)
	w.invite("guests", func(s *v1alpha1.InviteSpec) { s.MaxUses = new(int32(1)) })
	if status, _ := w.register("joe", old); status != http.StatusNotFound {
		t.Errorf("the old link answers %d after the restore", status)
	}
	if status, _ := w.register("joe", w.code("guests")); status != http.StatusCreated {
		t.Errorf("the new link answers %d", status)
	}
	w.eventually("an event says whose link was removed", func() bool { return w.warned("guests", "removed the link of an earlier Invite of this name") })
}

// TestADeletedRedemptionStaysDeleted: what a person took back does not return by itself.
func TestADeletedRedemptionStaysDeleted(t *testing.T) {
	t.Parallel()
	w := newInviteWorld(t)
	w.invite("guests", nil)
	if status, _ := w.register("joe", w.code("guests")); status != http.StatusCreated {
		t.Fatal(status)
	}
	var redemptions v1alpha1.RedemptionList
	list := func() []v1alpha1.Redemption {
		_ = w.client.List(t.Context(), &redemptions, client.InNamespace(w.namespace))
		return redemptions.Items
	}
	var users v1alpha1.UserList
	w.eventually("joe sees movies", func() bool {
		_ = w.client.List(t.Context(), &users, client.InNamespace(w.namespace))
		return len(users.Items) == 1 && total(users.Items[0]) == 1
	})
	w.eventually("his use is complete", func() bool { return len(list()) == 1 && list()[0].Status.Phase == v1alpha1.RedemptionCompleted })
	w.delete(&redemptions.Items[0])
	w.eventually("joe sees nothing", func() bool {
		_ = w.client.List(t.Context(), &users, client.InNamespace(w.namespace))
		return total(users.Items[0]) == 0
	})
	if status, _ := w.register("kim", w.code("guests")); status != http.StatusCreated {
		t.Fatal(status)
	}
	w.state("guests", v1alpha1.InvitePending, 2)
	w.eventually("kim's use alone is there", func() bool { return len(list()) == 1 && redemptions.Items[0].Spec.Accounts[0].Username == "kim" })
	_ = w.client.List(t.Context(), &users, client.InNamespace(w.namespace))
	for _, user := range users.Items {
		if user.Spec.Username == "joe" && total(user) != 0 {
			t.Error("joe sees again what was taken back")
		}
	}
}

// TestARevocationIsNotHeldBackByWhatDoesNotResolve: a link that somebody took back is dead, whatever else is wrong.
func TestARevocationIsNotHeldBackByWhatDoesNotResolve(t *testing.T) {
	t.Parallel()
	w := newInviteWorld(t)
	w.invite("guests", nil)
	code := w.code("guests")
	w.delete(w.library("movies"))
	w.condition(&v1alpha1.Invite{}, "guests", v1alpha1.ConditionReady, metav1.ConditionFalse, v1alpha1.ReasonReferencesUnresolved)
	w.eventually("nobody is admitted to less than was meant", func() bool { status, _ := w.register("joe", code); return status == http.StatusGone })
	edit(w.world, &v1alpha1.Invite{ObjectMeta: w.meta("guests")}, func(i *v1alpha1.Invite) { i.Spec.Revoked = true })
	w.state("guests", v1alpha1.InviteRevoked, 0)
	if status, _ := w.register("kim", code); status != http.StatusGone {
		t.Errorf("a revoked link answers %d", status)
	}
}

// TestWhoCameIsKnownThoughTheInviteIsDeletedAtOnce: the last sign-up before the end is not forgotten.
func TestWhoCameIsKnownThoughTheInviteIsDeletedAtOnce(t *testing.T) {
	t.Parallel()
	w := newInviteWorld(t)
	invite := w.invite("guests", nil)
	w.stop()
	if status, _ := w.register("joe", w.code("guests")); status != http.StatusCreated {
		t.Fatal(status)
	}
	w.delete(invite)
	w.openAs(embedded.Open)
	w.gone(invite)
	w.eventually("joe is a User", func() bool { return w.users(v1alpha1.LabelInvite, "guests") == 1 })
}

// TestAnInviteDeletedOnTheServerDoesNotAdmitAnew: uses never restart under a code.
func TestAnInviteDeletedOnTheServerDoesNotAdmitAnew(t *testing.T) {
	t.Parallel()
	w := newInviteWorld(t)
	w.invite("guests", func(s *v1alpha1.InviteSpec) { s.MaxUses = new(int32(1)) })
	code := w.code("guests")
	if status, _ := w.register("joe", code); status != http.StatusCreated {
		t.Fatal(status)
	}
	invite := w.state("guests", v1alpha1.InviteExhausted, 1)
	w.eventually("joe is a User", func() bool { return w.users(v1alpha1.LabelInvite, "guests") == 1 })
	w.asOwner(http.MethodDelete, "/v1/invites/"+invite.Status.ExternalID)
	w.look()
	w.eventually("the server's invite is made again", func() bool {
		status, _ := w.register("kim", code)
		return status == http.StatusGone
	})
	w.state("guests", v1alpha1.InviteExhausted, 1)
}

func TestTheSecretHoldsTheLinkAndNothingElseTellsIt(t *testing.T) {
	t.Parallel()
	w := newInviteWorld(t)
	w.invite("guests", nil)
	secret := get(w.world, &corev1.Secret{}, "guests-invite")
	code, url := string(secret.Data["code"]), string(secret.Data["url"])
	if len(code) < 22 || url != w.url+"/invite/"+code {
		t.Errorf("a code of %d characters, url %s", len(code), url)
	}
	if _, err := png.Decode(bytes.NewReader(secret.Data["qr.png"])); err != nil || len(secret.Data["qr.txt"]) == 0 {
		t.Errorf("the QR code: %v, %d bytes of text", err, len(secret.Data["qr.txt"]))
	}
	if page, err := http.Get(url); err != nil || page.StatusCode != http.StatusOK {
		t.Errorf("the page: %v %v", page, err)
	}
	w.tellsNobody(code)
	w.delete(secret)
	w.eventually("a lost Secret is made again, with the same link", func() bool {
		var again corev1.Secret
		return w.client.Get(t.Context(), w.key("guests-invite"), &again) == nil && string(again.Data["code"]) == code
	})
}

func TestInvitesNeedAServerThatHasThemOrAPortal(t *testing.T) {
	t.Parallel()
	w := newWorld(t, memory.Options{})
	invite := &v1alpha1.Invite{ObjectMeta: w.meta("guests"), Spec: v1alpha1.InviteSpec{Offers: offering(serverName)}}
	w.create(invite)
	w.condition(&v1alpha1.Invite{}, "guests", v1alpha1.ConditionStalled, metav1.ConditionTrue, v1alpha1.ReasonUnsupported)
}

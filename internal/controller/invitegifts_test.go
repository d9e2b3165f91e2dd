package controller_test

import (
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/usher-media/usher/api/v1alpha1"
	"github.com/usher-media/usher/internal/media/embedded"
)

// came waits until a person is a User, and returns it.
func (w *inviteWorld) came(username string) v1alpha1.User {
	w.t.Helper()
	var user v1alpha1.User
	w.eventually(username+" is a User", func() bool {
		var users v1alpha1.UserList
		_ = w.client.List(w.t.Context(), &users, client.InNamespace(w.namespace))
		i := slices.IndexFunc(users.Items, func(u v1alpha1.User) bool {
			return u.Spec.Username == username && u.Status.State == v1alpha1.UserActive
		})
		if i >= 0 {
			user = users.Items[i]
		}
		return i >= 0
	})
	return user
}

func (w *inviteWorld) mustRegister(username, code string) {
	w.t.Helper()
	if status, text := w.register(username, code); status != http.StatusCreated {
		w.t.Fatalf("%s: %d %s", username, status, text)
	}
}

// got is what a person has, in one line.
func got(user v1alpha1.User) string {
	var libraries []string
	if user.Status.Access != nil {
		for _, item := range user.Status.Access.Items {
			libraries = append(libraries, item.Library)
		}
	}
	lasts := "for ever"
	if user.Spec.ExpiresAt != nil {
		ends, _ := user.Spec.ExpiresAt.Parse()
		lasts = fmt.Sprint(time.Until(ends).Round(time.Hour))
	}
	return fmt.Sprintf("%s %s %v %s", user.Spec.Role, user.Labels["group"], libraries, lasts)
}

// TestWhatAUseGaveIsFixedWhenSomebodyComes: whatever is changed in an Invite, with the operator there or away, who came before
// has what it gave then, and who comes afterwards what it gives now.
func TestWhatAUseGaveIsFixedWhenSomebodyComes(t *testing.T) {
	t.Parallel()
	for name, away := range map[string]bool{"while the operator is away": true, "within its poll": false} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newInviteWorld(t)
			w.invite("guests", func(s *v1alpha1.InviteSpec) {
				s.Offers[0].Libraries, s.Offers[0].Role = &v1alpha1.Targets{All: true}, v1alpha1.AccountRoleGuest
				s.Account = &v1alpha1.InvitedAccount{Labels: map[string]v1alpha1.LabelValue{"group": "first"}, ExpiresAfter: new(v1alpha1.NewDuration(720 * time.Hour))}
			})
			code := w.code("guests")
			if away {
				w.stop()
			}
			w.mustRegister("joe", code)
			edit(w.world, &v1alpha1.Invite{ObjectMeta: w.meta("guests")}, func(i *v1alpha1.Invite) {
				libraries := targets("kids")
				i.Spec.Offers[0].Libraries, i.Spec.Offers[0].Role = &libraries, v1alpha1.AccountRoleEditor
				i.Spec.Account = &v1alpha1.InvitedAccount{Labels: map[string]v1alpha1.LabelValue{"group": "second"}}
			})
			later := w.library("later")
			later.Spec.Paths = []v1alpha1.LibraryPath{v1alpha1.LibraryPath(w.root)}
			w.create(later)
			if away {
				w.openAs(embedded.Open)
			}
			w.ready(&v1alpha1.Invite{}, "guests")
			w.mustRegister("kim", code)
			for person, want := range map[string]string{"joe": "Guest first [kids movies] 720h0m0s", "kim": "Editor second [kids] for ever"} {
				if has := got(w.came(person)); has != want {
					t.Errorf("%s has %s, want %s", person, has, want)
				}
			}
		})
	}
}

// TestAnInviteThatNamesWhatIsNotThereWaits: it is not Pending, which means that it can be used, and its link is not said to be
// revoked.
func TestAnInviteThatNamesWhatIsNotThereWaits(t *testing.T) {
	t.Parallel()
	w := newInviteWorld(t)
	w.invite("guests", nil)
	early := &v1alpha1.Invite{ObjectMeta: w.meta("early"), Spec: v1alpha1.InviteSpec{Offers: offering(serverName)}}
	libraries := targets("movies,nope")
	early.Spec.Offers[0].Libraries = &libraries
	w.create(early)
	w.state("early", v1alpha1.InviteWaiting, 0)

	code := w.code("guests")
	w.delete(w.library("movies"))
	w.state("guests", v1alpha1.InviteWaiting, 0)
	w.eventually("the link says to come again", func() bool { return w.linkState(code) == "unavailable" })
	if status, text := w.register("joe", code); status != http.StatusGone {
		t.Errorf("it admits meanwhile: %d %s", status, text)
	}
	w.gone(w.library("movies"))
	again := w.library("movies")
	again.Spec.Paths = []v1alpha1.LibraryPath{v1alpha1.LibraryPath(w.root)}
	again.Spec.AdoptionPolicy = v1alpha1.LibraryAdoptionIfUnique
	w.create(again)
	w.state("guests", v1alpha1.InvitePending, 0)
	if state := w.linkState(code); state != "pending" {
		t.Errorf("the link is %s", state)
	}
}

// TestABadSpecHoldsBackNoRevocation: what is wrong with the rest of the manifest does not keep a link open.
func TestABadSpecHoldsBackNoRevocation(t *testing.T) {
	t.Parallel()
	w := newInviteWorld(t)
	w.invite("guests", nil)
	w.invite("others", nil)
	edit(w.world, &v1alpha1.Invite{ObjectMeta: w.meta("guests")}, func(i *v1alpha1.Invite) { i.Spec.Revoked, i.Spec.Offers[0].Role = true, "Janitor" })
	edit(w.world, &v1alpha1.Invite{ObjectMeta: w.meta("others")}, func(i *v1alpha1.Invite) { i.Spec.Offers[0].Role = "Janitor" })
	w.eventually("the one link is dead, the other waits", func() bool {
		return w.linkState(w.code("guests")) == "revoked" && w.linkState(w.code("others")) == "unavailable"
	})
	w.state("others", v1alpha1.InviteWaiting, 0)
	w.condition(&v1alpha1.Invite{}, "guests", v1alpha1.ConditionStalled, metav1.ConditionTrue, v1alpha1.ReasonUnsupported)
}

// TestPagesThatDoNotExistAreRefused: nobody gets a link that leads nowhere.
func TestPagesThatDoNotExistAreRefused(t *testing.T) {
	t.Parallel()
	w := newInviteWorld(t)
	invite := &v1alpha1.Invite{ObjectMeta: w.meta("guests"), Spec: v1alpha1.InviteSpec{Offers: offering(serverName), Delivery: v1alpha1.DeliveryPortal}}
	w.create(invite)
	w.condition(invite, "guests", v1alpha1.ConditionStalled, metav1.ConditionTrue, v1alpha1.ReasonUnsupported)
	w.state("guests", v1alpha1.InviteWaiting, 0)
}

// TestARecordThatIsLostGivesNothingBack: what a person took back stays taken back, though the Invite's record is gone; and a copy
// of an Invite, which carries its annotations, has uses of its own.
func TestARecordThatIsLostGivesNothingBack(t *testing.T) {
	t.Parallel()
	w := newInviteWorld(t)
	w.invite("guests", nil)
	code := w.code("guests")
	w.mustRegister("joe", code)
	w.came("joe")
	var redemptions v1alpha1.RedemptionList
	w.eventually("his use is complete", func() bool {
		_ = w.client.List(t.Context(), &redemptions, client.InNamespace(w.namespace))
		return len(redemptions.Items) == 1 && redemptions.Items[0].Status.Phase == v1alpha1.RedemptionCompleted
	})
	original := get(w.world, &v1alpha1.Invite{}, "guests")
	duplicate := &v1alpha1.Invite{ObjectMeta: w.meta("copy"), Spec: original.Spec}
	duplicate.Annotations = original.Annotations
	w.create(duplicate)
	w.state("copy", v1alpha1.InvitePending, 1) // what its record counts, and nobody of the original's is listed
	if items := get(w.world, &v1alpha1.Invite{}, "copy").Status.Uses.Items; len(items) != 0 {
		t.Errorf("the copy lists who came by the original: %+v", items)
	}

	w.stop()
	w.delete(&redemptions.Items[0])
	edit(w.world, &v1alpha1.Invite{ObjectMeta: w.meta("guests")}, func(i *v1alpha1.Invite) { delete(i.Annotations, v1alpha1.AnnotationOwned) })
	w.openEmbedded()
	w.mustRegister("kim", code)
	w.came("kim")
	w.eventually("joe sees nothing, and kim's use alone is there", func() bool {
		_ = w.client.List(t.Context(), &redemptions, client.InNamespace(w.namespace))
		return len(redemptions.Items) == 1 && redemptions.Items[0].Spec.Accounts[0].Username == "kim" && total(w.came("joe")) == 0
	})

}

// TestAnInviteIsRefusedARoleThatNoLinkGives: a role of the server's own. One that is changed to it admits nobody meanwhile.
func TestAnInviteIsRefusedARoleThatNoLinkGives(t *testing.T) {
	t.Parallel()
	w := newInviteWorld(t)
	w.askAsOwner("POST", "/v1/roles", map[string]any{"name": "Librarian", "permissions": []any{map[string]string{"resource": "libraries", "operation": "read"}}}, nil)
	w.look()
	w.invite("guests", nil)
	code := w.code("guests")
	w.create(&v1alpha1.Invite{ObjectMeta: w.meta("staff"), Spec: v1alpha1.InviteSpec{Offers: []v1alpha1.InviteOffer{{ServerRef: v1alpha1.LocalReference{Name: serverName}, Role: "Librarian"}}}})
	said := w.condition(&v1alpha1.Invite{}, "staff", v1alpha1.ConditionStalled, metav1.ConditionTrue, v1alpha1.ReasonUnsupported)
	if !strings.Contains(said.Message, "Librarian") || !strings.Contains(said.Message, "Member") {
		t.Errorf("the message does not name the role, and those that are given: %s", said.Message)
	}
	edit(w.world, &v1alpha1.Invite{ObjectMeta: w.meta("guests")}, func(i *v1alpha1.Invite) { i.Spec.Offers[0].Role = "Librarian" })
	w.condition(&v1alpha1.Invite{}, "guests", v1alpha1.ConditionStalled, metav1.ConditionTrue, v1alpha1.ReasonUnsupported)
	if status, _ := w.register("joe", code); status == http.StatusCreated {
		t.Error("the link admits people with a role that the manifest does not say")
	}
	edit(w.world, &v1alpha1.Invite{ObjectMeta: w.meta("guests")}, func(i *v1alpha1.Invite) { i.Spec.Offers[0].Role = v1alpha1.AccountRoleMember })
	w.ready(&v1alpha1.Invite{}, "guests")
	if status, text := w.register("joe", code); status != http.StatusCreated {
		t.Errorf("the link answers %d %s", status, text)
	}
}

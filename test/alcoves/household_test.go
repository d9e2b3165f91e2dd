package alcoves

import (
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/usher-media/usher/api/v1alpha1"
	"github.com/usher-media/usher/internal/testenv"
	"github.com/usher-media/usher/internal/testpg"
)

func TestSamples(t *testing.T) {
	t.Cleanup(testpg.Stop)
	t.Run("with database", withDatabase)
	t.Run("without database", withoutDatabase)
}

// withDatabase: every object of the samples is Ready, and people see what the grants say.
func withDatabase(t *testing.T) {
	h := newHousehold(t, testenv.Get(t).Namespace(t))
	objects := h.apply(func(o client.Object) bool { return o.GetObjectKind().GroupVersionKind().Kind != "Namespace" })
	h.ready(objects)
	for name, want := range map[string]string{
		"alice": "[Family viewer Kids viewer Wedding 2026 admin]", "bob": "[Family viewer Kids viewer Wedding 2026 admin]",
		"mia": "[Family viewer Kids viewer]",
	} {
		if status := h.signIn(name); status != http.StatusOK {
			t.Fatalf("%s signs in: %d", name, status)
		}
		if got := fmt.Sprint(h.sees()); got != want {
			t.Errorf("%s sees %s, want %s", name, got, want)
		}
	}
	if status := h.signIn("dave"); status != http.StatusUnauthorized {
		t.Errorf("dave, who is disabled, signs in: %d", status)
	}
	var server v1alpha1.MediaServer
	h.condition(&server, "photos", v1alpha1.ConditionReady, metav1.ConditionTrue, "")
	if !slices.Contains(server.Status.Capabilities, "Grant") || !slices.Contains(server.Status.Capabilities, "WeakInvites") {
		t.Errorf("capabilities %v", server.Status.Capabilities)
	}
	h.guestsCome()
}

// guestsCome: by the link of Alcoves' own, people come, are declared, and are counted.
func (h *household) guestsCome() {
	link := h.secret("wedding-guests-invite", "url")
	code := h.secret("wedding-guests-invite", "code")
	if link != "https://photos.example.org/invites/"+code {
		h.Errorf("the Secret's link does not lead to its code")
	}
	h.session = ""
	status := h.call("POST", "/api/auth/register", map[string]string{
		"name": "Nina", "email": "nina@example.org", "password": "nina's own password", "inviteToken": code,
	}, nil)
	if status != http.StatusOK {
		h.Fatalf("nina registers: %d", status)
	}
	// What the Invite gives from now on is not what she was given.
	h.edit(&v1alpha1.Invite{}, "wedding-guests", func(o client.Object) {
		o.(*v1alpha1.Invite).Spec.Account = &v1alpha1.InvitedAccount{Labels: map[string]v1alpha1.LabelValue{"group": "late"}}
	})
	nina := h.guest("nina@example.org")
	user := &v1alpha1.User{}
	if err := h.client.Get(h.Context(), h.key(nina), user); err != nil || user.Labels["group"] != "guests" {
		h.Errorf("nina has the label %q, %v", user.Labels["group"], err)
	}
	h.condition(&v1alpha1.User{}, nina, v1alpha1.ConditionReady, metav1.ConditionTrue, "")
	if got := fmt.Sprint(h.sees()); got != "[Wedding 2026 viewer]" {
		h.Errorf("nina sees %s", got)
	}
	// Two more get the last use in the same moment.
	h.server.Exec(`UPDATE library_invites SET use_count = 3 WHERE token = $1`, code)
	h.state("wedding-guests", v1alpha1.InviteExhausted)
	if status := h.call("POST", "/api/invites/"+code+"/accept", nil, nil); status != http.StatusGone {
		h.Errorf("a link that is used up admits: %d", status)
	}
	// What the link gave is taken back, and no link lets her in again.
	redemptions := &v1alpha1.RedemptionList{}
	if err := h.client.List(h.Context(), redemptions, client.InNamespace(h.namespace)); err != nil || len(redemptions.Items) != 1 {
		h.Fatalf("%d redemptions, %v", len(redemptions.Items), err)
	}
	if err := h.client.Delete(h.Context(), &redemptions.Items[0]); err != nil {
		h.Fatal(err)
	}
	testenv.Eventually(h.T, "nina sees nothing", func() bool { return len(h.sees()) == 0 })
	// More may come: there is another link, since the one before cannot be changed.
	h.edit(&v1alpha1.Invite{}, "wedding-guests", func(o client.Object) { more := int32(9); o.(*v1alpha1.Invite).Spec.MaxUses = &more })
	h.state("wedding-guests", v1alpha1.InvitePending)
	testenv.Eventually(h.T, "another link", func() bool {
		next := h.secret("wedding-guests-invite", "code")
		return next != code && h.call("GET", "/api/invites/"+next, nil, nil) == http.StatusOK
	})
	h.revoked()
}

// revoked: the link dies with the manifest, and the people stay.
func (h *household) revoked() {
	h.edit(&v1alpha1.Invite{}, "wedding-guests", func(o client.Object) { o.(*v1alpha1.Invite).Spec.Revoked = true })
	h.state("wedding-guests", v1alpha1.InviteRevoked)
	testenv.Eventually(h.T, "no live link", func() bool { return h.server.Count(`SELECT 1 FROM library_invites WHERE revoked_at IS NULL`) == 0 })
	if err := h.client.Delete(h.Context(), &v1alpha1.Invite{ObjectMeta: metav1.ObjectMeta{Namespace: h.namespace, Name: "wedding-guests"}}); err != nil {
		h.Fatal(err)
	}
	testenv.Eventually(h.T, "the invite is gone", func() bool {
		return h.client.Get(h.Context(), h.key("wedding-guests"), &v1alpha1.Invite{}) != nil
	})
	h.guest("nina@example.org")
}

// guest returns the name of the User that stands for an address, once there is one.
func (h *household) guest(address string) (name string) {
	h.Helper()
	testenv.Eventually(h.T, "a User for "+address, func() bool {
		users := &v1alpha1.UserList{}
		if h.client.List(h.Context(), users, client.InNamespace(h.namespace), client.MatchingLabels{"group": "guests"}) != nil {
			return false
		}
		for _, user := range users.Items {
			if user.Spec.Username == address {
				name = user.Name
			}
		}
		return name != ""
	})
	return name
}

func (h *household) state(name string, want v1alpha1.InviteState) {
	h.Helper()
	testenv.Eventually(h.T, fmt.Sprintf("Invite %s is %s", name, want), func() bool {
		invite := &v1alpha1.Invite{}
		return h.client.Get(h.Context(), h.key(name), invite) == nil && invite.Status.State == want
	})
}

func (h *household) edit(object client.Object, name string, change func(client.Object)) {
	h.Helper()
	if err := h.client.Get(h.Context(), h.key(name), object); err != nil {
		h.Fatal(err)
	}
	base := object.DeepCopyObject().(client.Object)
	change(object)
	if err := h.client.Patch(h.Context(), object, client.MergeFrom(base)); err != nil {
		h.Fatal(err)
	}
}

// withoutDatabase: what the API can do is done, and what it cannot says what to do.
func withoutDatabase(t *testing.T) {
	h := newHousehold(t, testenv.Get(t).Namespace(t))
	objects := h.apply(func(o client.Object) bool {
		switch object := o.GetObjectKind().GroupVersionKind(); object.Kind {
		case "MediaServer":
			delete(spec(o), "database")
		case "User":
			delete(spec(o), "displayName")
			return o.GetName() == "mia" || o.GetName() == "dave"
		case "Namespace":
			return false
		}
		return o.GetName() != "photos-database"
	})
	var able []client.Object
	for _, object := range objects {
		if object.GetName() != "dave" && object.GetName() != "wedding" {
			able = append(able, object)
		}
	}
	h.ready(able)
	if status := h.signIn("mia"); status != http.StatusOK {
		t.Fatalf("mia signs in: %d", status)
	}
	if got := fmt.Sprint(h.sees()); got != "[Family viewer Kids viewer]" {
		t.Errorf("mia sees %s", got)
	}
	h.linkThatHides()
	for name, words := range map[string]string{"dave": "give the MediaServer spec.database"} {
		says := h.condition(&v1alpha1.User{}, name, v1alpha1.ConditionStalled, metav1.ConditionTrue, v1alpha1.ReasonUnsupported)
		if !strings.Contains(says, words) {
			t.Errorf("%s: %s", name, says)
		}
	}
	// A grant that comes later cannot be given, and says so; one that goes is taken.
	h.edit(&v1alpha1.LibraryGrant{}, "wedding", func(o client.Object) {
		o.(*v1alpha1.LibraryGrant).Spec.Users.Selector.MatchLabels = map[string]v1alpha1.LabelValue{"person": "mia"}
	})
	says := h.condition(&v1alpha1.User{}, "mia", v1alpha1.ConditionStalled, metav1.ConditionTrue, v1alpha1.ReasonUnsupported)
	if !strings.Contains(says, "spec.database") {
		t.Errorf("mia: %s", says)
	}
	h.edit(&v1alpha1.LibraryGrant{}, "family", func(o client.Object) { o.(*v1alpha1.LibraryGrant).Spec.Disabled = true })
	testenv.Eventually(t, "mia sees nothing", func() bool { return len(h.sees()) == 0 })
}

// linkThatHides: Alcoves answers a failure of its database with a list that lacks the link. What takes its place is not
// made while it lives.
func (h *household) linkThatHides() {
	h.state("wedding-guests", v1alpha1.InvitePending)
	const live = `SELECT token FROM library_invites WHERE revoked_at IS NULL AND expires_at > '2099-01-01'`
	code := h.secret("wedding-guests-invite", "code")
	h.server.Hide("links", true)
	testenv.Eventually(h.T, "another link", func() bool { return h.secret("wedding-guests-invite", "code") != code })
	h.server.Hide("links", false)
	testenv.Eventually(h.T, "the Secret has the live link", func() bool {
		var token string
		if h.server.Count(live) == 1 {
			h.server.Query(&token, live)
		}
		return token == h.secret("wedding-guests-invite", "code")
	})
	if n := h.server.Count(live); n != 1 {
		h.Errorf("%d live links of one Invite", n)
	}
}

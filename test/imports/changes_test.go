package imports

import (
	"path/filepath"
	"strings"
	"testing"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/usher-media/usher/api/v1alpha1"
	"github.com/usher-media/usher/internal/media"
	"github.com/usher-media/usher/internal/media/memory"
	"github.com/usher-media/usher/internal/testenv"
)

// TestPeopleAreSuspendedAndComeBack: the commands change the manifest, wait, and the server has it when they return.
func TestPeopleAreSuspendedAndComeBack(t *testing.T) {
	env := testenv.Get(t)
	namespace := env.Namespace(t)
	store := memory.NewStore(memory.Options{})
	fleet := &memory.Fleet{}
	fleet.Put("http://127.0.0.1:3000", store)
	operate(t, env, namespace, map[v1alpha1.MediaServerType]media.Open{v1alpha1.MediaServerEmbedded: fleet.Open})
	user := &v1alpha1.User{ObjectMeta: metav1.ObjectMeta{Namespace: namespace, Name: "mia", Labels: map[string]string{"person": "mia"}},
		Spec: v1alpha1.UserSpec{ServerRef: v1alpha1.LocalReference{Name: "home"}, Username: "mia"}}
	server := v1alpha1.MediaServer{ObjectMeta: metav1.ObjectMeta{Namespace: namespace, Name: "home"}, Spec: v1alpha1.MediaServerSpec{
		Type: v1alpha1.MediaServerEmbedded, URL: "http://127.0.0.1:3000", Credentials: v1alpha1.Credentials{SecretRef: v1alpha1.SecretReference{Name: "home-admin"}},
	}}
	applyAll(t, env.Client(), namespace, written{Server: server, Users: []v1alpha1.User{*user}})
	testenv.Eventually(t, "Mia has an account", func() bool { return reasons(t, env.Client(), []client.Object{user}, v1alpha1.ReasonSynced) })
	disabled := func() bool {
		account, there := store.Account("mia")
		if !there {
			t.Fatal("there is no account")
		}
		return account.Disabled
	}

	if said := ask(t, env, namespace, "user", "suspend", "mia", "--dry-run=client", "-o", "yaml"); !strings.Contains(said, "disabled: true") || strings.Contains(said, "usher.media/owned") || disabled() {
		t.Errorf("on paper: disabled %t\n%s", disabled(), said)
	}
	ask(t, env, namespace, "user", "suspend", "mia")
	if !disabled() {
		t.Error("suspended, and not disabled")
	}
	ask(t, env, namespace, "user", "resume", "-l", "person=mia")
	if disabled() {
		t.Error("resumed, and disabled")
	}
	ask(t, env, namespace, "user", "extend", "mia", "--until", "2020-01-01T00:00:00Z")
	if !disabled() {
		t.Error("ended, and not disabled")
	}
	if err := try(t, env, namespace, "user", "resume", "mia"); err == nil || !strings.Contains(err.Error(), "kubectl usher user extend mia") {
		t.Errorf("resumed after its end: %v", err)
	}
	ask(t, env, namespace, "user", "extend", "mia", "--by", "30d")
	if disabled() {
		t.Error("extended, and disabled")
	}
	for want, args := range map[string][]string{
		"there is no User": {"user", "suspend", "leo"}, "select them by -l": {"user", "suspend"}, "is no selector": {"user", "suspend", "-l", "a=b=c"},
		"with the labels": {"user", "suspend", "-l", "person=leo"}, "--until": {"user", "extend", "mia"}, "is no length of time": {"user", "extend", "mia", "--by", "soon"},
	} {
		if err := try(t, env, namespace, args...); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%v: %v", args, err)
		}
	}
}

// TestInvitesAreListedShownAndChanged, as far as that needs no operator.
func TestInvitesAreListedShownAndChanged(t *testing.T) {
	env := testenv.Get(t)
	namespace := env.Namespace(t)
	samples, err := testenv.Objects(filepath.Join(env.Root, "config", "samples"))
	if err != nil {
		t.Fatal(err)
	}
	for _, object := range samples {
		if object.GetKind() == "Invite" && object.GetName() == "cousins" {
			object.SetNamespace(namespace)
			if err := env.Client().Create(t.Context(), object); err != nil {
				t.Fatal(err)
			}
		}
	}
	if err := try(t, env, namespace, "invite", "link", "cousins"); err == nil || !strings.Contains(err.Error(), "there is no link yet") {
		t.Errorf("the link before there is one: %v", err)
	}
	secret := &corev1.Secret{ObjectMeta: metav1.ObjectMeta{Namespace: namespace, Name: "cousins-invite"}, StringData: map[string]string{"url": "http://media.test/join/code"}}
	if err := env.Client().Create(t.Context(), secret); err != nil {
		t.Fatal(err)
	}
	if said := ask(t, env, namespace, "invite", "link", "cousins"); said != "http://media.test/join/code\n" {
		t.Errorf("the link is %q", said)
	}
	if said := ask(t, env, namespace, "invite", "list", "-v", "9"); !strings.Contains(said, "cousins") || strings.Contains(said, "join/code") {
		t.Errorf("the list is:\n%s", said)
	}
	invite := func() (i v1alpha1.Invite) {
		if err := env.Client().Get(t.Context(), client.ObjectKey{Namespace: namespace, Name: "cousins"}, &i); err != nil {
			t.Fatal(err)
		}
		return i
	}
	most := *invite().Spec.MaxUses
	ask(t, env, namespace, "invite", "extend", "cousins", "--uses", "3", "--until", "2030-01-01T00:00:00Z", "--timeout", "0")
	if spec := invite().Spec; *spec.MaxUses != most+3 || *spec.ExpiresAt != "2030-01-01T00:00:00Z" {
		t.Errorf("extended: %d uses, until %s", *spec.MaxUses, *spec.ExpiresAt)
	}
	ask(t, env, namespace, "invite", "revoke", "cousins", "--timeout", "0")
	if !invite().Spec.Revoked {
		t.Error("revoked, and is not")
	}
	for want, args := range map[string][]string{"there is no Invite": {"invite", "revoke", "nobody"}, "--until or --by": {"invite", "extend", "cousins"}} {
		if err := try(t, env, namespace, args...); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%v: %v", args, err)
		}
	}
}

package redeem_test

import (
	"context"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/log"

	"github.com/usher-media/usher/api/v1alpha1"
	"github.com/usher-media/usher/internal/app"
	"github.com/usher-media/usher/internal/controller"
	"github.com/usher-media/usher/internal/media"
	"github.com/usher-media/usher/internal/media/memory"
	"github.com/usher-media/usher/internal/redeem"
	"github.com/usher-media/usher/internal/testenv"
	"github.com/usher-media/usher/test/mortal"
)

func TestMain(m *testing.M) { testenv.Main(m) }

// process is one replica: an operator and an engine, killed together.
type process struct {
	*mortal.Process
	w      *world
	engine *redeem.Engine
	ended  chan struct{}
}

// kill ends the process without any goodbye, and waits until it is gone.
func (p *process) kill() {
	p.Kill()
	<-p.ended
}

// quick makes waiting short.
var quick = redeem.Waiting{Poll: 20 * time.Millisecond, Account: 20 * time.Second, Lease: 100 * time.Millisecond}

// world is a namespace with a media server in memory, and processes that serve it.
type world struct {
	t         *testing.T
	client    client.Client
	namespace string
	store     *memory.Store
}

func newWorld(t *testing.T) *world {
	t.Helper()
	return newWorldOf(t, func(*media.Traits) {})
}

// newWorldOf is one whose media server is of another kind.
func newWorldOf(t *testing.T, kind func(*media.Traits)) *world {
	t.Helper()
	env := testenv.Get(t)
	w := &world{t: t, client: env.Client(), namespace: env.Namespace(t), store: memory.NewStore(memory.Options{
		Traits: func(traits *media.Traits) { traits.LongestCall = 300 * time.Millisecond; kind(traits) },
	})}
	w.create(&corev1.Secret{ObjectMeta: w.meta("home-admin"), StringData: map[string]string{"username": memory.DefaultOwner, "password": memory.DefaultPassword}})
	w.create(&v1alpha1.MediaServer{ObjectMeta: w.meta("home"), Spec: v1alpha1.MediaServerSpec{
		Type: v1alpha1.MediaServerEmbedded, URL: "http://memory.test", Credentials: v1alpha1.Credentials{SecretRef: v1alpha1.SecretReference{Name: "home-admin"}},
		SyncInterval: new(v1alpha1.NewDuration(10 * time.Second)), MediaRoots: []v1alpha1.LibraryPath{"/media"},
	}})
	w.create(&v1alpha1.Library{ObjectMeta: w.meta("movies"), Spec: v1alpha1.LibrarySpec{
		ServerRef: v1alpha1.LocalReference{Name: "home"}, DisplayName: "Movies", MediaType: v1alpha1.MediaTypeMovies, Paths: []v1alpha1.LibraryPath{"/media"},
	}})
	return w
}

func (w *world) meta(name string) metav1.ObjectMeta {
	return metav1.ObjectMeta{Namespace: w.namespace, Name: name}
}

func (w *world) create(object client.Object) {
	w.t.Helper()
	if err := w.client.Create(context.Background(), object); err != nil {
		w.t.Fatal(err)
	}
}

func (w *world) invite(name string, uses int32) *v1alpha1.Invite {
	w.t.Helper()
	invite := &v1alpha1.Invite{ObjectMeta: w.meta(name), Spec: v1alpha1.InviteSpec{
		MaxUses: &uses,
		Offers: []v1alpha1.InviteOffer{{
			ServerRef: v1alpha1.LocalReference{Name: "home"},
			Libraries: &v1alpha1.Targets{Refs: []v1alpha1.LocalReference{{Name: "movies"}}},
		}},
	}}
	w.create(invite)
	return invite
}

// start starts a process. One that is to take part in a leader election says so.
func (w *world) start(elect bool) *process {
	w.t.Helper()
	p := &process{Process: mortal.New(nil), w: w, ended: make(chan struct{})}
	config := testenv.Get(w.t).Config()
	options := app.Options{
		Namespace: w.namespace, WatchNamespaces: []string{w.namespace}, MetricsAddress: "0", ProbeAddress: "0", Name: w.namespace + "-",
		Drivers:   map[v1alpha1.MediaServerType]media.Open{v1alpha1.MediaServerEmbedded: p.Open(w.store.Open)},
		NewClient: p.NewClient, PortalURL: "http://portal.test", LeaderElect: elect, LeaseDuration: 1500 * time.Millisecond, Logger: log.Log,
	}
	mgr, err := app.New(p.Context(), config, options)
	if err != nil && !p.Dead() {
		w.t.Fatal(err)
	}
	live, err := p.NewClient(config, client.Options{Scheme: app.Scheme()})
	if err != nil {
		w.t.Fatal(err)
	}
	p.engine = redeem.New(live, w.keyring().InviteCode, p.connect, time.Now, quick)
	go func() {
		defer close(p.ended)
		if mgr != nil {
			_ = mgr.Start(p.Context()) // how a process ends that is killed does not matter
		}
	}()
	w.t.Cleanup(p.kill)
	return p
}

// keyring reads the operator's key, as a process that serves invite pages does.
func (w *world) keyring() *controller.Keyring {
	w.t.Helper()
	keyring, err := controller.LoadKeyring(context.Background(), w.client, w.namespace)
	if err != nil {
		w.t.Fatal(err)
	}
	return keyring
}

func (p *process) connect(context.Context, types.NamespacedName) (*media.Server, error) {
	driver, err := p.Open(p.w.store.Open)(p.w.store.Config())
	if err != nil {
		return nil, err
	}
	return media.NewServer(driver, time.Now, nil), nil
}

func (w *world) redeem(p *process, invite *v1alpha1.Invite, username string) (redeem.Receipt, error) {
	return p.engine.Redeem(p.Context(), client.ObjectKeyFromObject(invite), redeem.Request{
		Person: redeem.Person{Username: username}, Code: w.keyring().InviteCode(invite.UID), Password: passwordOf(username),
	})
}

func passwordOf(username string) string { return "the password of " + username }

func (w *world) redemptions(invite *v1alpha1.Invite) []v1alpha1.Redemption {
	w.t.Helper()
	var list v1alpha1.RedemptionList
	if err := w.client.List(context.Background(), &list, client.InNamespace(w.namespace), client.MatchingLabels{v1alpha1.LabelInviteUID: string(invite.UID)}); err != nil {
		w.t.Fatal(err)
	}
	return list.Items
}

func (w *world) ready(object client.Object, conditions func() []metav1.Condition) {
	w.t.Helper()
	testenv.Eventually(w.t, object.GetName()+" is Ready", func() bool {
		err := w.client.Get(context.Background(), client.ObjectKeyFromObject(object), object)
		return err == nil && meta.IsStatusConditionTrue(conditions(), v1alpha1.ConditionReady)
	})
}

// settled waits until library and invite are Ready.
func (w *world) settled(invite *v1alpha1.Invite) {
	w.t.Helper()
	library := &v1alpha1.Library{ObjectMeta: w.meta("movies")}
	w.ready(library, func() []metav1.Condition { return library.Status.Conditions })
	w.ready(invite, func() []metav1.Condition { return invite.Status.Conditions })
}

// accounts are the usernames on the server, but for the owner's.
func (w *world) accounts() map[string]media.Account {
	accounts := map[string]media.Account{}
	for _, account := range w.store.Accounts() {
		if account.Username != memory.DefaultOwner {
			accounts[account.Username] = account
		}
	}
	return accounts
}

package controller_test

import (
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/usher-media/usher/api/v1alpha1"
	"github.com/usher-media/usher/internal/mediaserver"
)

// restorable is an embedded media server whose database can be put back to an earlier time.
type restorable struct {
	t       *testing.T
	config  mediaserver.Config
	url     string
	current *mediaserver.Server
	// answering is held while a request is answered, and to stop the server: a write may not end in the database put back.
	answering sync.RWMutex
}

func newRestorable(t *testing.T, root string) *restorable {
	t.Helper()
	r := &restorable{t: t, config: mediaserver.Config{DataDir: t.TempDir(), MediaRoots: []string{root}, CheapPasswordHashing: true}}
	r.start()
	listener := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, request *http.Request) {
		r.answering.RLock()
		defer r.answering.RUnlock()
		if r.current != nil {
			r.current.Handler().ServeHTTP(w, request)
			return
		}
		w.WriteHeader(http.StatusBadGateway)
	}))
	r.url = listener.URL
	t.Cleanup(func() {
		listener.Close()
		r.halt()
	})
	return r
}

func (r *restorable) start() {
	r.t.Helper()
	server, err := mediaserver.New(r.t.Context(), r.config)
	if err != nil {
		r.t.Fatal(err)
	}
	r.answering.Lock()
	defer r.answering.Unlock()
	r.current = server
}

func (r *restorable) halt() {
	r.t.Helper()
	r.answering.Lock()
	defer r.answering.Unlock()
	if r.current == nil {
		return
	}
	if err := r.current.Close(); err != nil {
		r.t.Error(err)
	}
	r.current = nil
}

// backup copies the database as it is now.
func (r *restorable) backup() string {
	r.t.Helper()
	file := filepath.Join(r.t.TempDir(), "backup.db")
	if err := mediaserver.Backup(r.t.Context(), r.config, file); err != nil {
		r.t.Fatal(err)
	}
	return file
}

// putBack stops the server, puts a backup in the place of its database, and starts it again.
func (r *restorable) putBack(file string) {
	r.t.Helper()
	r.halt()
	for _, suffix := range []string{"-wal", "-shm"} {
		_ = os.Remove(r.config.Location() + suffix)
	}
	content, err := os.ReadFile(file)
	if err == nil {
		err = os.WriteFile(r.config.Location(), content, 0o600)
	}
	if err != nil {
		r.t.Fatal(err)
	}
	r.start()
}

// TestARestoredServerAdmitsNobodyTwice: an older database comes back. Uses that Redemptions know count there too, people who
// come are recorded, and accounts that are gone are gone.
func TestARestoredServerAdmitsNobodyTwice(t *testing.T) {
	t.Parallel()
	root := t.TempDir()
	server := newRestorable(t, root)
	w := newInviteWorldOf(t, root, server.url)
	w.invite("two", func(s *v1alpha1.InviteSpec) {
		s.MaxUses = new(int32(2))
		s.Account = &v1alpha1.InvitedAccount{Labels: map[string]v1alpha1.LabelValue{"group": "guests"}, ExpiresAfter: new(v1alpha1.NewDuration(720 * time.Hour))}
	})
	code := w.code("two")
	before := server.backup()
	for _, person := range []string{"cat", "dan"} {
		w.mustRegister(person, code)
		w.came(person)
	}
	w.state("two", v1alpha1.InviteExhausted, 2)

	server.putBack(before)
	w.mustRegister("fay", code) // before Usher has looked
	w.look()
	w.eventually("the link says that it is used up", func() bool { return w.linkState(code) == "exhausted" })
	if status, _ := w.register("gus", code); status != http.StatusGone {
		t.Errorf("a second one after the restore: %d", status)
	}
	w.state("two", v1alpha1.InviteExhausted, 3)
	if has := got(w.came("fay")); has != "Member guests [movies] 720h0m0s" {
		t.Errorf("fay has %s", has)
	}
	w.eventually("nobody says that cat and dan can sign in", func() bool {
		var users v1alpha1.UserList
		_ = w.client.List(t.Context(), &users, client.InNamespace(w.namespace))
		for _, user := range users.Items {
			lost := user.Spec.Username == "cat" || user.Spec.Username == "dan"
			if lost && (user.Status.State == v1alpha1.UserActive || total(user) > 0) {
				return false
			}
		}
		return len(users.Items) == 3
	})
	w.look()
	w.state("two", v1alpha1.InviteExhausted, 3)
	if accounts := w.usernames(); strings.Contains(accounts, "cat") || strings.Contains(accounts, "dan") {
		t.Errorf("accounts were made again with passwords that nobody knows: %s", accounts)
	}
}

// TestARestoredServerForgetsNobodyWhoComes: a number of uses says nothing about who is new.
func TestARestoredServerForgetsNobodyWhoComes(t *testing.T) {
	t.Parallel()
	root := t.TempDir()
	server := newRestorable(t, root)
	w := newInviteWorldOf(t, root, server.url)
	w.invite("party", nil)
	code := w.code("party")
	for _, person := range []string{"a1", "a2"} {
		w.mustRegister(person, code)
	}
	w.came("a2")
	before := server.backup()
	for _, person := range []string{"b1", "b2"} {
		w.mustRegister(person, code)
	}
	w.came("b2")
	w.state("party", v1alpha1.InvitePending, 4)
	w.stop()
	server.putBack(before)
	for _, person := range []string{"c1", "c2"} { // as many as were lost
		w.mustRegister(person, code)
	}
	w.openEmbedded()
	w.came("c1")
	w.came("c2")
	w.state("party", v1alpha1.InvitePending, 6)
}

// TestARestoredClusterCountsWhoCame: Invites and Redemptions come back from a backup with other UIDs. The link of before is
// dead, who came by it counts, also who came after the backup was made.
func TestARestoredClusterCountsWhoCame(t *testing.T) {
	t.Parallel()
	w := newInviteWorld(t)
	w.invite("party", func(s *v1alpha1.InviteSpec) { s.MaxUses = new(int32(4)) })
	old := w.code("party")
	for _, person := range []string{"cat", "dan"} {
		w.mustRegister(person, old)
		w.came(person)
	}
	w.state("party", v1alpha1.InvitePending, 2)
	w.stop()
	var backup v1alpha1.RedemptionList
	if err := w.client.List(t.Context(), &backup, client.InNamespace(w.namespace)); err != nil {
		t.Fatal(err)
	}
	invite := get(w.world, &v1alpha1.Invite{}, "party")
	w.mustRegister("fay", old)

	edit(w.world, &v1alpha1.Invite{ObjectMeta: w.meta("party")}, func(i *v1alpha1.Invite) { i.Finalizers = nil })
	w.delete(invite.DeepCopy(), &corev1.Secret{ObjectMeta: w.meta("party-invite")})
	restored := &v1alpha1.Invite{ObjectMeta: w.meta("party"), Spec: invite.Spec}
	restored.Annotations, restored.Finalizers = invite.Annotations, invite.Finalizers
	w.create(restored)
	for i := range backup.Items { // without their status
		w.delete(backup.Items[i].DeepCopy())
		again := &v1alpha1.Redemption{ObjectMeta: w.meta(backup.Items[i].Name), Spec: backup.Items[i].Spec}
		again.Labels = backup.Items[i].Labels
		w.create(again)
	}
	w.openEmbedded()
	w.ready(&v1alpha1.Invite{}, "party")
	w.state("party", v1alpha1.InvitePending, 3)
	w.came("fay")
	if status, _ := w.register("gus", old); status != http.StatusNotFound {
		t.Errorf("the link of before the restore answers %d", status)
	}
	w.eventually("an event says whose link was removed", func() bool { return w.warned("party", "removed the link that this Invite had under another UID") })
	w.mustRegister("gus", w.code("party"))
	if status, _ := w.register("hal", w.code("party")); status != http.StatusGone {
		t.Errorf("a fifth: %d", status)
	}
	w.state("party", v1alpha1.InviteExhausted, 4)
}

// TestAServerThatGoesBackAndForthCountsEverybodyOnce: an older database comes back, and then the newer one again.
func TestAServerThatGoesBackAndForthCountsEverybodyOnce(t *testing.T) {
	t.Parallel()
	root := t.TempDir()
	server := newRestorable(t, root)
	w := newInviteWorldOf(t, root, server.url)
	w.invite("party", func(s *v1alpha1.InviteSpec) { s.MaxUses = new(int32(3)) })
	code := w.code("party")
	w.mustRegister("cat", code)
	w.came("cat")
	older := server.backup()
	w.mustRegister("dan", code)
	w.came("dan")
	w.state("party", v1alpha1.InvitePending, 2)
	newer := server.backup()
	remembers := func(part string) {
		t.Helper()
		w.eventually("the record has "+part, func() bool {
			return strings.Contains(get(w.world, &v1alpha1.Invite{}, "party").Annotations[v1alpha1.AnnotationOwned], part)
		})
	}
	for range 2 {
		server.putBack(older)
		remembers(`"earlier":1`)
		server.putBack(newer)
		remembers(`"imported":2`)
		w.state("party", v1alpha1.InvitePending, 2)
	}
	w.mustRegister("fay", code)
	w.state("party", v1alpha1.InviteExhausted, 3)
	if status, _ := w.register("gus", code); status != http.StatusGone {
		t.Errorf("a fourth: %d", status)
	}
	w.ready(&v1alpha1.Invite{}, "party")
}

// TestWhoCameBetweenTwoBackupsIsRecorded: while Usher is away, somebody comes between two backups, and the older comes back. Somebody
// else comes and is recorded; then the newer one comes back. Whoever came first is recorded, and ends as the Invite says. One whose
// Redemption was deleted meanwhile stays taken back.
func TestWhoCameBetweenTwoBackupsIsRecorded(t *testing.T) {
	t.Parallel()
	root := t.TempDir()
	server := newRestorable(t, root)
	w := newInviteWorldOf(t, root, server.url)
	w.invite("party", func(s *v1alpha1.InviteSpec) {
		s.MaxUses = new(int32(5))
		s.Account = &v1alpha1.InvitedAccount{ExpiresAfter: new(v1alpha1.NewDuration(720 * time.Hour))}
	})
	code := w.code("party")
	w.stop()
	older := server.backup()
	w.mustRegister("ann", code)
	newer := server.backup()
	server.putBack(older)
	w.mustRegister("bob", code)
	w.openEmbedded()
	w.came("bob")
	w.state("party", v1alpha1.InvitePending, 1)
	newest := server.backup()

	server.putBack(newer)
	if ann := w.came("ann"); ann.Spec.ExpiresAt == nil {
		t.Error("she has no end")
	}
	w.state("party", v1alpha1.InvitePending, 2)
	var redemptions v1alpha1.RedemptionList
	if err := w.client.List(t.Context(), &redemptions, client.InNamespace(w.namespace)); err != nil || len(redemptions.Items) != 2 {
		t.Fatalf("%d Redemptions: %v", len(redemptions.Items), err)
	}
	w.delete(&redemptions.Items[0], &redemptions.Items[1])
	for person, file := range map[string]string{"cat": newest, "dan": newer} {
		server.putBack(file)
		w.mustRegister(person, code) // so that the list is read
		w.came(person)
	}
	w.state("party", v1alpha1.InvitePending, 4)
	if err := w.client.List(t.Context(), &redemptions, client.InNamespace(w.namespace)); err != nil {
		t.Fatal(err)
	}
	for _, one := range redemptions.Items {
		if one.Spec.Accounts[0].Username == "ann" || one.Spec.Accounts[0].Username == "bob" {
			t.Errorf("%s was taken back, and is recorded again", one.Spec.Accounts[0].Username)
		}
	}
}

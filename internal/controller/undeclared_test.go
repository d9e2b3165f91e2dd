package controller_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/usher-media/usher/api/v1alpha1"
	"github.com/usher-media/usher/internal/media"
	"github.com/usher-media/usher/internal/media/memory"
)

// TestNobodyOwnsItByItsNameAlone: what has the name of a manifest and is not its own is declared by nobody.
func TestNobodyOwnsItByItsNameAlone(t *testing.T) {
	t.Parallel()
	w := newWorld(t, memory.Options{})
	w.store.AddAccount(media.Account{Username: "ann", Role: media.RoleMember}, "ann's own password")
	w.sync()
	w.create(w.library("movies"), w.user("ann"), w.user("bob"))
	w.condition(&v1alpha1.User{}, "ann", v1alpha1.ConditionStalled, metav1.ConditionTrue, v1alpha1.ReasonConflict)
	w.ready(&v1alpha1.User{}, "bob")
	w.ready(&v1alpha1.Library{}, "movies")
	w.store.AddLibrary(media.Library{Name: "Movies", MediaType: "Movies", Paths: []string{"/other"}})
	w.look()
	w.eventually("both are named", func() bool {
		undeclared := get(w, &v1alpha1.MediaServer{}, serverName).Status.Undeclared
		return undeclared != nil && slices.Equal(undeclared.Accounts.Names, []string{"ann"}) && slices.Equal(undeclared.Libraries.Names, []string{"Movies"})
	})
	table := w.kubectlOutput("get", "mediaserver", serverName, "-n", w.namespace, "-o", "wide")
	if header, _, _ := strings.Cut(table, "\n"); !strings.Contains(header, "UNDECLARED USERS") || !strings.Contains(header, "UNDECLARED LIBRARIES") {
		t.Errorf("the table does not count both:\n%s", table)
	}
}

// TestObserveDeclaresWhatItWouldTakeOver, and nothing that it would leave alone.
func TestObserveDeclaresWhatItWouldTakeOver(t *testing.T) {
	t.Parallel()
	w := newIdleWorld(t, memory.Options{})
	for _, name := range []string{"Movies", "Tv"} {
		w.store.AddLibrary(media.Library{Name: name, MediaType: "Movies", Paths: []string{"/other"}})
	}
	w.store.AddAccount(media.Account{Username: "ann", Role: media.RoleMember, Disabled: true}, "ann's own password")
	w.store.AddAccount(media.Account{Username: "bob", Role: media.RoleMember}, "bob's own password")
	w.start()
	server, movies := w.mediaServer(), w.library("movies")
	server.Spec.Mode, movies.Spec.AdoptionPolicy = v1alpha1.ModeObserve, v1alpha1.LibraryAdoptionIfUnique
	w.create(movies, w.library("tv"), w.user("ann"), w.user("bob"), server)
	w.eventually("those are named that nobody would take over", func() bool {
		undeclared := get(w, &v1alpha1.MediaServer{}, serverName).Status.Undeclared
		return undeclared != nil && slices.Equal(undeclared.Accounts.Names, []string{"bob"}) && slices.Equal(undeclared.Libraries.Names, []string{"Tv"})
	})
}

// TestAnAccountThatComesBackAndCanSignInIsTold: Users are deleted, and an older database brings their accounts back, one of them
// disabled. They are left as they are; the MediaServer counts who can sign in, and says by an event that there are more.
func TestAnAccountThatComesBackAndCanSignInIsTold(t *testing.T) {
	t.Parallel()
	w := newIdleWorld(t, memory.Options{})
	w.store.AddAccount(media.Account{Username: "neighbour", Role: media.RoleMember}, "a password of theirs")
	w.start()
	off := w.user("off")
	off.Spec.Disabled = true
	on := w.user("on")
	for _, user := range []*v1alpha1.User{off, on} {
		user.Spec.DeletionPolicy = v1alpha1.UserDeletionDelete
	}
	w.create(w.mediaServer(), on, off)
	w.ready(&v1alpha1.User{}, "on")
	w.ready(&v1alpha1.User{}, "off")
	w.sync()
	counted := func(accounts, enabled int32, names ...string) {
		t.Helper()
		w.eventually(fmt.Sprintf("%d are undeclared, and %d of them can sign in", accounts, enabled), func() bool {
			found := get(w, &v1alpha1.MediaServer{}, serverName).Status.Undeclared
			return found != nil && found.EnabledAccounts != nil && found.Accounts.Total == accounts && found.EnabledAccounts.Total == enabled && slices.Equal(found.EnabledAccounts.Names, names)
		})
	}
	counted(1, 1, "neighbour")
	older := w.store.Backup()
	w.delete(on, off)
	w.gone(on)
	w.gone(off)
	w.sync()
	counted(1, 1, "neighbour")
	if n := w.warnings(serverName, "UndeclaredAccounts"); n != 0 {
		t.Errorf("%d events of who was there from the beginning", n)
	}
	older()
	w.sync()
	counted(3, 2, "neighbour", "on")
	w.clock.set(time.Minute)
	w.sync()
	w.eventually("an event says so, since they stay", func() bool { return w.warnings(serverName, "UndeclaredAccounts") == 1 })
	for name, disabled := range map[string]bool{"on": false, "off": true} {
		if account, there := w.store.Account(name); !there || account.Disabled != disabled {
			t.Errorf("%s was touched: %+v", name, account)
		}
	}
	w.sync()
	counted(3, 2, "neighbour", "on")
	if n := w.warnings(serverName, "UndeclaredAccounts"); n != 1 {
		t.Errorf("%d events of the same", n)
	}
}

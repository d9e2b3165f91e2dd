package controller_test

import (
	"context"
	"slices"
	"sync/atomic"
	"testing"
	"time"

	"github.com/usher-media/usher/api/v1alpha1"
	"github.com/usher-media/usher/internal/media"
	"github.com/usher-media/usher/internal/media/memory"
)

// TestUnmanagedAccessIsRemovedOnlyWithAFullList: while a declared library is missing from the list, nobody can tell
// which of the others is undeclared.
func TestUnmanagedAccessIsRemovedOnlyWithAFullList(t *testing.T) {
	t.Parallel()
	w := newIdleWorld(t, memory.Options{Traits: quick})
	private := w.store.AddLibrary(media.Library{Name: "Private", MediaType: "Movies", Paths: []string{"/media/private"}})
	short := &shortLists{store: w.store}
	w.openAs(short.open)
	server := w.mediaServer()
	server.Spec.UnmanagedAccess = v1alpha1.UnmanagedAccessRemove
	w.create(server, w.library("movies"), w.user("ann"), w.grant("g", "*", "*"))
	w.seesExactly("ann", "movies")
	w.ready(&v1alpha1.User{}, "ann")

	short.without("Movies")
	w.sync() // by the end of the second listing, the first is what everything is compared with
	w.sync()
	w.store.EditAccount("ann", func(a *media.Account) {
		access := a.Access.Clone()
		access.Libraries[private] = media.LibraryViewer
		a.Access = access
	})
	w.sync()
	w.sync()
	w.seesExactly("ann", "movies", "private")
	short.without("")
	w.look()
	w.seesExactly("ann", "movies")
}

// TestRemovedPasswordSecretKeepsThePassword: a manifest that no longer names a Secret changes nobody's password.
func TestRemovedPasswordSecretKeepsThePassword(t *testing.T) {
	t.Parallel()
	w := newWorld(t, memory.Options{})
	w.create(w.secret("ann-password", map[string]string{"password": "correct horse"}))
	user := w.user("ann")
	user.Spec.Password = &v1alpha1.Password{SecretRef: &v1alpha1.SecretKeyReference{Name: "ann-password"}}
	w.create(user)
	w.ready(&v1alpha1.User{}, "ann")
	edit(w, user, func(u *v1alpha1.User) { u.Spec.Password = nil })
	w.ready(&v1alpha1.User{}, "ann")
	w.sync()
	w.ready(&v1alpha1.User{}, "ann")
	if !w.store.CheckPassword("ann", "correct horse") || w.store.Count(memory.SetPassword) != 1 {
		t.Errorf("the password was changed: %d times set", w.store.Count(memory.SetPassword))
	}
}

// TestExpiryIsNoDrift: what ends by its manifest was not changed by anybody's hand.
func TestExpiryIsNoDrift(t *testing.T) {
	t.Parallel()
	w := newWorld(t, memory.Options{})
	w.create(w.library("movies"), w.user("ann"))
	grant := w.grant("g", "*", "*")
	ends := v1alpha1.NewTime(time.Now().Add(windowForTests).Truncate(1e9))
	grant.Spec.NotAfter = &ends
	w.create(grant)
	w.seesExactly("ann", "movies")
	w.seesExactly("ann")
	w.ready(&v1alpha1.User{}, "ann")
	if user := get(w, &v1alpha1.User{}, "ann"); user.Status.Drift != nil || w.metric("usher_drift_found_total") != 0 {
		t.Errorf("the end of a grant counts as drift: %+v", user.Status.Drift)
	}
}

// windowForTests is long enough for what a window gives to be seen before it ends.
const windowForTests = 6 * time.Second

// shortLists opens drivers whose lists lack a library for as long as they are told to.
type shortLists struct {
	store *memory.Store
	// lacking is the name of the library.
	lacking atomic.Value
}

func (s *shortLists) without(name string) { s.lacking.Store(name) }

func (s *shortLists) open(config media.Config) (media.Driver, error) {
	driver, err := s.store.Open(config)
	return shortDriver{driver, s}, err
}

type shortDriver struct {
	media.Driver
	lists *shortLists
}

// Library fails for what the list lacks: one that is found by its id would be known after all.
func (d shortDriver) Library(ctx context.Context, id media.LibraryID) (media.Library, error) {
	library, err := d.Driver.Library(ctx, id)
	if lacking, _ := d.lists.lacking.Load().(string); err == nil && library.Name == lacking {
		return media.Library{}, &media.Error{Code: media.Unavailable, Message: "the server answered 500", Answered: true}
	}
	return library, err
}

func (d shortDriver) List(ctx context.Context) (media.Listing, error) {
	listing, err := d.Driver.List(ctx)
	lacking, _ := d.lists.lacking.Load().(string)
	listing.Libraries = slices.DeleteFunc(listing.Libraries, func(l media.Library) bool { return l.Name == lacking })
	return listing, err
}

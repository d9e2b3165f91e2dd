package controller_test

import (
	"fmt"
	"testing"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/usher-media/usher/api/v1alpha1"
	"github.com/usher-media/usher/internal/media"
	"github.com/usher-media/usher/internal/media/memory"
)

// TestMembersOfALibrary: the owner first, and everybody with the role that is true.
func TestMembersOfALibrary(t *testing.T) {
	t.Parallel()
	w := newWorld(t, memory.Options{})
	bob, carl := w.user("bob"), w.user("carl")
	bob.Spec.Role = v1alpha1.AccountRoleAdmin
	w.store.AddAccount(media.Account{Username: "aaron"}, "a password of his own")
	grant := w.grant("admins", "movies", "carl")
	grant.Spec.Role = v1alpha1.LibraryRoleAdmin
	w.create(w.library("movies"), w.user("ann"), bob, carl, w.grant("g", "*", "ann"), grant)
	w.ready(&v1alpha1.User{}, "ann", "bob", "carl")
	want := "[owner Owner true, ann Viewer false, bob Admin true, carl Admin false]"
	library := &v1alpha1.Library{}
	w.eventually("the members are "+want, func() bool {
		get(w, library, "movies")
		if library.Status.Members == nil {
			return false
		}
		text := ""
		for i, m := range library.Status.Members.Items {
			if i > 0 {
				text += ", "
			}
			text += fmt.Sprintf("%s %s %t", m.Username, m.Role, m.All)
		}
		return "["+text+"]" == want
	})
	// Where a library has an owner of its own, that one is first, whatever the list says.
	aaron, _ := w.store.Account("aaron")
	id := media.LibraryID(ownedID(library))
	w.store.EditLibrary(id, func(l *media.Library) { l.Owner = aaron.ID })
	w.sync()
	w.eventually("aaron is the first", func() bool {
		m := get(w, library, "movies").Status.Members
		return m.Items[0].Username == "aaron" && m.Items[0].Role == v1alpha1.LibraryMemberOwner && m.Total == 5
	})
}

// TestALibraryThatIsSeenAsPartOfEverythingGoes: no list keeps it from being deleted that gives it besides everything, also where
// the account has another name on the server.
func TestALibraryThatIsSeenAsPartOfEverythingGoes(t *testing.T) {
	t.Parallel()
	w := newWorld(t, memory.Options{})
	ann, bob := w.user("ann"), w.user("bob")
	ann.Spec.Access = v1alpha1.UserAccessAll
	w.create(w.library("movies"), w.library("tv"), ann, bob, w.grant("g", "movies", "bob"))
	w.ready(&v1alpha1.User{}, "ann", "bob")
	w.seesExactly("bob", "movies")
	movies, _ := w.store.Library("Movies")
	w.store.EditAccount("ann", func(a *media.Account) {
		a.Access = a.Access.Clone()
		a.Access.Libraries[movies.ID] = media.LibraryViewer
	})
	w.store.EditAccount("bob", func(a *media.Account) { a.Username = "bobby" })
	w.sync()
	w.condition(&v1alpha1.User{}, "bob", v1alpha1.ConditionStalled, metav1.ConditionTrue, v1alpha1.ReasonConflict)
	edit(w, bob, func(u *v1alpha1.User) { u.Spec.Access = v1alpha1.UserAccessAll })
	w.delete(w.library("movies"))
	w.gone(w.library("movies"))
	if bobby, _ := w.store.Account("bobby"); bobby.Access.Holds(movies.ID) {
		t.Error("bobby keeps it as a library that nobody declares")
	}
	edit(w, ann, func(u *v1alpha1.User) { u.Spec.Access = v1alpha1.UserAccessGranted })
	w.seesExactly("ann")
}

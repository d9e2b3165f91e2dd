package faults

import (
	"context"
	"maps"
	"slices"
	"strings"
	"time"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/meta"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/usher-media/usher/api/v1alpha1"
	"github.com/usher-media/usher/internal/media"
)

// expectations are what everybody is to have at every moment, since nothing took it away since the last quiet point.
type expectations struct {
	// sees are the libraries that somebody saw then and that every revision of the manifests gave since.
	sees map[string]map[string]bool
	// passwords worked then, and nobody asked for another one since; those in chosen their holders chose.
	passwords, chosen map[string]string
	// rotated are the generated passwords that somebody asked to replace, and rotations the values by which they did: one that
	// is used again makes the same password again.
	rotated   map[string][]string
	rotations map[string]bool
	// takingNothing: objects go and come back, and that is to take nothing.
	takingNothing bool
}

// expect begins anew with what everybody has at a quiet point.
func (o *oracle) expect(m manifests) {
	passwords := o.h.credentials()
	o.expected.sees, o.expected.passwords = map[string]map[string]bool{}, map[string]string{}
	if o.expected.chosen == nil {
		o.expected.chosen = map[string]string{}
	}
	allowed := m.allowances(time.Now())
	for username, p := range o.h.system.people() {
		a, declared := allowed[username]
		if !declared {
			continue
		}
		o.expected.sees[username] = map[string]bool{}
		for _, library := range p.Sees {
			if a.sees[library] {
				o.expected.sees[username][library] = true
			}
		}
		for _, password := range []string{o.expected.chosen[username], passwords[username]} {
			if password != "" && o.h.system.accepts(username, password) {
				o.expected.passwords[username] = password
				break
			}
		}
	}
}

// credentials are the generated passwords, by username.
func (h *house) credentials() map[string]string {
	h.t.Helper()
	var secrets corev1.SecretList
	if err := h.client.List(context.Background(), &secrets, client.InNamespace(h.namespace)); err != nil {
		h.t.Fatal(err)
	}
	passwords := map[string]string{}
	for i := range secrets.Items {
		if strings.HasSuffix(secrets.Items[i].Name, "-credentials") {
			passwords[string(secrets.Items[i].Data["username"])] = string(secrets.Items[i].Data["password"])
		}
	}
	return passwords
}

// narrow expects no more than a revision of the manifests gives.
func (o *oracle) narrow(m manifests) {
	if o.expected.takingNothing {
		return
	}
	allowed := m.allowances(time.Now())
	for username, libraries := range o.expected.sees {
		a := allowed[username]
		maps.DeleteFunc(libraries, func(library string, _ bool) bool { return !a.enabled || !a.sees[library] })
		if !a.enabled && o.h.locksOut() {
			delete(o.expected.passwords, username)
		}
	}
}

// locksOut says whether a server without a switch takes the password, or the libraries, from who is disabled.
func (h *house) locksOut() bool {
	on := h.memory()
	return on != nil && on.switchless
}

// rotated expects the password no more of which a User asks for another one now.
func (o *oracle) rotated(was manifests, object client.Object) {
	user, is := object.(*v1alpha1.User)
	if !is || (o.expected.takingNothing && was.users[user.Name] == nil) {
		return
	}
	before := was.users[user.Name]
	if before == nil || before.Annotations[v1alpha1.AnnotationRotatePassword] != user.Annotations[v1alpha1.AnnotationRotatePassword] {
		o.retire(before, user)
		delete(o.expected.passwords, user.Spec.Username)
	}
}

// retire remembers a generated password that is to be replaced: it may be known to somebody.
func (o *oracle) retire(before, user *v1alpha1.User) {
	if o.expected.rotations == nil {
		o.expected.rotated, o.expected.rotations = map[string][]string{}, map[string]bool{}
	}
	name := user.Spec.Username
	value := user.Name + " " + user.Annotations[v1alpha1.AnnotationRotatePassword]
	again := o.expected.rotations[value]
	o.expected.rotations[value] = true
	if again {
		delete(o.expected.rotated, name)
		return
	}
	password := o.expected.passwords[name]
	if before == nil || password == "" || password == o.expected.chosen[name] {
		return
	}
	o.expected.rotated[name] = append(o.expected.rotated[name], password)
}

// rotatedBack says who can sign in with a password that was rotated away; empty for nobody. A server that does not tell when
// passwords were set may be put back to an earlier one unseen.
func (h *house) rotatedBack(m manifests) string {
	if on := h.memory(); on == nil || !on.telling {
		return ""
	}
	h.oracle.mu.Lock()
	defer h.oracle.mu.Unlock()
	for _, user := range m.users {
		if !meta.IsStatusConditionTrue(user.Status.Conditions, v1alpha1.ConditionReady) {
			continue
		}
		for _, password := range h.oracle.expected.rotated[user.Spec.Username] {
			if h.system.accepts(user.Spec.Username, password) {
				return user.Spec.Username + " has a password again that was rotated away"
			}
		}
	}
	return ""
}

// beforeDelete expects nothing any more that an object gave.
func (o *oracle) beforeDelete(object client.Object) {
	m := o.h.read()
	before := m.allowances(time.Now())
	m.remove(object)
	o.mu.Lock()
	defer o.mu.Unlock()
	for username, a := range before { // some are declared by whom they came by, of which the oracle has not heard
		o.allowed[username] = o.allowed[username].add(a)
	}
	o.narrow(m)
	if !o.expected.takingNothing {
		o.made.forget(object)
	}
	if user, is := object.(*v1alpha1.User); is && !o.expected.takingNothing {
		delete(o.expected.passwords, user.Spec.Username) // one that is taken over while it is shut gets another
	}
}

// takingNothing does what is to take nothing from anybody, though objects go.
func (o *oracle) takingNothing(do func()) {
	set := func(to bool) {
		o.mu.Lock()
		defer o.mu.Unlock()
		o.expected.takingNothing = to
	}
	set(true)
	defer set(false)
	do()
}

// expectNothing is for what takes access on its way to where it is given again.
func (o *oracle) expectNothing() {
	o.mu.Lock()
	defer o.mu.Unlock()
	clear(o.expected.sees)
}

// expectNoPasswords is for what gives everybody another password.
func (o *oracle) expectNoPasswords() {
	o.mu.Lock()
	defer o.mu.Unlock()
	clear(o.expected.passwords)
}

// expectChosenPasswordsAlone is for what makes generated passwords anew.
func (o *oracle) expectChosenPasswordsAlone() {
	o.mu.Lock()
	defer o.mu.Unlock()
	maps.DeleteFunc(o.expected.passwords, func(username, password string) bool { return password != o.expected.chosen[username] })
}

// expectNoPasswordOf is for an account that is given another password.
func (o *oracle) expectNoPasswordOf(username string) {
	o.mu.Lock()
	defer o.mu.Unlock()
	delete(o.expected.passwords, username)
}

// expectNoPasswordOfTheShut is for an account that is taken over: if it is shut then, it gets another password before it is
// opened.
func (o *oracle) expectNoPasswordOfTheShut(username string) {
	if o.h.system.people()[username].Disabled {
		o.expectNoPasswordOf(username)
	}
}

// chooses has the holder of an account choose a password. One of an account that is disabled may be replaced when a User adopts it:
// nobody knows who chose it.
func (o *oracle) chooses(on *memorySystem, username, password string) {
	if account, _ := on.store.Account(username); account.Disabled || !on.store.ChangePassword(username, password) {
		return
	}
	on.store.EditAccount(username, func(a *media.Account) { a.PasswordChosen = true })
	o.mu.Lock()
	defer o.mu.Unlock()
	o.expected.passwords[username], o.expected.chosen[username] = password, password
}

// expectAsFound expects no more than is there after something was done by hand.
func (o *oracle) expectAsFound(people map[string]person) {
	for username, libraries := range o.expected.sees {
		maps.DeleteFunc(libraries, func(library string, _ bool) bool { return !slices.Contains(people[username].Sees, library) })
	}
	maps.DeleteFunc(o.expected.passwords, func(username, password string) bool {
		return !people[username].Disabled && !o.h.system.accepts(username, password)
	})
}

// missed says what somebody has lost that nothing took.
func (o *oracle) missed(write string, people map[string]person) {
	for username, libraries := range o.expected.sees {
		for library := range libraries {
			if !slices.Contains(people[username].Sees, library) {
				o.complain("after %q: %s does not see %s any more, which nothing took", write, username, library)
				delete(libraries, library)
			}
		}
	}
	for username, password := range o.expected.passwords {
		if !people[username].Disabled && !o.h.system.accepts(username, password) { // on some servers, who is disabled cannot sign in with any
			o.complain("after %q: the password of %s (chosen: %t) was changed, which nobody asked for", write, username, password == o.expected.chosen[username])
			delete(o.expected.passwords, username)
		}
	}
}

// remove takes an object out.
func (m manifests) remove(object client.Object) {
	switch object.(type) {
	case *v1alpha1.User:
		delete(m.users, object.GetName())
	case *v1alpha1.Library:
		delete(m.libraries, object.GetName())
	case *v1alpha1.LibraryGrant:
		delete(m.grants, object.GetName())
	case *v1alpha1.Redemption:
		delete(m.redemptions, object.GetName())
	}
}

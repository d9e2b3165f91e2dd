package faults

import (
	"fmt"
	"maps"
	"slices"
	"sync"
	"time"

	"k8s.io/apimachinery/pkg/api/meta"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/usher-media/usher/api/v1alpha1"
	"github.com/usher-media/usher/internal/media"
)

// oracle watches at every moment that nobody has more than some revision of the manifests since the last quiet point
// gives, and that accounts which no manifest names stay as they are.
type oracle struct {
	h  *house
	mu sync.Mutex
	// allowed is the sum of the revisions since the last quiet point, by username.
	allowed map[string]allowance
	// found is what accounts were found to have at the last quiet point, or were given by hand since.
	found map[string]person
	// aliases are the names of declared accounts that were renamed by hand: they may lose what they have.
	aliases map[string]bool
	// looks counts the moments.
	looks int
	// broken are the first complaints.
	broken []string
	// expected is what is to stay.
	expected expectations
	// made is what the operator made, and for which object.
	made made
}

func newOracle(h *house) *oracle {
	return &oracle{h: h, allowed: map[string]allowance{}, found: map[string]person{}, aliases: map[string]bool{}, made: made{}}
}

// beforeChange adds what the manifests give once an object is as it is about to be.
func (o *oracle) beforeChange(object client.Object) {
	m := o.h.read()
	was := manifests{users: maps.Clone(m.users), libraries: maps.Clone(m.libraries)}
	m.put(object)
	o.mu.Lock()
	defer o.mu.Unlock()
	for username, a := range m.allowances(time.Now()) {
		o.allowed[username] = o.allowed[username].add(a)
	}
	o.narrow(m)
	o.rotated(was, object)
	o.recordChanges(was, object)
}

// byHand does what somebody does on the server itself, of which nobody is to be blamed.
func (o *oracle) byHand(do func(system)) {
	o.mu.Lock()
	defer o.mu.Unlock()
	do(o.h.system)
	for username, p := range o.h.system.people() {
		if _, declared := o.allowed[username]; declared { // what it had before may be there still, until it is looked at
			p.Sees = union(p.Sees, o.found[username].Sees)
		}
		o.found[username] = p
	}
	o.expectAsFound(o.h.system.people())
}

// renamed gives an account another name by hand. Manifests may take from it what they gave, and give it nothing.
func (o *oracle) renamed(username, to string) {
	o.byHand(func(system) { o.h.memory().renameAccount(username, to) })
	o.mu.Lock()
	defer o.mu.Unlock()
	o.aliases[to] = true
}

// settled begins anew: at a quiet point, only what is there now may be there.
func (o *oracle) settled() {
	m := o.h.read()
	o.mu.Lock()
	defer o.mu.Unlock()
	o.allowed = m.allowances(time.Now())
	o.found = o.h.system.people()
	for username, p := range o.found { // what is declared comes from manifests alone
		if a, declared := o.allowed[username]; declared && !m.stalled(username) { // else the account is not the User's
			p.Sees = slices.DeleteFunc(slices.Clone(p.Sees), func(name string) bool { return !a.all && m.declares(name) && !a.sees[name] })
			o.found[username] = p
		}
	}
	o.expect(m)
}

// stalled says whether the User with a username waits for a person.
func (m manifests) stalled(username string) bool {
	for _, user := range m.users {
		if user.Spec.Username == username && meta.IsStatusConditionTrue(user.Status.Conditions, v1alpha1.ConditionStalled) {
			return true
		}
	}
	return false
}

func (m manifests) declares(name string) bool {
	for _, library := range m.libraries {
		if library.Spec.DisplayName == name {
			return true
		}
	}
	return false
}

// look is one moment: the operator has just written something.
func (o *oracle) look(write string) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.looks++
	people := o.h.system.people()
	o.made.note(o.h.memory(), write)
	o.missed(write, people)
	for _, username := range slices.Sorted(maps.Keys(people)) {
		p := people[username]
		a, declared := o.allowed[username]
		found, known := o.found[username]
		if !declared && !known {
			o.complain("after %q: there is an account %q that nobody asked for", write, username)
			continue
		}
		for _, library := range p.Sees {
			byRole := o.h.system.adminsSeeAll() && a.admin && p.Role == media.RoleAdmin
			if !a.all && !byRole && !a.sees[library] && !slices.Contains(found.Sees, library) {
				o.complain("after %q: %s sees %s, which no revision of the manifests gives", write, username, library)
			}
		}
		if !p.Disabled && !a.enabled && (!known || found.Disabled) {
			o.complain("after %q: %s can sign in, which no revision of the manifests allows", write, username)
		}
		if o.aliases[username] {
			continue // what it gains, was complained of above
		}
		if !declared && known && (p.Disabled != found.Disabled || fmt.Sprint(p.Sees) != fmt.Sprint(found.Sees)) {
			o.complain("after %q: the undeclared account %s was changed from %+v to %+v", write, username, found, p)
		}
	}
}

func (o *oracle) complain(format string, args ...any) {
	if len(o.broken) < 20 {
		o.broken = append(o.broken, fmt.Sprintf(format, args...))
	}
}

// verdict fails the test for what was seen, and returns how many moments were looked at.
func (o *oracle) verdict() int {
	o.mu.Lock()
	defer o.mu.Unlock()
	for _, complaint := range o.broken {
		o.h.t.Errorf("%s: %s", o.h, complaint)
	}
	return o.looks
}

func union(a, b []string) []string {
	all := append(slices.Clone(a), b...)
	slices.Sort(all)
	return slices.Compact(all)
}

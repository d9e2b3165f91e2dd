package faults

import (
	"strings"

	"k8s.io/apimachinery/pkg/api/meta"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/usher-media/usher/api/v1alpha1"
)

// made are the accounts and libraries that the operator made, by id, and for which object: whatever backups come and go, no
// such account or library is called a stranger's as long as that object is there and keeps its record.
type made map[string]string

// note takes note of what a write has made.
func (m made) note(on *memorySystem, write string) {
	if on == nil {
		return
	}
	if name, account := strings.CutPrefix(write, "media: CreateAccount "); account {
		if found, there := on.store.Account(name); there {
			m[string(found.ID)] = "User " + name
		}
	}
	if name, library := strings.CutPrefix(write, "media: CreateLibrary "); library {
		if found, there := on.store.Library(name); there {
			m[string(found.ID)] = "Library " + name
		}
	}
}

// forget is for an object that is not the one that something was made for any more: it is another one, or has lost its record.
func (m made) forget(object client.Object) {
	for id, what := range m {
		if what == standsFor(object) {
			delete(m, id)
		}
	}
}

func standsFor(object client.Object) string {
	switch o := object.(type) {
	case *v1alpha1.User:
		return "User " + o.Spec.Username
	case *v1alpha1.Library:
		return "Library " + o.Spec.DisplayName
	}
	return ""
}

// recordChanges forgets what was made for an object whose record is about to go, or which a person decides on.
func (o *oracle) recordChanges(was manifests, object client.Object) {
	var before client.Object
	switch object.(type) {
	case *v1alpha1.User:
		if user := was.users[object.GetName()]; user != nil {
			before = user
		}
	case *v1alpha1.Library:
		if library := was.libraries[object.GetName()]; library != nil {
			before = library
		}
	}
	if before == nil {
		return
	}
	for _, annotation := range []string{v1alpha1.AnnotationOwned, v1alpha1.AnnotationForgetID, v1alpha1.AnnotationConfirmID} {
		if before.GetAnnotations()[annotation] != object.GetAnnotations()[annotation] {
			o.made.forget(object)
		}
	}
}

// disowned says what was made for an object that calls it a stranger's; empty when nothing is.
func (h *house) disowned() string {
	on := h.memory()
	if on == nil {
		return ""
	}
	h.oracle.mu.Lock()
	defer h.oracle.mu.Unlock()
	for _, object := range h.objects() {
		stalled := meta.FindStatusCondition(*object.StatusConditions(), v1alpha1.ConditionStalled)
		if stalled == nil || stalled.Status != "True" || stalled.Reason != v1alpha1.ReasonConflict {
			continue
		}
		var id string
		switch o := object.(type) {
		case *v1alpha1.User:
			account, _ := on.store.Account(o.Spec.Username)
			id = string(account.ID)
		case *v1alpha1.Library:
			library, _ := on.store.Library(o.Spec.DisplayName)
			id = string(library.ID)
		}
		if what := standsFor(object); id != "" && h.oracle.made[id] == what {
			return what + " takes " + id + ", which was made for it, for somebody else's: " + stalled.Message
		}
	}
	return ""
}

// another is for an object that is made anew, with nothing of what was recorded.
func (o *oracle) another(object client.Object) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.made.forget(object)
}

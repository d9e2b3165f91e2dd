package faults

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"k8s.io/apimachinery/pkg/api/meta"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/usher-media/usher/api/v1alpha1"
)

// quiet waits until everything is as the manifests say and the operator has nothing to do, and makes that the point
// from which the oracle counts.
func (h *house) quiet() {
	h.t.Helper()
	var why string
	defer func() {
		if h.t.Failed() && why != "" {
			h.t.Logf("%s is not quiet: %s\n%s", h, why, h.snapshot())
		}
	}()
	h.eventually("everything is quiet and as the manifests say", func() bool {
		why = h.unrest()
		return why == ""
	})
	h.oracle.look("all that was to be done")
	h.oracle.settled()
}

// unrest says what is not as it should be in the end; empty when all is.
func (h *house) unrest() string {
	m := h.read()
	for _, object := range h.objects() {
		if m.dangles(object) {
			continue // says so for as long as what it names is not there
		}
		ready := meta.FindStatusCondition(*object.StatusConditions(), v1alpha1.ConditionReady)
		switch {
		case !object.GetDeletionTimestamp().IsZero():
			return fmt.Sprintf("%T %s is being deleted", object, object.GetName())
		case ready == nil || ready.ObservedGeneration != object.GetGeneration():
			return fmt.Sprintf("%T %s is not looked at", object, object.GetName())
		case !meta.IsStatusConditionTrue(*object.StatusConditions(), v1alpha1.ConditionStalled) && ready.Status != "True":
			return fmt.Sprintf("%T %s: %s: %s", object, object.GetName(), ready.Reason, ready.Message)
		}
		if problems := statusProblems(object); len(problems) > 0 {
			return fmt.Sprintf("%T %s %s", object, object.GetName(), problems)
		}
	}
	for _, why := range []string{h.unrecorded(m), h.wrongLinks(m), h.disowned(), h.rotatedBack(m)} {
		if why != "" {
			return why
		}
	}
	return h.inexact()
}

// dangles says whether a grant or an Invite names something that is not there.
func (m manifests) dangles(object client.Object) bool {
	switch o := object.(type) {
	case *v1alpha1.LibraryGrant:
		return m.danglingGrant(o)
	case *v1alpha1.Invite:
		given := o.Spec.Offers[0].Libraries
		return o.DeletionTimestamp.IsZero() && given != nil && slices.ContainsFunc(given.Refs, func(ref v1alpha1.LocalReference) bool { return m.libraries[ref.Name] == nil })
	}
	return false
}

func (m manifests) danglingGrant(grant *v1alpha1.LibraryGrant) bool {
	for _, ref := range grant.Spec.Libraries.Refs {
		if m.libraries[ref.Name] == nil {
			return true
		}
	}
	for _, ref := range grant.Spec.Users.Refs {
		if m.users[ref.Name] == nil {
			return true
		}
	}
	return false
}

// inexact says who does not have exactly what the manifests give; empty when all have. Access to undeclared libraries,
// and accounts that somebody disabled by hand, stay as they are.
func (h *house) inexact() string {
	m, people := h.read(), h.system.people()
	allowed := m.allowances(time.Now())
	for _, name := range slices.Sorted(maps.Keys(m.users)) {
		user := m.users[name]
		p, there := people[user.Spec.Username]
		if !there {
			if meta.IsStatusConditionTrue(user.Status.Conditions, v1alpha1.ConditionStalled) {
				continue
			}
			return "there is no account " + user.Spec.Username
		}
		if meta.IsStatusConditionTrue(user.Status.Conditions, v1alpha1.ConditionStalled) {
			continue // not ours to change
		}
		var sees, want []string
		for _, library := range p.Sees {
			if m.declares(library) {
				sees = append(sees, library)
			}
		}
		gives := allowed[user.Spec.Username]
		for _, library := range m.libraries {
			if name := library.Spec.DisplayName; gives.admin && h.system.adminsSeeAll() {
				gives.sees[name] = true
			}
		}
		for library := range gives.sees {
			if user.Status.DisableMethod != v1alpha1.DisableNoAccess { // by which nobody sees anything
				want = append(want, library)
			}
		}
		slices.Sort(want)
		if strings.Join(sees, ",") != strings.Join(want, ",") {
			return fmt.Sprintf("%s sees %q, want %q", user.Spec.Username, sees, want)
		}
		if p.Disabled == allowed[user.Spec.Username].enabled && user.Status.State != v1alpha1.UserDisabledOnServer && user.Status.DisableMethod == "" {
			return fmt.Sprintf("%s is disabled: %t", user.Spec.Username, p.Disabled)
		}
	}
	return ""
}

// rest looks at the server twice more, which must write nothing: not to the server, and not to Kubernetes.
func (h *house) rest() {
	h.t.Helper()
	h.relook() // the counts in the MediaServer's status date from its last look
	h.followed()
	h.process.Arm(0, "")
	before := h.snapshot()
	h.relook()
	h.relook()
	h.followed()
	if writes := h.process.Writes(); len(writes) > 0 {
		h.t.Errorf("%s: at rest the operator wrote %q\n%s", h, writes, differences(before, h.snapshot()))
	}
}

// relook looks at the server once more.
func (h *house) relook() {
	h.t.Helper()
	before := h.process.Lists()
	h.look()
	h.eventually("the server is listed", func() bool { return h.process.Lists() > before })
}

// follows is longer than the operator's derived statuses take to follow what they derive from.
const follows = 1300 * time.Millisecond

// followed waits until the operator has written nothing for longer than its derived statuses take to follow.
func (h *house) followed() {
	h.t.Helper()
	written, since := -1, time.Now()
	h.eventually("the operator has nothing more to write", func() bool {
		if now := len(h.process.Writes()); now != written {
			written, since = now, time.Now()
		}
		return time.Since(since) > follows
	})
}

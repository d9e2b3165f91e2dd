package controller_test

import (
	"regexp"
	"slices"
	"strings"
	"testing"

	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/usher-media/usher/api/v1alpha1"
	"github.com/usher-media/usher/internal/media"
	"github.com/usher-media/usher/internal/media/memory"
)

// writeLine is a line of the log about a write to a media server.
var writeLine = regexp.MustCompile(`"msg"="media server write".*"target"="([^"]*)".*"reason"="((?:[^"\\]|\\.)*)"`)

// reasons are why an account was written, by the log of writes from a line on.
func (w *world) reasons(from int, username string) []string {
	var all []string
	for _, line := range strings.Split(w.logged.text(), "\n")[from:] {
		if found := writeLine.FindStringSubmatch(line); found != nil && found[1] == username {
			for _, reason := range strings.Split(strings.ReplaceAll(found[2], `\"`, `"`), "; ") {
				if !slices.Contains(all, reason) {
					all = append(all, reason)
				}
			}
		}
	}
	return all
}

// TestEnforceDoesWhatObserveSaid, and nothing else: for a new User, one whose account is to be adopted, one with another role and
// other grants, one that is disabled, and one that is enabled again.
func TestEnforceDoesWhatObserveSaid(t *testing.T) {
	t.Parallel()
	w := newIdleWorld(t, memory.Options{})
	w.store.AddAccount(media.Account{Username: "ann", Role: media.RoleMember, Disabled: true}, "ann's own password")
	w.start()
	gone := w.user("gone")
	gone.Spec.Disabled = true
	w.create(w.mediaServer(), w.library("movies"), w.library("tv"), w.user("bob"), w.user("dan"), gone,
		w.grant("all", "*", "*"))
	w.ready(&v1alpha1.Library{}, "movies", "tv")
	w.ready(&v1alpha1.User{}, "bob", "dan", "gone")
	edit(w, w.mediaServer(), func(s *v1alpha1.MediaServer) { s.Spec.Mode = v1alpha1.ModeObserve })

	edit(w, w.user("bob"), func(u *v1alpha1.User) { u.Spec.Role, u.Spec.DisplayName = v1alpha1.AccountRoleEditor, "Bob" })
	edit(w, w.user("dan"), func(u *v1alpha1.User) { u.Spec.Disabled = true })
	edit(w, w.user("gone"), func(u *v1alpha1.User) { u.Spec.Disabled = false })
	w.delete(w.grant("all", "*", "*"))
	w.create(w.user("ann"), w.user("eve"), w.grant("tv", "tv", "*"))
	names := []string{"ann", "bob", "dan", "eve", "gone"}
	plans := map[string][]string{}
	w.eventually("each User has a plan for what its manifest and the grants are now", func() bool {
		for _, name := range names {
			user := get(w, &v1alpha1.User{}, name)
			inSync := meta.FindStatusCondition(user.Status.Conditions, v1alpha1.ConditionInSync)
			if inSync == nil || inSync.Reason != v1alpha1.ReasonObserving || inSync.ObservedGeneration != user.Generation {
				return false
			}
			plan := strings.Join(user.Status.Plan, "; ")
			managed := user.Status.ExternalID != ""
			if managed != strings.Contains(plan, "access to movies taken away") || managed == strings.Contains(plan, "access to tv given") {
				return false
			}
			plans[name] = user.Status.Plan
		}
		return true
	})
	from := len(strings.Split(w.logged.text(), "\n"))
	edit(w, w.mediaServer(), func(s *v1alpha1.MediaServer) { s.Spec.Mode = v1alpha1.ModeEnforce })
	w.eventually("all of it is done", func() bool {
		return !slices.ContainsFunc(names, func(name string) bool {
			user := get(w, &v1alpha1.User{}, name)
			return !meta.IsStatusConditionTrue(user.Status.Conditions, v1alpha1.ConditionInSync) || len(user.Status.Plan) > 0
		})
	})
	for _, name := range names {
		did := w.reasons(from-1, name)
		for _, words := range plans[name] {
			if !slices.Contains(did, words) && !strings.HasPrefix(words, "take over") {
				t.Errorf("%s: %q was planned and not done: %q", name, words, did)
			}
		}
		for _, words := range did {
			if words != "" && !slices.Contains(plans[name], words) {
				t.Errorf("%s: %q was done and not planned: %q", name, words, plans[name])
			}
		}
	}
}

// TestObserveSaysWhatIsWrongToo: a wrong role holds back no access that is taken, and both are said.
func TestObserveSaysWhatIsWrongToo(t *testing.T) {
	t.Parallel()
	w := newIdleWorld(t, memory.Options{})
	w.start()
	w.create(w.mediaServer(), w.library("movies"), w.user("kim"), w.grant("all", "*", "*"))
	w.ready(&v1alpha1.User{}, "kim")
	w.seesExactly("kim", "movies")
	edit(w, w.mediaServer(), func(s *v1alpha1.MediaServer) { s.Spec.Mode = v1alpha1.ModeObserve })
	edit(w, w.user("kim"), func(u *v1alpha1.User) { u.Spec.Role = v1alpha1.AccountRoleOwner })
	const wrong = "an owner is never made"
	w.eventually("the role is said to be wrong", func() bool { return strings.Contains(readyMessage(get(w, &v1alpha1.User{}, "kim")), wrong) })
	w.delete(w.grant("all", "*", "*"))
	w.eventually("both are said", func() bool {
		said := readyMessage(get(w, &v1alpha1.User{}, "kim"))
		return strings.Contains(said, wrong) && strings.Contains(said, "access to movies taken away")
	})
	edit(w, w.mediaServer(), func(s *v1alpha1.MediaServer) { s.Spec.Mode = v1alpha1.ModeEnforce })
	w.condition(&v1alpha1.User{}, "kim", v1alpha1.ConditionStalled, metav1.ConditionTrue, v1alpha1.ReasonInvalidSpec)
	w.seesExactly("kim")
}

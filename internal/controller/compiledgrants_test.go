package controller_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/usher-media/usher/api/v1alpha1"
	"github.com/usher-media/usher/internal/media/memory"
	"github.com/usher-media/usher/internal/testenv"
)

// TestGrantsAreCompiledByTheirChanges: how often LibraryGrants are compiled grows with their number and changes, and not with
// that of the Users, Libraries and reconciles that ask for them.
func TestGrantsAreCompiledByTheirChanges(t *testing.T) {
	t.Parallel()
	const n, most = 30, 4 // by the watch, before and after it is listed, and as it was
	w := newWorld(t, memory.Options{})
	w.create(w.library("movies"), w.library("shows"))
	for i := range 10 {
		w.create(w.user(fmt.Sprintf("u%d", i)))
	}
	compiled := func() int { return int(w.metric("usher_librarygrants_compiled_total")) }
	names := make([]string, n)
	for i := range names {
		names[i] = fmt.Sprintf("g%d", i)
		g := w.grant(names[i], "movies", "*")
		g.Spec.Users = v1alpha1.Targets{Selector: &v1alpha1.LabelSelector{MatchExpressions: []v1alpha1.LabelSelectorRequirement{
			{Key: "group", Operator: "NotIn", Values: []v1alpha1.LabelValue{"guests"}},
		}}}
		w.create(g)
	}
	w.ready(&v1alpha1.LibraryGrant{}, names...)
	for i := range 10 {
		w.seesExactly(fmt.Sprintf("u%d", i), "movies")
	}
	before := compiled()
	if before < n || before > most*n {
		t.Errorf("%d LibraryGrants were compiled %d times", n, before)
	}
	for range 3 {
		w.sync()
	}
	for i := range 10 {
		name := fmt.Sprintf("u%d", i)
		edit(w, w.user(name), func(u *v1alpha1.User) { u.Spec.DisplayName = "Somebody" })
		w.ready(&v1alpha1.User{}, name)
	}
	if after := compiled(); after != before {
		t.Errorf("%d more compilations, though no LibraryGrant has changed", after-before)
	}
	for _, name := range names[1:] { // the switch is no selector
		edit(w, w.grant(name, "", ""), func(g *v1alpha1.LibraryGrant) { g.Spec.Disabled = true })
	}
	w.ready(&v1alpha1.LibraryGrant{}, names...)
	if after := compiled(); after != before {
		t.Errorf("%d more compilations, though no selector has changed", after-before)
	}
}

// TestLargeGrantOfBefore: a selector that is larger than the API takes today, and stored, gives and takes like any other.
func TestLargeGrantOfBefore(t *testing.T) {
	t.Parallel()
	w := newWorld(t, memory.Options{})
	w.create(w.library("movies"), w.user("mia"), w.user("leo", "group=guests"), w.grant("g", "movies", "group=none"))
	w.ready(&v1alpha1.User{}, "mia", "leo")
	values := []any{"guests"}
	for i := range 2000 {
		values = append(values, fmt.Sprintf("%d-%s", i, strings.Repeat("v", 50)))
	}
	testenv.Get(t).Rewrite(t, get(w, &v1alpha1.LibraryGrant{}, "g"), func(stored map[string]any) {
		stored["spec"].(map[string]any)["users"] = map[string]any{"selector": map[string]any{"matchExpressions": []any{
			map[string]any{"key": "group", "operator": "NotIn", "values": values},
		}}}
	})
	w.seesExactly("mia", "movies")
	w.seesExactly("leo")
	edit(w, w.grant("g", "", ""), func(g *v1alpha1.LibraryGrant) { g.Spec.Disabled = true })
	w.seesExactly("mia")
	edit(w, w.grant("g", "", ""), func(g *v1alpha1.LibraryGrant) { g.Spec.Disabled = false })
	w.seesExactly("mia", "movies")
	w.delete(w.grant("g", "", ""))
	w.seesExactly("mia")
}

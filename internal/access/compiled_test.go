package access

import (
	"fmt"
	"runtime"
	"strings"
	"sync"
	"testing"
	"time"
	"unsafe"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"

	"github.com/usher-media/usher/api/v1alpha1"
)

// largestGrants are LibraryGrants with selectors of many long values, as an attacker writes them.
func largestGrants(n, expressions, values int) []v1alpha1.LibraryGrant {
	grants := make([]v1alpha1.LibraryGrant, n)
	for i := range grants {
		grants[i] = v1alpha1.LibraryGrant{
			ObjectMeta: metav1.ObjectMeta{Namespace: "media", Name: fmt.Sprintf("g%d", i), UID: types.UID(fmt.Sprintf("uid-%d", i)), Generation: 1},
			Spec:       v1alpha1.LibraryGrantSpec{Libraries: largestTargets(expressions, values), Users: largestTargets(expressions, values)},
		}
	}
	return grants
}

func largestTargets(expressions, values int) v1alpha1.Targets {
	targets := v1alpha1.Targets{Selector: &v1alpha1.LabelSelector{}}
	for e := range expressions {
		requirement := v1alpha1.LabelSelectorRequirement{Key: fmt.Sprintf("example.org/key-%d", e), Operator: v1alpha1.LabelSelectorOperator(metav1.LabelSelectorOpNotIn)}
		for v := range values {
			text := fmt.Sprintf("%d-", v)
			requirement.Values = append(requirement.Values, v1alpha1.LabelValue(text+strings.Repeat("v", 63-len(text))))
		}
		targets.Selector.MatchExpressions = append(targets.Selector.MatchExpressions, requirement)
	}
	return targets
}

// TestEachGrantIsCompiledOnce: however many reconciles list however many LibraryGrants, at once or one after the other, each
// is compiled once, and again only when its spec says something else.
func TestEachGrantIsCompiledOnce(t *testing.T) {
	const n = 40
	grants := largestGrants(n, 2, 3)
	var c GrantCache
	reconcile := func() {
		c.Keep("media", grants)
		if active, _ := ActiveGrants(grants, c.Compile, time.Now()); len(active) != n {
			t.Errorf("%d of %d LibraryGrants are active", len(active), n)
		}
	}
	var all sync.WaitGroup
	for range n {
		all.Go(reconcile)
	}
	all.Wait()
	if got := c.Compilations(); got != n {
		t.Errorf("%d LibraryGrants were compiled %d times", n, got)
	}
	for i := range grants { // the status, labels, or the switch: no selector
		grants[i].ResourceVersion, grants[i].Generation, grants[i].Spec = "2", 2, *grants[i].Spec.DeepCopy()
	}
	reconcile()
	if got := c.Compilations(); got != n {
		t.Errorf("another version that says the same: %d compilations", got)
	}
	allocated := testing.AllocsPerRun(10, reconcile)
	if allocated > n {
		t.Errorf("a reconcile makes %v allocations for %d LibraryGrants that are compiled", allocated, n)
	}
}

// TestCompiledAnew: what is compiled is what the spec says now, whatever UID, name and generation say.
func TestCompiledAnew(t *testing.T) {
	var c GrantCache
	grant := func(uid, library string) v1alpha1.LibraryGrant {
		return v1alpha1.LibraryGrant{
			ObjectMeta: metav1.ObjectMeta{Namespace: "media", Name: "g", UID: types.UID(uid), Generation: 1},
			Spec: v1alpha1.LibraryGrantSpec{
				Libraries: v1alpha1.Targets{Refs: []v1alpha1.LocalReference{{Name: library}}}, Users: v1alpha1.Targets{All: true},
			},
		}
	}
	first, second := grant("a", "movies"), grant("a", "shows")
	invited, admin := grant("a", "movies"), grant("a", "movies")
	invited.Spec.IncludeInvited, admin.Spec.Role = true, v1alpha1.LibraryRoleAdmin
	other := grant("a", "movies")
	other.Spec.Users = v1alpha1.Targets{Refs: []v1alpha1.LocalReference{{Name: "mia"}}}
	nobody := grant("a", "movies")
	nobody.Spec.Users = v1alpha1.Targets{}
	broken := grant("a", "movies")
	broken.Spec.Users = v1alpha1.Targets{Selector: &v1alpha1.LabelSelector{MatchLabels: map[string]v1alpha1.LabelValue{"no key": ""}}}
	for i, one := range []v1alpha1.LibraryGrant{first, second, first, grant("b", "movies"), grant("b", "shows"), invited, first, admin, first, nobody, first, other, broken, broken, first} {
		c.Keep("media", []v1alpha1.LibraryGrant{one})
		for range 2 {
			got, err := c.Compile(&one)
			want, wantErr := NewGrant(&one)
			if fmt.Sprintf("%+v %v", got, err) != fmt.Sprintf("%+v %v", want, wantErr) {
				t.Errorf("%d: compiled as %+v, %v; want %+v, %v", i, got, err, want, wantErr)
			}
		}
	}
	before := c.Compilations()
	c.Keep("media", []v1alpha1.LibraryGrant{broken})
	for range 3 {
		if _, err := c.Compile(&broken); err == nil {
			t.Error("a selector that is none was compiled")
		}
	}
	if got := c.Compilations() - before; got != 1 {
		t.Errorf("one that does not compile was tried %d times", got)
	}
}

// TestForgottenGrants: a LibraryGrant that is gone is forgotten, with its namespace where it was the last, and is not
// remembered again by who asks for it late.
func TestForgottenGrants(t *testing.T) {
	var c GrantCache
	grants := largestGrants(3, 1, 1)
	ask := func() {
		for i := range grants {
			if _, err := c.Compile(&grants[i]); err != nil {
				t.Fatal(err)
			}
		}
	}
	remembered := func(want int) {
		t.Helper()
		ask()
		before := c.Compilations()
		ask()
		if got := 3 - int(c.Compilations()-before); got != want {
			t.Errorf("%d LibraryGrants are remembered, want %d", got, want)
		}
	}
	remembered(0)
	c.Keep("media", grants)
	remembered(3)
	c.Keep("elsewhere", nil)
	remembered(3)
	c.Keep("media", grants[:1], grants[1].UID, "never there")
	remembered(2)
	c.Keep("media", grants[:1])
	remembered(1)
	c.Keep("media", nil)
	remembered(0)
	if len(c.namespaces) != 0 {
		t.Errorf("namespaces without LibraryGrants are remembered: %v", c.namespaces)
	}
}

// TestSharedMemory: a new version of a LibraryGrant that says the same uses the memory of the one that is compiled, and one
// that says something else does not.
func TestSharedMemory(t *testing.T) {
	var c GrantCache
	grants := largestGrants(1, 2, 2)
	same := func(a, b *v1alpha1.LibraryGrant) bool { return a.Spec.Users.Selector == b.Spec.Users.Selector }
	version := func() *v1alpha1.LibraryGrant { v := grants[0].DeepCopy(); c.Share(v); return v }
	if same(version(), &grants[0]) {
		t.Error("shared with one that nobody knows")
	}
	c.Keep("media", grants)
	if same(version(), &grants[0]) {
		t.Error("shared with one that is not compiled")
	}
	if _, err := c.Compile(&grants[0]); err != nil {
		t.Fatal(err)
	}
	if !same(version(), &grants[0]) {
		t.Error("not shared with the one that is compiled")
	}
	changed := grants[0].DeepCopy()
	changed.Spec.Users.Selector.MatchExpressions[0].Values[0] = "other"
	c.Share(changed)
	if same(changed, &grants[0]) || changed.Spec.Users.Selector.MatchExpressions[0].Values[0] != "other" {
		t.Error("shared with one that says something else")
	}
}

// TestCompiledGrantsAreSmall: a compiled LibraryGrant points into the spec that the cache holds, and keeps no text of its own.
func TestCompiledGrantsAreSmall(t *testing.T) {
	grants := largestGrants(1, 1, 1)
	grant, err := NewGrant(&grants[0])
	if err != nil {
		t.Fatal(err)
	}
	requirements, _ := grant.Users.selector.Requirements()
	kept := requirements[0].ValuesUnsorted()[0]
	if unsafe.StringData(kept) != unsafe.StringData(string(grants[0].Spec.Users.Selector.MatchExpressions[0].Values[0])) {
		t.Error("a value is kept twice")
	}
}

// BenchmarkActiveGrants is what each reconcile of a User pays for 200 LibraryGrants of the longest selectors, compiled
// before and each time.
func BenchmarkActiveGrants(b *testing.B) {
	grants := largestGrants(200, 32, 64)
	var c GrantCache
	for name, compile := range map[string]Compile{"cached": c.Compile, "each time": NewGrant} {
		b.Run(name, func(b *testing.B) {
			c.Keep("media", grants)
			ActiveGrants(grants, compile, time.Now())
			b.ReportAllocs()
			for b.Loop() {
				c.Keep("media", grants)
				active, _ := ActiveGrants(grants, compile, time.Now())
				runtime.KeepAlive(active)
			}
		})
	}
}

package faults

import (
	"fmt"
	"slices"
	"testing"

	"golang.org/x/sync/errgroup"
	"sigs.k8s.io/controller-runtime/pkg/client"
)

// TestShishoIsAskedForListsAlone: 200 people and 20 libraries on Shisho. Two looks at rest ask for lists, whose pages do
// not grow with the people, and write nothing; ten grants that one person gets at once are at most two writes.
func TestShishoIsAskedForListsAlone(t *testing.T) {
	t.Parallel()
	const users, libraries, looks = 200, 20, 2
	on := newShisho(t, scenario{}).(*shishoSystem)
	h := newHouse(t, on)
	h.start()
	var objects []client.Object
	for i := range libraries {
		objects = append(objects, h.library(fmt.Sprintf("library%02d", i)))
	}
	for i := range users {
		objects = append(objects, h.user(fmt.Sprintf("user%03d", i)))
	}
	h.create(append(objects, h.grant("first", "library00", "*"))...)
	h.quiet()
	h.followed()

	before := on.fake.Counts()
	for range looks {
		h.relook()
	}
	h.followed()
	asked := since(before, on.fake.Counts())
	t.Logf("%d looks at %d accounts and %d libraries: %v", looks, users, libraries, asked)
	// By the contract, a page has 50 libraries; accounts and roles come in pages of 50 or whole.
	lists := map[string]int{"GET /users": users/50 + 2, "GET /libraries": 2, "GET /roles": 2, "GET /auth/status": 1, "GET /auth/me": 2, "POST /auth/login": 1}
	for route, n := range asked {
		if most, list := lists[route]; !list || n > most*looks {
			t.Errorf("%s was asked %d times", route, n)
		}
	}

	before = on.fake.Counts()
	var ten []client.Object
	for i := range 10 {
		grant := h.grant(fmt.Sprintf("more%d", i), fmt.Sprintf("library%02d", i+1), "user007")
		h.oracle.beforeChange(grant)
		ten = append(ten, grant)
	}
	var together errgroup.Group
	for _, grant := range ten {
		together.Go(func() error { return h.client.Create(t.Context(), grant) })
	}
	if err := together.Wait(); err != nil {
		t.Fatal(err)
	}
	h.quiet()
	h.followed()
	if n := since(before, on.fake.Counts())["POST /users/{id}"]; n < 1 || n > 2 {
		t.Errorf("ten grants at once were %d writes", n)
	}
	if sees := on.people()["user007"].Sees; len(sees) != 11 || !slices.Contains(sees, "Library10") {
		t.Errorf("user007 sees %q", sees)
	}
	covered.moments.Add(int64(h.oracle.verdict()))
}

// since is by how much counts have grown.
func since(before, now map[string]int) map[string]int {
	grown := map[string]int{}
	for name, n := range now {
		if n > before[name] {
			grown[name] = n - before[name]
		}
	}
	return grown
}

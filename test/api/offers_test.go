package api

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/usher-media/usher/api/v1alpha1"
	"github.com/usher-media/usher/internal/testenv"
)

// withOneServer are the people of a namespace, and somebody who administers the MediaServer home alone.
func withOneServer(t *testing.T) (people, client.Client) {
	t.Helper()
	env := testenv.Get(t)
	namespace := env.Namespace(t)
	all := everybody(t, namespace)
	return people{namespace: namespace, admin: env.Client(), editor: all[0].client, namespaceAdmin: all[5].client}, all[2].client
}

// TestEachOfferIsAskedFor: whoever writes an Invite with the role Admin within libraries needs the permission on the MediaServer of
// each offer that gives it or gave it, however many there are, and of no other.
func TestEachOfferIsAskedFor(t *testing.T) {
	who, one := withOneServer(t)
	offers := func(admin ...int) string {
		var all []string
		for i, server := range []string{"home", "b", "c", "d", "e", "f", "g", "h"} {
			role := "Viewer"
			if slices.Contains(admin, i) {
				role = "Admin"
			}
			all = append(all, fmt.Sprintf("{serverRef: {name: %s}, libraryRole: %s}", server, role))
		}
		return "{offers: [" + strings.Join(all, ", ") + "]}"
	}
	create := func(c client.Client, spec string) error {
		return tryCreate(t.Context(), c, manifest(t, "Invite", who.namespace, "x", spec))
	}
	mustSay(t, create(who.editor, offers()), "")
	mustSay(t, create(one, offers(0)), "")
	for i, server := range []string{"home", "b", "c", "d", "e", "f", "g", "h"} {
		mustSay(t, create(who.editor, offers(i)), "libraryRole Admin needs permission to administer MediaServer "+server)
		if i > 0 {
			mustSay(t, create(one, offers(0, i)), "libraryRole Admin needs permission to administer MediaServer "+server)
		}
	}
	mustSay(t, create(who.namespaceAdmin, offers(0, 1, 2, 3, 4, 5, 6, 7)), "")
	stored := manifest(t, "Invite", who.namespace, "stored", offers(0, 7))
	if err := strict(who.admin).Create(t.Context(), stored); err != nil {
		t.Fatal(err)
	}
	merge(spec(stored), parse(t, offers()))
	const change = "a change where libraryRole is Admin needs permission to administer MediaServer "
	mustSay(t, strictDry(who.editor).Update(t.Context(), stored.DeepCopy()), change+"home ")
	mustSay(t, strictDry(one).Update(t.Context(), stored.DeepCopy()), change+"h ")
	mustSay(t, strictDry(who.namespaceAdmin).Update(t.Context(), stored.DeepCopy()), "")
}

// TestAnInviteOfSeveralServersIsOfAll: what is asked of an Invite on its MediaServer is asked, where it offers several, on all of
// them.
func TestAnInviteOfSeveralServersIsOfAll(t *testing.T) {
	who, one := withOneServer(t)
	for name, allowed := range map[string]bool{"one": true, "several": false} {
		fields := map[bool]string{true: `{}`, false: twoOffers}[allowed]
		object := manifest(t, "Invite", who.namespace, name, fields)
		if err := strict(who.admin).Create(t.Context(), object); err != nil {
			t.Fatal(err)
		}
		object.SetAnnotations(map[string]string{v1alpha1.AnnotationOwned: "{}"})
		mustSay(t, strictDry(who.editor).Update(t.Context(), object.DeepCopy()), "is written by Usher")
		says := "administer all MediaServers"
		if allowed {
			says = ""
		}
		mustSay(t, strictDry(one).Update(t.Context(), object.DeepCopy()), says)
		mustSay(t, strictDry(who.namespaceAdmin).Update(t.Context(), object.DeepCopy()), "")
	}
}

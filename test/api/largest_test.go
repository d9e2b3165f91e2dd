package api

import (
	"fmt"
	"strings"
	"testing"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/usher-media/usher/internal/testenv"
)

// listOf repeats an item n times, each with a number of its own and as long as size.
func listOf(n, size int, item string) string {
	items := make([]string, n)
	for i := range items {
		text := fmt.Sprintf("%d-", i)
		items[i] = strings.ReplaceAll(item, "%", text+strings.Repeat("x", size-len(text)))
	}
	return strings.Join(items, ", ")
}

// TestLargestObjects: what the kinds allow, the policies can judge within the cost that the API server allows them. One that
// costs more would be refused to everybody, by an error that nobody understands.
func TestLargestObjects(t *testing.T) {
	who := meet(t)
	backslash := func(s string) string { return strings.ReplaceAll(s, "/", `\`) }
	roots := []string{listOf(32, 1000, "/r/%"), listOf(32, 1000, "'C:/r/%'"), backslash(listOf(32, 1000, "'C:/r/%'"))}
	for i, list := range roots {
		server := manifest(t, "MediaServer", who.namespace, fmt.Sprintf("server-%d", i), `{mediaRoots: [`+list+`]}`)
		if err := strict(who.admin).Create(t.Context(), server); err != nil {
			t.Fatal(err)
		}
	}
	for i := range roots {
		testenv.Eventually(t, "the policy knows the MediaServer", func() bool {
			return tryCreate(t.Context(), who.editor, manifest(t, "Library", who.namespace, "x", fmt.Sprintf(`{serverRef: {name: server-%d}, paths: [/y]}`, i))) != nil
		})
	}
	const refs = "{name: %}"
	largest := map[string][]string{
		"LibraryGrant": {`{role: Admin, libraries: {refs: [` + listOf(256, 253, refs) + `]}, users: {all: null, refs: [` + listOf(256, 253, refs) + `]}}`},
		"Invite":       {`{offers: {libraryRole: Admin, libraries: {refs: [` + listOf(256, 253, refs) + `]}}}`},
		"User":         {`{role: Admin, password: {secretRef: {name: ` + listOf(1, 253, "%") + `}}}`},
		"Redemption":   {`{accounts: {libraries: [` + listOf(1024, 253, "{library: %, role: Admin}") + `]}}`},
	}
	for i := range roots {
		for _, paths := range []string{listOf(50, 1000, "/s/%"), listOf(50, 1000, "'C:/s/%'"), backslash(listOf(50, 1000, "'C:/s/%'"))} {
			largest["Library"] = append(largest["Library"], fmt.Sprintf(`{adoptionPolicy: IfUnique, serverRef: {name: server-%d}, paths: [%s]}`, i, paths))
		}
	}
	for kind, specs := range largest {
		for i, fields := range specs {
			t.Run(fmt.Sprintf("%s/%d", kind, i), func(t *testing.T) {
				object := manifest(t, kind, who.namespace, fmt.Sprintf("largest-%d", i), fields)
				annotate(object, "example.org/", 2000)
				mustSay(t, strict(who.admin).Create(t.Context(), object), "")
				annotate(object, "usher.media/", 1000)
				mustSay(t, strict(who.admin).Update(t.Context(), object), "")
			})
		}
	}
}

func annotate(object *unstructured.Unstructured, prefix string, n int) {
	all := object.GetAnnotations()
	if all == nil {
		all = map[string]string{}
	}
	for i := range n {
		all[fmt.Sprint(prefix, i)] = strings.Repeat("x", 50)
	}
	object.SetAnnotations(all)
}

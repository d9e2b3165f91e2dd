package api

import (
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	rbacv1 "k8s.io/api/rbac/v1"
	apiextensionsv1 "k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/usher-media/usher/internal/testenv"
)

// right is a line of the table in docs/permissions.md: one thing that can be done, and what it needs.
type right struct {
	kind, what, when string
	needs            []string
}

func (r right) String() string { return strings.TrimSpace(r.kind + ": " + r.what + " " + r.when) }

// path is what, where it is a field: that of each item of a list is that of the first.
func (r right) path() string { return strings.ReplaceAll(r.what, "[]", "[0]") }

var code = regexp.MustCompile("`([^`]+)`")

// tableOf returns what follows on the head of a table in docs/permissions.md.
func tableOf(t *testing.T, columns ...string) string {
	t.Helper()
	root, err := testenv.Root()
	if err != nil {
		t.Fatal(err)
	}
	text, err := os.ReadFile(filepath.Join(root, "docs", "permissions.md"))
	if err != nil {
		t.Fatal(err)
	}
	_, table, found := strings.Cut(string(text), "| "+strings.Join(columns, " | ")+" |\n|"+strings.Repeat("---|", len(columns))+"\n")
	if !found {
		t.Fatalf("docs/permissions.md has no table with the columns %v", columns)
	}
	return table
}

// permissions reads the table. A row that names several fields is several lines.
func permissions(t *testing.T) []right {
	t.Helper()
	table := tableOf(t, "Kind", "What", "When", "Needs")
	var rights []right
	for line := range strings.Lines(table) {
		cells := strings.Split(strings.Trim(strings.TrimSpace(line), "|"), "|")
		if len(cells) != 4 {
			break
		}
		for i := range cells {
			cells[i] = strings.TrimSpace(cells[i])
		}
		whats := []string{strings.ReplaceAll(cells[1], "`", "")}
		if spans := code.FindAllString(cells[1], -1); strings.Join(spans, ", ") == cells[1] {
			whats = strings.Split(whats[0], ", ")
		}
		for _, what := range whats {
			rights = append(rights, right{kind: cells[0], what: what, when: cells[2], needs: texts(cells[3])})
		}
	}
	return rights
}

func texts(cell string) []string {
	var out []string
	for _, match := range code.FindAllStringSubmatch(cell, -1) {
		out = append(out, match[1])
	}
	return out
}

// TestEveryFieldIsPlaced: each field of a spec and each annotation has a line in the table, and a Secret that is named one of
// its own. The table names nothing that is not there.
func TestEveryFieldIsPlaced(t *testing.T) {
	env := testenv.Get(t)
	rights := permissions(t)
	placed := func(kind, path string) bool {
		return slices.ContainsFunc(rights, func(r right) bool {
			what := r.path()
			return (r.kind == kind || r.kind == "any kind") && (path == what || strings.HasPrefix(path, what+".") || strings.HasPrefix(path, what+"["))
		})
	}
	known := map[string]bool{}
	for kind := range good {
		if kind == "Redemption" { // Only Usher writes one.
			continue
		}
		walk("spec", specSchema(t, env.Root, kind), func(path string, schema apiextensionsv1.JSONSchemaProps) {
			known[kind+" "+path] = true
			exactly := slices.ContainsFunc(rights, func(r right) bool { return r.kind == kind && r.path() == path })
			switch {
			case strings.HasSuffix(strings.ToLower(path), "secretref") && !exactly:
				t.Errorf("docs/permissions.md says nothing of the Secret %s of a %s", path, kind)
			case path != "spec" && holdsNoFields(schema) && !placed(kind, path):
				t.Errorf("docs/permissions.md does not say who may set %s of a %s", path, kind)
			}
		})
	}
	for _, r := range rights {
		if strings.HasPrefix(r.what, "spec.") && !known[r.kind+" "+r.path()] {
			t.Errorf("docs/permissions.md has the line %q, and there is no such field", r)
		}
	}
	for _, annotation := range annotations(t, env.Root) {
		if !slices.ContainsFunc(rights, func(r right) bool { return r.what == annotation }) {
			t.Errorf("docs/permissions.md does not say who may set the annotation %s", annotation)
		}
	}
}

// holdsNoFields says whether a field has none of its own, in it or in its items, that would be placed in its stead.
func holdsNoFields(schema apiextensionsv1.JSONSchemaProps) bool {
	return len(schema.Properties) == 0 && (schema.Items == nil || schema.Items.Schema == nil || len(schema.Items.Schema.Properties) == 0)
}

// annotations are the values of the constants Annotation... that people may set.
func annotations(t *testing.T, root string) []string {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(root, "api", "v1alpha1", "status.go"))
	if err != nil {
		t.Fatal(err)
	}
	var out []string
	for _, match := range regexp.MustCompile(`(?m)^\s+Annotation\w+\s+= "([^"]+)"`).FindAllStringSubmatch(string(text), -1) {
		if match[1] != "usher.media/admission-probe" { // Nobody may.
			out = append(out, match[1])
		}
	}
	return out
}

// somebody is an identity, and what it has besides write access.
type somebody struct {
	name                       string
	client                     client.Client
	administer, administersAll bool
	secrets                    bool
}

// may says whether an identity has all that a line of the table needs.
func (s somebody) may(needs []string) bool {
	for _, need := range needs {
		has := map[string]bool{"write": true, "fixed": false, "administer": s.administer, "administer all": s.administersAll, "get Secret": s.secrets}
		if !has[need] {
			return false
		}
	}
	return true
}

// everybody makes each identity of docs/permissions.md who may write, in a namespace.
func everybody(t *testing.T, namespace string) []somebody {
	t.Helper()
	env := testenv.Get(t)
	reader := &rbacv1.ClusterRole{
		ObjectMeta: metav1.ObjectMeta{Name: "reader-" + namespace},
		Rules:      []rbacv1.PolicyRule{{APIGroups: []string{""}, Resources: []string{"secrets"}, ResourceNames: []string{"mine", "home-admin"}, Verbs: []string{"get"}}},
	}
	narrow := narrowRole(namespace)
	for _, role := range []*rbacv1.ClusterRole{reader, narrow} {
		if err := env.Client().Create(t.Context(), role); err != nil {
			t.Fatal(err)
		}
	}
	as := func(name string, roles ...string) client.Client {
		return env.User(t, name+"-"+namespace, namespace, roles...).Client(t)
	}
	return []somebody{
		{name: "editor", client: as("editor", "usher-editor")},
		{name: "editor who may read the Secrets", client: as("reader", "usher-editor", reader.Name), secrets: true},
		{name: "administrator of one server", client: as("narrow", "usher-editor", narrow.Name), administer: true},
		{name: "administrator of one server who may read the Secrets", client: as("narrowreader", "usher-editor", narrow.Name, reader.Name), administer: true, secrets: true},
		{name: "administrator", client: as("administrator", "usher-administrator"), administer: true, administersAll: true},
		{name: "namespace admin", client: as("admin", "usher-administrator", reader.Name), administer: true, administersAll: true, secrets: true},
		{name: "GitOps controller", client: env.User(t, "system:serviceaccount:argocd:"+namespace, "", "cluster-admin").Client(t), administer: true, administersAll: true, secrets: true},
	}
}

// TestPermissions tries each line of the table as each identity. Narrow permissions are for the MediaServer home and the
// Secrets mine and home-admin.
func TestPermissions(t *testing.T) {
	env := testenv.Get(t)
	untried := maps.Clone(trials)
	// The MediaServers of the trials are all named home, as one that stands beside the others is.
	beside, apart, taking := env.Namespace(t), env.Namespace(t), env.Namespace(t)
	standingServer(t, beside)
	takingServer(t, taking)
	people := map[string][]somebody{beside: everybody(t, beside), apart: everybody(t, apart), taking: everybody(t, taking)}
	for _, r := range permissions(t) {
		kinds := []string{r.kind}
		if r.kind == "any kind" {
			kinds = slices.Sorted(maps.Keys(good))
		}
		try, found := trials[r.String()]
		if !found {
			t.Errorf("no trial for the line %q of docs/permissions.md", r)
			continue
		}
		delete(untried, r.String())
		for _, kind := range kinds {
			namespace := beside
			switch {
			case kind == "MediaServer":
				namespace = apart
			case try.taking:
				namespace = taking
			}
			needs := r.needs
			if kind == "LibraryGrant" && r.kind != kind { // It names no MediaServer.
				needs = []string{"administer all"}
			}
			t.Run(fmt.Sprintf("%s/%s", kind, r), func(t *testing.T) { try.run(t, env, kind, namespace, needs, people[namespace]) })
		}
	}
	for line := range untried {
		t.Errorf("a trial for %q, which is no line of docs/permissions.md", line)
	}
}

// standingServer makes the MediaServer home, and waits until the policies know its mediaRoots.
func standingServer(t *testing.T, namespace string) {
	t.Helper()
	env := testenv.Get(t)
	server := manifest(t, "MediaServer", namespace, "home", `{mediaRoots: [/media]}`)
	if err := strict(env.Client()).Create(t.Context(), server); err != nil {
		t.Fatal(err)
	}
	editor := env.User(t, "standing-"+namespace, namespace, "usher-editor").Client(t)
	testenv.Eventually(t, "the policies know the mediaRoots", func() bool {
		outside := tryCreate(t.Context(), editor, manifest(t, "Library", namespace, "x", `{paths: [/etc]}`))
		return outside != nil && strings.Contains(outside.Error(), "lie outside of the mediaRoots")
	})
}

// trial is a change that a line of the table speaks of.
type trial struct {
	// before and after are fields of the spec. Without after, the change is to the metadata alone.
	before, after string
	// change changes the metadata; prepare does so beforehand.
	prepare, change func(*unstructured.Unstructured)
	create, delete  bool
	// taking: the MediaServer has adoptionPolicy Always.
	taking bool
}

func (try trial) run(t *testing.T, env *testenv.Environment, kind, namespace string, needs []string, people []somebody) {
	object := manifest(t, kind, namespace, "home", "{}")
	merge(spec(object), parse(t, try.before))
	if try.prepare != nil {
		try.prepare(object)
	}
	if !try.create {
		if err := strict(env.Client()).Create(t.Context(), object); err != nil {
			t.Fatal(err)
		}
		defer remove(t, env.Client(), object.DeepCopy())
	}
	merge(spec(object), parse(t, try.after))
	if try.change != nil {
		try.change(object)
	}
	for _, who := range people {
		c := client.NewDryRunClient(strict(who.client))
		var err error
		switch attempt := object.DeepCopy(); {
		case try.create:
			err = c.Create(t.Context(), attempt)
		case try.delete:
			err = c.Delete(t.Context(), attempt)
		default:
			err = c.Update(t.Context(), attempt)
		}
		if kind == "Redemption" && !strings.HasPrefix(who.name, "GitOps") {
			mustSay(t, err, "forbidden") // RBAC says no before any policy.
			continue
		}
		switch allowed := who.may(needs); {
		case allowed && err != nil:
			t.Errorf("%s: refused, and has %v: %v", who.name, needs, err)
		case !allowed && err == nil:
			t.Errorf("%s: accepted, and lacks some of %v", who.name, needs)
		case !allowed && !slices.Contains(needs, "fixed") && !strings.Contains(err.Error(), "kubectl auth can-i"):
			t.Errorf("%s: the message names no command that tells: %v", who.name, err)
		}
	}
}

// remove deletes an object, whatever finalizers hold it.
func remove(t *testing.T, c client.Client, object *unstructured.Unstructured) {
	t.Helper()
	patch := client.RawPatch("application/merge-patch+json", []byte(`{"metadata":{"finalizers":null}}`))
	if err := c.Patch(t.Context(), object, patch); err != nil {
		t.Fatal(err)
	}
	if err := c.Delete(t.Context(), object); err != nil {
		t.Fatal(err)
	}
}

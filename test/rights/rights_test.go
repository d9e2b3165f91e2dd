// Package rights runs the operator with no other rights than those that it is shipped with, and reads in the audit log of
// the API server which of them it used.
package rights

import (
	"bufio"
	"context"
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"github.com/go-logr/logr"
	corev1 "k8s.io/api/core/v1"
	rbacv1 "k8s.io/api/rbac/v1"
	apiequality "k8s.io/apimachinery/pkg/api/equality"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/client-go/rest"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/yaml"

	"github.com/usher-media/usher/api/v1alpha1"
	"github.com/usher-media/usher/internal/app"
	"github.com/usher-media/usher/internal/media"
	"github.com/usher-media/usher/internal/media/memory"
	"github.com/usher-media/usher/internal/testenv"
)

const (
	operator  = "system:serviceaccount:usher-system:usher"
	namespace = "media"
)

// unseen are rights that this scenario does not show, each with what needs it. A right that is not here and not used fails
// the test, and so does one that is here and used.
var unseen = map[string]string{
	"administer mediaservers.usher.media": "the admission policies ask for it; the audit log shows no such question",
	"patch events.":                       "an event that repeats", "patch events.events.k8s.io": "an event that repeats",
	"list secrets.": listed, "list users.usher.media": listed, "list libraries.usher.media": listed,
	"list librarygrants.usher.media": listed, "list invites.usher.media": listed, "list redemptions.usher.media": listed,
	"list mediaservers.usher.media":         listed,
	"update users/finalizers.usher.media":   owned,
	"update invites/finalizers.usher.media": owned,
	"get invites.usher.media":               invited, "patch invites.usher.media": invited, "patch invites/status.usher.media": invited,
	"get redemptions.usher.media": invited, "patch redemptions.usher.media": invited, "delete redemptions.usher.media": invited,
	"patch redemptions/status.usher.media": invited, "create users.usher.media": invited, "delete users.usher.media": invited,
	"create redemptions.usher.media": invited, "delete secrets.": invited,
	"get libraries.usher.media": "a Library is read live before what its folders hold is let go",
}

const (
	listed  = "API servers that do not stream lists (WatchList)"
	owned   = "clusters that check who blocks the deletion of an owner (OwnerReferencesPermissionEnforcement)"
	invited = "Invites, which the server in memory has none of"
)

// audited is one request of the operator.
type audited struct {
	Verb             string
	ImpersonatedUser struct{ Username string }
	ObjectRef        struct{ APIGroup, Resource, Subresource, Namespace string }
	ResponseStatus   struct{ Code int }
}

func (a audited) right() string {
	resource := a.ObjectRef.Resource
	if a.ObjectRef.Subresource != "" {
		resource += "/" + a.ObjectRef.Subresource
	}
	return a.Verb + " " + resource + "." + a.ObjectRef.APIGroup
}

// start runs a control plane that writes an audit log.
func start(t *testing.T) (env *testenv.Environment, log string) {
	t.Helper()
	dir := t.TempDir()
	policy := filepath.Join(dir, "policy.yaml")
	log = filepath.Join(dir, "audit.log")
	must(t, os.WriteFile(policy, []byte("apiVersion: audit.k8s.io/v1\nkind: Policy\nomitStages: [RequestReceived]\nrules: [{level: Metadata}]\n"), 0o600))
	env, err := testenv.Start(t.Context(), testenv.Options{APIServerFlags: map[string]string{
		"audit-policy-file": policy, "audit-log-path": log, "audit-log-mode": "blocking",
	}})
	must(t, err)
	t.Cleanup(func() {
		if err := env.Stop(); err != nil {
			t.Error(err)
		}
	})
	return env, log
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// install applies what config/namespaced makes, but for the Deployment.
func install(t *testing.T, env *testenv.Environment) (granted []rbacv1.PolicyRule) {
	t.Helper()
	for _, name := range []string{"usher-system", namespace} {
		must(t, env.Client().Create(t.Context(), &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: name}}))
	}
	text, err := exec.CommandContext(t.Context(), env.Kubectl(), "kustomize", filepath.Join(env.Root, "config", "namespaced")).Output()
	must(t, err)
	for _, document := range splitYAML(text) {
		object := &unstructured.Unstructured{}
		must(t, yaml.Unmarshal(document, &object.Object))
		switch object.GetKind() {
		case "Namespace", "Deployment":
			continue
		case "ClusterRole", "ClusterRoleBinding":
			t.Errorf("a namespaced install has a %s", object.GetKind())
		}
		must(t, env.Client().Create(t.Context(), object))
		if object.GetKind() == "Role" && object.GetNamespace() == namespace {
			var role rbacv1.Role
			must(t, yaml.Unmarshal(document, &role))
			granted = role.Rules
		}
	}
	return granted
}

func splitYAML(text []byte) (documents [][]byte) {
	start := 0
	for i := 0; i+4 < len(text); i++ {
		if string(text[i:i+4]) == "---\n" && (i == 0 || text[i-1] == '\n') {
			documents = append(documents, text[start:i])
			start = i + 4
		}
	}
	return append(documents, text[start:])
}

// TestNamespacedInstall: with a Role in the namespace of the media servers and one in its own, Usher does all that it is
// for, and asks for nothing that it may not.
func TestNamespacedInstall(t *testing.T) {
	env, log := start(t)
	granted := install(t, env)
	config := env.Config()
	config.Impersonate = rest.ImpersonationConfig{UserName: operator, Groups: []string{"system:serviceaccounts", "system:authenticated"}}
	store := memory.NewStore(memory.Options{})
	operate(t, config, store.Open)
	scenario(t, env.Client(), store)
	used, refused := read(t, log)
	for right := range refused {
		if right != "get customresourcedefinitions.apiextensions.k8s.io" { // it does without
			t.Errorf("Usher may not %s, and needs to", right)
		}
	}
	for _, right := range rightsOf(granted) {
		switch {
		case !used[right] && unseen[right] == "":
			t.Errorf("Usher may %s, and does not", right)
		case used[right] && unseen[right] != "" && unseen[right] != listed && unseen[right] != invited:
			t.Errorf("Usher was seen to %s: it needs no excuse", right)
		}
	}
}

func operate(t *testing.T, config *rest.Config, open media.Open) {
	t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	mgr, err := app.New(ctx, config, app.Options{
		Namespace: "usher-system", WatchNamespaces: []string{namespace}, MetricsAddress: "0", ProbeAddress: "0", LeaderElect: true,
		Drivers: map[v1alpha1.MediaServerType]media.Open{v1alpha1.MediaServerEmbedded: open}, Name: "rights-", Logger: logr.Discard(),
	})
	if err != nil {
		cancel()
		t.Fatal(err)
	}
	ended := make(chan error, 1)
	go func() { ended <- mgr.Start(ctx) }()
	t.Cleanup(func() {
		cancel()
		if err := <-ended; err != nil {
			t.Error(err)
		}
	})
}

// scenario goes through the life of a household: people come, see a library, get another password, and are let go.
func scenario(t *testing.T, c client.Client, store *memory.Store) {
	t.Helper()
	in := func(name string) metav1.ObjectMeta { return metav1.ObjectMeta{Namespace: namespace, Name: name} }
	home := v1alpha1.LocalReference{Name: "home"}
	mia := &v1alpha1.User{ObjectMeta: in("mia"), Spec: v1alpha1.UserSpec{ServerRef: home, Username: "mia"}}
	movies := &v1alpha1.Library{ObjectMeta: in("movies"), Spec: v1alpha1.LibrarySpec{
		ServerRef: home, DisplayName: "Movies", MediaType: v1alpha1.MediaTypeMovies, Paths: []v1alpha1.LibraryPath{"/media/movies"},
	}}
	grant := &v1alpha1.LibraryGrant{ObjectMeta: in("everything"), Spec: v1alpha1.LibraryGrantSpec{
		Libraries: v1alpha1.Targets{All: true}, Users: v1alpha1.Targets{All: true},
	}}
	server := &v1alpha1.MediaServer{ObjectMeta: in("home"), Spec: v1alpha1.MediaServerSpec{
		Type: v1alpha1.MediaServerEmbedded, URL: "http://memory.test",
		Credentials: v1alpha1.Credentials{SecretRef: v1alpha1.SecretReference{Name: "admin"}}, MediaRoots: []v1alpha1.LibraryPath{"/media"},
	}}
	secret := &corev1.Secret{ObjectMeta: in("admin"), StringData: map[string]string{"username": memory.DefaultOwner, "password": memory.DefaultPassword}}
	for _, object := range []client.Object{secret, server, movies, mia, grant} {
		must(t, c.Create(t.Context(), object))
	}
	ready := func(object client.Object, conditions func() []metav1.Condition) {
		t.Helper()
		testenv.Eventually(t, object.GetName()+" is Ready", func() bool {
			return c.Get(t.Context(), client.ObjectKeyFromObject(object), object) == nil && meta.IsStatusConditionTrue(conditions(), v1alpha1.ConditionReady)
		})
	}
	ready(mia, func() []metav1.Condition { return mia.Status.Conditions })
	testenv.Eventually(t, "mia sees the library", func() bool {
		account, found := store.Account("mia")
		return found && len(account.Access.Libraries) == 1
	})
	patch := client.MergeFrom(mia.DeepCopy())
	metav1.SetMetaDataAnnotation(&mia.ObjectMeta, v1alpha1.AnnotationRotatePassword, "1")
	must(t, c.Patch(t.Context(), mia, patch))
	testenv.Eventually(t, "another password", func() bool { return store.Count(memory.SetPassword) > 0 })
	for _, object := range []client.Object{grant, mia, movies, server} {
		must(t, c.Delete(t.Context(), object))
		testenv.Eventually(t, object.GetName()+" is gone", func() bool {
			err := c.Get(t.Context(), client.ObjectKeyFromObject(object), object)
			return err != nil && client.IgnoreNotFound(err) == nil
		})
	}
}

// read returns which rights the operator used, and which it was refused.
func read(t *testing.T, log string) (used, refused map[string]bool) {
	t.Helper()
	file, err := os.Open(log)
	must(t, err)
	defer func() { _ = file.Close() }()
	used, refused = map[string]bool{}, map[string]bool{}
	lines := bufio.NewScanner(file)
	lines.Buffer(nil, 1<<20)
	for lines.Scan() {
		var event audited
		if json.Unmarshal(lines.Bytes(), &event) != nil || event.ImpersonatedUser.Username != operator || event.ObjectRef.Resource == "" {
			continue
		}
		used[event.right()] = true
		if event.ResponseStatus.Code == 403 && event.Verb != "create" { // a dry run of what the policies refuse is one
			refused[event.right()] = true
		}
	}
	must(t, lines.Err())
	if len(used) < 10 {
		t.Fatalf("the audit log shows too little: %v", used)
	}
	return used, refused
}

func rightsOf(rules []rbacv1.PolicyRule) (all []string) {
	for _, rule := range rules {
		for _, group := range rule.APIGroups {
			for _, resource := range rule.Resources {
				for _, verb := range rule.Verbs {
					all = append(all, verb+" "+resource+"."+group)
				}
			}
		}
	}
	return all
}

// TestRolesAgree: the Role of the namespaced install is the ClusterRole, less the cluster's own kinds.
func TestRolesAgree(t *testing.T) {
	root, err := testenv.Root()
	must(t, err)
	rules := func(path, kind string) (all []rbacv1.PolicyRule) {
		text, err := os.ReadFile(filepath.Join(root, "config", path))
		must(t, err)
		for _, document := range splitYAML(text) {
			var role rbacv1.ClusterRole
			if yaml.Unmarshal(document, &role) == nil && role.Kind == kind {
				all = append(all, role.Rules...)
			}
		}
		return all
	}
	var want []rbacv1.PolicyRule
	for _, rule := range rules("rbac/role.yaml", "ClusterRole") {
		if rule.APIGroups[0] != "apiextensions.k8s.io" {
			want = append(want, rule)
		}
	}
	if got := rules("namespaced/role.yaml", "Role"); len(want) == 0 || !apiequality.Semantic.DeepEqual(got, want) {
		t.Errorf("config/namespaced/role.yaml has the rules\n%v\nand config/rbac/role.yaml\n%v", got, want)
	}
	if got, want := rules("namespaced/operator.yaml", "Role"), rules("rbac/operator_role.yaml", "Role"); !apiequality.Semantic.DeepEqual(got, want) {
		t.Errorf("config/namespaced/operator.yaml has the rules\n%v\nand config/rbac/operator_role.yaml\n%v", got, want)
	}
}

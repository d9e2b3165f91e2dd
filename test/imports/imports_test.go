// Package imports proves that what `kubectl usher import` writes changes nothing: applied to a real control plane, the operator plans
// nothing but taking over, and then writes nothing to the media server.
package imports

import (
	"context"
	"encoding/json"
	"fmt"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/go-logr/logr"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/cli-runtime/pkg/genericiooptions"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/usher-media/usher/api/v1alpha1"
	"github.com/usher-media/usher/internal/app"
	"github.com/usher-media/usher/internal/cli"
	"github.com/usher-media/usher/internal/cli/connect"
	"github.com/usher-media/usher/internal/cli/manifests"
	"github.com/usher-media/usher/internal/cli/matrix"
	"github.com/usher-media/usher/internal/media"
	"github.com/usher-media/usher/internal/media/memory"
	"github.com/usher-media/usher/internal/testenv"
)

func TestMain(m *testing.M) { testenv.Main(m) }

// household is a server with all that an import has to deal with.
func household() *memory.Store {
	store := memory.NewStore(memory.Options{})
	var ids []media.LibraryID
	for i, name := range []string{"Movies", "Movies", "Films d'été", "日本のアニメ", "no", strings.Repeat("x", 100)} {
		ids = append(ids, store.AddLibrary(media.Library{Name: name, MediaType: "Movies", Paths: []string{fmt.Sprintf("/media/%d, and: more", i)}}))
	}
	store.AddLibrary(media.Library{Name: "Mia's own", MediaType: "Movies", Personal: true})
	undeclared := store.AddLibrary(media.Library{Name: " odd", MediaType: "Movies"})
	for i := range 24 {
		access := media.Access{All: i == 7, Libraries: map[media.LibraryID]media.LibraryRole{}}
		for j, id := range ids {
			if j == 0 && i != 9 || (i%4+j)%3 == 0 {
				access.Libraries[id] = media.LibraryViewer
			}
		}
		if i == 3 || i == 7 {
			access.Libraries[ids[2]] = media.LibraryAdmin
		}
		if i == 5 {
			access.Libraries[undeclared] = media.LibraryViewer
		}
		account := media.Account{
			Username: fmt.Sprintf("Person %d", i), DisplayName: fmt.Sprintf("Näme: %d", i), Email: fmt.Sprintf("p%d@example.org", i), Access: access, Disabled: i == 11 || i == 12,
			Role: map[int]media.Role{13: media.RoleAdmin, 14: media.RoleGuest, 15: media.RoleEditor}[i],
		}
		store.AddAccount(account, "the password of somebody")
	}
	for _, name := range []string{"null", "1e3", "true", "李", "mia@example.org", "twin", "TWIN ", strings.Repeat("y", 64)} {
		store.AddAccount(media.Account{Username: name, Access: media.Access{Libraries: map[media.LibraryID]media.LibraryRole{ids[0]: media.LibraryViewer}}}, "the password of somebody")
	}
	store.ResetCalls()
	return store
}

// TestAnImportChangesNothing: an import, applied, plans only to take over; enforced, it writes nothing to the server.
func TestAnImportChangesNothing(t *testing.T) {
	env := testenv.Get(t)
	namespace := env.Namespace(t)
	store := household()
	fleet := &memory.Fleet{}
	fleet.Put("http://127.0.0.1:3000", store)
	drivers := map[v1alpha1.MediaServerType]media.Open{v1alpha1.MediaServerEmbedded: fleet.Open}
	folder := filepath.Join(t.TempDir(), "home")
	written := importTo(t, drivers, folder, namespace)
	operate(t, env, namespace, drivers)
	applyAll(t, env.Client(), namespace, written)

	all := append(objects(written), &written.Server)
	testenv.Eventually(t, "all is observed", func() bool { return reasons(t, env.Client(), all, v1alpha1.ReasonObserving, v1alpha1.ReasonResolved) })
	plans := 0
	for _, object := range all {
		for _, step := range planOf(object) {
			plans++
			// The plan of a User tells of libraries that are not taken over yet.
			if !strings.HasPrefix(step, "take over the ") && !strings.HasSuffix(step, "given, once that library is there") {
				t.Errorf("%T %s would: %s", object, object.GetName(), step)
			}
		}
	}
	if plans < len(written.Users)+len(written.Libraries) {
		t.Errorf("only %d steps are planned", plans)
	}
	if n := store.WriteCount(); n != 0 {
		t.Fatalf("%d writes in mode Observe: %+v", n, store.Writes())
	}

	written.Server.ResourceVersion = ""
	patch := client.RawPatch("application/merge-patch+json", []byte(`{"spec":{"mode":"Enforce"}}`))
	if err := env.Client().Patch(t.Context(), &v1alpha1.MediaServer{ObjectMeta: metav1.ObjectMeta{Namespace: namespace, Name: "home"}}, patch); err != nil {
		t.Fatal(err)
	}
	testenv.Eventually(t, "all agrees", func() bool { return reasons(t, env.Client(), all, v1alpha1.ReasonSynced, v1alpha1.ReasonResolved) })
	if n := store.WriteCount(); n != 0 {
		t.Errorf("%d writes in mode Enforce: %+v", n, store.Writes())
	}
	compareMatrix(t, env, namespace, store)
	askAround(t, env, namespace)
}

// compareMatrix: what `access` says of the cluster is what the server has, declared or not.
func compareMatrix(t *testing.T, env *testenv.Environment, namespace string, store *memory.Store) {
	t.Helper()
	var m matrix.Matrix
	if err := json.Unmarshal([]byte(ask(t, env, namespace, "access", "-o", "json")), &m); err != nil {
		t.Fatal(err)
	}
	var libraries v1alpha1.LibraryList
	if err := env.Client().List(t.Context(), &libraries, client.InNamespace(namespace)); err != nil {
		t.Fatal(err)
	}
	declared := 0
	for _, row := range m.Rows {
		account, there := store.Account(row.Username)
		if !there {
			t.Errorf("there is no account %q", row.Username)
			continue
		}
		if row.User != "" {
			declared++
		}
		everything := account.Role == media.RoleOwner || account.Role == media.RoleAdmin || account.Access.All
		for i := range libraries.Items {
			library := &libraries.Items[i]
			_, listed := account.Access.Libraries[media.LibraryID(library.Spec.ExternalID)]
			cell := row.Access[library.Name]
			if sees := cell.Role != ""; sees != (listed || everything) || cell.Difference != "" {
				t.Errorf("%q sees %s: %t (%s), and on the server %t", row.Username, library.Name, sees, cell.Difference, listed || everything)
			}
		}
	}
	if declared != 24+1+8-1 { // all but the one whose name ends with a space
		t.Errorf("%d declared people", declared)
	}
}

// askAround: the other commands answer, and find nothing wrong but that no operator has a lease.
func askAround(t *testing.T, env *testenv.Environment, namespace string) {
	t.Helper()
	if said := ask(t, env, namespace, "explain", "mia", "movies"); !strings.Contains(said, "movies: sees it, as Viewer\n  through LibraryGrant") {
		t.Errorf("explain says:\n%s", said)
	}
	said := ask(t, env, namespace, "doctor", "--operator-namespace", namespace)
	for _, want := range []string{"✓ The kinds of usher.media/v1alpha1 are installed", "✓ The admission policies are bound", "✓ MediaServer home is connected", "✓ All other objects are Ready"} {
		if !strings.Contains(said, want) {
			t.Errorf("doctor does not say %q:\n%s", want, said)
		}
	}
	if strings.Count(said, "✗") != 1 || !strings.Contains(said, "✗ Usher does not run in namespace") {
		t.Errorf("doctor says:\n%s", said)
	}
}

// ask runs a command on the cluster and returns what it said.
func ask(t *testing.T, env *testenv.Environment, namespace string, args ...string) string {
	t.Helper()
	said, err := call(t, env, namespace, args...)
	if err != nil && !strings.Contains(err.Error(), "things do not work") {
		t.Fatalf("%v: %v", args, err)
	}
	return said
}

// try runs a command on the cluster that may be refused.
func try(t *testing.T, env *testenv.Environment, namespace string, args ...string) error {
	t.Helper()
	_, err := call(t, env, namespace, args...)
	return err
}

func call(t *testing.T, env *testenv.Environment, namespace string, args ...string) (string, error) {
	t.Helper()
	streams, _, out, _ := genericiooptions.NewTestIOStreams()
	command := cli.New(cli.Environment{Streams: streams, Getenv: func(string) string { return "" }})
	command.SetArgs(append(args, "-n", namespace, "--kubeconfig", env.Kubeconfig(t)))
	err := command.ExecuteContext(t.Context())
	return out.String(), err
}

func importTo(t *testing.T, drivers map[v1alpha1.MediaServerType]media.Open, folder, namespace string) written {
	t.Helper()
	streams, _, _, errOut := genericiooptions.NewTestIOStreams()
	credentials := map[string]string{connect.UsernameVariable: memory.DefaultOwner, connect.PasswordVariable: memory.DefaultPassword}
	command := cli.New(cli.Environment{Streams: streams, Getenv: func(key string) string { return credentials[key] }, Drivers: drivers})
	command.SetArgs([]string{"import", folder, "--type", "Embedded", "--url", "http://127.0.0.1:3000", "-n", namespace, "--emails"})
	if err := command.ExecuteContext(t.Context()); err != nil {
		t.Fatalf("%v\n%s", err, errOut)
	}
	read, err := manifests.Read(folder)
	if err != nil {
		t.Fatal(err)
	}
	return written{read.Server, read.Libraries, read.Users, read.Grants}
}

// written is what an import wrote.
type written struct {
	Server    v1alpha1.MediaServer
	Libraries []v1alpha1.Library
	Users     []v1alpha1.User
	Grants    []v1alpha1.LibraryGrant
}

func objects(w written) (all []client.Object) {
	for i := range w.Libraries {
		all = append(all, &w.Libraries[i])
	}
	for i := range w.Users {
		all = append(all, &w.Users[i])
	}
	for i := range w.Grants {
		all = append(all, &w.Grants[i])
	}
	return all
}

func applyAll(t *testing.T, c client.Client, namespace string, w written) {
	t.Helper()
	secret := &corev1.Secret{ObjectMeta: metav1.ObjectMeta{Namespace: namespace, Name: "home-admin"},
		StringData: map[string]string{"username": memory.DefaultOwner, "password": memory.DefaultPassword}}
	strict := client.WithFieldValidation(c, metav1.FieldValidationStrict)
	for _, object := range append([]client.Object{secret, w.Server.DeepCopy()}, objects(w)...) {
		if err := strict.Create(t.Context(), object); err != nil {
			t.Fatalf("%s: %v", object.GetName(), err)
		}
	}
}

func operate(t *testing.T, env *testenv.Environment, namespace string, drivers map[v1alpha1.MediaServerType]media.Open) {
	t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	manager, err := app.New(ctx, env.Config(), app.Options{
		Namespace: namespace, WatchNamespaces: []string{namespace}, MetricsAddress: "0", ProbeAddress: "0",
		Drivers: drivers, Name: namespace + "-", Logger: logr.Discard(), PruneWait: time.Second,
	})
	if err != nil {
		cancel()
		t.Fatal(err)
	}
	ended := make(chan error, 1)
	go func() { ended <- manager.Start(ctx) }()
	t.Cleanup(func() {
		cancel()
		if err := <-ended; err != nil {
			t.Errorf("the operator ended with: %v", err)
		}
	})
}

// reasons reads the objects again, and says whether each is Ready for one of the reasons, as of its generation.
func reasons(t *testing.T, c client.Client, all []client.Object, wanted ...string) bool {
	t.Helper()
	for _, object := range all {
		if err := c.Get(t.Context(), client.ObjectKeyFromObject(object), object); err != nil {
			t.Fatal(err)
		}
		ready := meta.FindStatusCondition(conditionsOf(object), v1alpha1.ConditionReady)
		if ready == nil || ready.ObservedGeneration != object.GetGeneration() || ready.Status != metav1.ConditionTrue || !strings.Contains(strings.Join(wanted, " "), ready.Reason) {
			return false
		}
	}
	return true
}

func conditionsOf(object client.Object) []metav1.Condition {
	switch o := object.(type) {
	case *v1alpha1.MediaServer:
		return o.Status.Conditions
	case *v1alpha1.Library:
		return o.Status.Conditions
	case *v1alpha1.User:
		return o.Status.Conditions
	case *v1alpha1.LibraryGrant:
		return o.Status.Conditions
	}
	return nil
}

func planOf(object client.Object) []string {
	switch o := object.(type) {
	case *v1alpha1.MediaServer:
		return o.Status.Plan
	case *v1alpha1.Library:
		return o.Status.Plan
	case *v1alpha1.User:
		return o.Status.Plan
	}
	return nil
}

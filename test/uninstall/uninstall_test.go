// Package uninstall takes Usher away as the README says, each time from a control plane of its own.
package uninstall

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	apiextensionsv1 "k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/v1"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/log"

	"github.com/usher-media/usher/api/v1alpha1"
	"github.com/usher-media/usher/internal/app"
	"github.com/usher-media/usher/internal/controller"
	"github.com/usher-media/usher/internal/media"
	"github.com/usher-media/usher/internal/media/memory"
	"github.com/usher-media/usher/internal/testenv"
)

func TestMain(m *testing.M) { testenv.Main(m) }

// cluster is a control plane with Usher, and a household of six on a server in memory.
type cluster struct {
	t     *testing.T
	env   *testenv.Environment
	store *memory.Store
}

const namespace = "media"

var people = []string{"ann", "bob", "kim", "leo", "mia", "zoe"}

func newCluster(t *testing.T) *cluster {
	t.Helper()
	env, err := testenv.Start(t.Context(), testenv.Options{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = env.Stop() })
	c := &cluster{t: t, env: env, store: memory.NewStore(memory.Options{})}
	c.sh("kubectl apply --server-side --force-conflicts -k config/default")
	c.operate()
	c.household()
	return c
}

// operate runs the operator until the test ends.
func (c *cluster) operate() {
	c.t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	mgr, err := app.New(ctx, c.env.Config(), app.Options{
		Namespace: "usher-system", MetricsAddress: "0", ProbeAddress: "0", Name: c.t.Name() + "-", Logger: log.Log,
		Drivers: map[v1alpha1.MediaServerType]media.Open{v1alpha1.MediaServerEmbedded: c.store.Open},
	})
	if err != nil {
		cancel()
		c.t.Fatal(err)
	}
	ended := make(chan struct{})
	go func() { defer close(ended); _ = mgr.Start(ctx) }() // the kinds that it watches are taken away
	c.t.Cleanup(func() { cancel(); <-ended })
}

func (c *cluster) household() {
	c.t.Helper()
	objects := []client.Object{
		&corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: namespace}},
		&corev1.Secret{ObjectMeta: meta1("home-admin"), StringData: map[string]string{"username": memory.DefaultOwner, "password": memory.DefaultPassword}},
		&v1alpha1.MediaServer{ObjectMeta: meta1("home"), Spec: v1alpha1.MediaServerSpec{
			Type: v1alpha1.MediaServerEmbedded, URL: "http://memory.test", Credentials: v1alpha1.Credentials{SecretRef: v1alpha1.SecretReference{Name: "home-admin"}},
			MediaRoots: []v1alpha1.LibraryPath{"/media"},
		}},
		&v1alpha1.Library{ObjectMeta: meta1("movies"), Spec: v1alpha1.LibrarySpec{
			ServerRef: v1alpha1.LocalReference{Name: "home"}, DisplayName: "Movies", MediaType: v1alpha1.MediaTypeMovies, Paths: []v1alpha1.LibraryPath{"/media/movies"},
		}},
		&v1alpha1.LibraryGrant{ObjectMeta: meta1("all"), Spec: v1alpha1.LibraryGrantSpec{Libraries: v1alpha1.Targets{All: true}, Users: v1alpha1.Targets{All: true}}},
	}
	for _, name := range people {
		objects = append(objects, &v1alpha1.User{ObjectMeta: meta1(name), Spec: v1alpha1.UserSpec{ServerRef: v1alpha1.LocalReference{Name: "home"}, Username: name}})
	}
	for _, object := range objects {
		if err := c.env.Client().Create(c.t.Context(), object); err != nil {
			c.t.Fatal(err)
		}
	}
	testenv.Eventually(c.t, "everybody sees Movies, and is Ready", func() bool {
		var users v1alpha1.UserList
		_ = c.env.Client().List(c.t.Context(), &users, client.InNamespace(namespace))
		ready := 0
		for i := range users.Items {
			if meta.IsStatusConditionTrue(users.Items[i].Status.Conditions, v1alpha1.ConditionReady) {
				ready++
			}
		}
		return ready == len(people) && c.seeing() == len(people)
	})
}

func meta1(name string) metav1.ObjectMeta { return metav1.ObjectMeta{Namespace: namespace, Name: name} }

// seeing counts the people who can sign in and see something.
func (c *cluster) seeing() (n int) {
	for _, name := range people {
		if account, there := c.store.Account(name); there && !account.Disabled && len(account.Access.Libraries) > 0 {
			n++
		}
	}
	return n
}

// sh runs a line of a shell as the README has it, with a kubectl that may do everything.
func (c *cluster) sh(line string) {
	c.t.Helper()
	if strings.Contains(line, "kubectl delete -k") {
		line += " --wait=false" // nobody finalizes namespaces on a control plane without controllers
	}
	command := exec.CommandContext(c.t.Context(), "sh", "-c", line)
	command.Dir = c.env.Root
	command.Env = append(os.Environ(), "KUBECONFIG="+c.env.Kubeconfig(c.t), "PATH="+filepath.Dir(c.env.Kubectl())+":"+os.Getenv("PATH"))
	if out, err := command.CombinedOutput(); err != nil {
		c.t.Fatalf("%s: %v\n%s", line, err, out)
	}
}

// ways are the two blocks of commands in the README's section.
func (c *cluster) ways() [][]string {
	c.t.Helper()
	text, err := os.ReadFile(filepath.Join(c.env.Root, "README.md"))
	if err != nil {
		c.t.Fatal(err)
	}
	_, section, _ := strings.Cut(string(text), "\n## Uninstall it\n")
	section, _, _ = strings.Cut(section, "\n## ")
	var ways [][]string
	for _, block := range regexp.MustCompile("(?s)```sh\n(.*?)```").FindAllStringSubmatch(section, -1) {
		ways = append(ways, strings.Split(strings.TrimSpace(block[1]), "\n"))
	}
	if len(ways) != 2 {
		c.t.Fatalf("the README has %d ways to uninstall, want 2", len(ways))
	}
	return ways
}

// noKinds waits until no kind of Usher's is left, which takes that no object with a finalizer is.
func (c *cluster) noKinds() {
	c.t.Helper()
	testenv.Eventually(c.t, "the kinds are gone", func() bool {
		var kinds apiextensionsv1.CustomResourceDefinitionList
		return c.env.Client().List(c.t.Context(), &kinds) == nil && len(kinds.Items) == 0
	})
}

func TestTheServersAreLeftAsTheyAre(t *testing.T) {
	t.Parallel()
	c := newCluster(t)
	before := fmt.Sprint(c.store.Accounts(), c.store.Libraries())
	c.store.ResetCalls()
	for _, line := range c.ways()[0] {
		c.sh(line)
	}
	c.noKinds()
	if after := fmt.Sprint(c.store.Accounts(), c.store.Libraries()); after != before || c.store.WriteCount() > 0 {
		t.Errorf("the server was changed by %v:\n%s\n%s", c.store.Counts(), before, after)
	}
}

func TestEverythingIsTakenBack(t *testing.T) {
	t.Parallel()
	c := newCluster(t)
	for _, line := range c.ways()[1] {
		c.sh(line)
	}
	c.noKinds()
	for _, name := range people {
		if account, there := c.store.Account(name); !there || !account.Disabled || len(account.Access.Libraries) > 0 {
			t.Errorf("%s was left with %+v", name, account)
		}
	}
}

// TestTheKindsGoFirst: a deletion of CRDs asks no policy, and takes the objects of one kind after the other.
func TestTheKindsGoFirst(t *testing.T) {
	t.Parallel()
	for _, order := range [][]string{
		{"librarygrants", "libraries", "users", "redemptions", "invites", "mediaservers"}, {"users"}, {"librarygrants"},
	} {
		t.Run(order[0]+fmt.Sprint(len(order)), func(t *testing.T) {
			t.Parallel()
			c := newCluster(t)
			before := fmt.Sprint(c.store.Accounts(), c.store.Libraries())
			c.store.ResetCalls()
			for _, kind := range order {
				c.sh("kubectl delete crd --wait=false " + kind + ".usher.media")
			}
			for _, kind := range order {
				testenv.Eventually(t, kind+" are gone", func() bool {
					crd := &apiextensionsv1.CustomResourceDefinition{}
					return client.IgnoreNotFound(c.env.Client().Get(t.Context(), client.ObjectKey{Name: kind + ".usher.media"}, crd)) == nil && crd.Name == ""
				})
			}
			over := time.Now().Add(controller.DefaultPruneWait + 2*time.Second)
			testenv.Eventually(t, "what a deletion waits for is over", func() bool { return time.Now().After(over) })
			if after := fmt.Sprint(c.store.Accounts(), c.store.Libraries()); after != before || c.store.WriteCount() > 0 {
				t.Errorf("the server was changed by %v:\n%s\n%s", c.store.Counts(), before, after)
			}
		})
	}
}

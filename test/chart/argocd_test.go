package chart

import (
	"context"
	"strings"
	"testing"

	"github.com/go-logr/logr"
	lua "github.com/yuin/gopher-lua"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/usher-media/usher/api/v1alpha1"
	"github.com/usher-media/usher/internal/app"
	"github.com/usher-media/usher/internal/media"
	"github.com/usher-media/usher/internal/media/memory"
	"github.com/usher-media/usher/internal/testenv"
)

// health runs the check as Argo CD does, with the libraries that it opens, and returns status and message.
func health(t *testing.T, object *unstructured.Unstructured) (status, message string) {
	t.Helper()
	state := lua.NewState(lua.Options{SkipOpenLibs: true})
	defer state.Close()
	for name, open := range map[string]lua.LGFunction{lua.BaseLibName: lua.OpenBase, lua.TabLibName: lua.OpenTable, lua.StringLibName: lua.OpenString, lua.MathLibName: lua.OpenMath} {
		if err := state.CallByParam(lua.P{Fn: state.NewFunction(open), Protect: true}, lua.LString(name)); err != nil {
			t.Fatal(err)
		}
	}
	state.SetGlobal("obj", luaValue(state, object.Object))
	if err := state.DoString(file(t, "examples", "argocd", "health.lua")); err != nil {
		t.Fatalf("%s: %v", key(object), err)
	}
	answer, isTable := state.Get(-1).(*lua.LTable)
	if !isTable {
		t.Fatalf("%s: the check returned %v", key(object), state.Get(-1))
	}
	return answer.RawGetString("status").String(), answer.RawGetString("message").String()
}

// luaValue is a value of JSON for Lua.
func luaValue(state *lua.LState, value any) lua.LValue {
	switch value := value.(type) {
	case map[string]any:
		table := state.NewTable()
		for key, below := range value {
			table.RawSetString(key, luaValue(state, below))
		}
		return table
	case []any:
		table := state.NewTable()
		for _, below := range value {
			table.Append(luaValue(state, below))
		}
		return table
	case string:
		return lua.LString(value)
	case bool:
		return lua.LBool(value)
	case int64:
		return lua.LNumber(value)
	case float64:
		return lua.LNumber(value)
	}
	return lua.LNil
}

// TestArgoCDHealth: of a household that runs, the check says what Usher's own conditions say.
func TestArgoCDHealth(t *testing.T) {
	env := environment(t)
	space := env.Namespace(t)
	store := memory.NewStore(memory.Options{})
	operate(t, env, space, store)
	meta := func(name string) metav1.ObjectMeta { return metav1.ObjectMeta{Namespace: space, Name: name} }
	home := v1alpha1.LocalReference{Name: "home"}
	server := v1alpha1.MediaServerSpec{
		Type: v1alpha1.MediaServerEmbedded, URL: "http://memory.test", Credentials: v1alpha1.Credentials{SecretRef: v1alpha1.SecretReference{Name: "admin"}},
		MediaRoots: []v1alpha1.LibraryPath{"/media"},
	}
	objects := []client.Object{
		&corev1.Secret{ObjectMeta: meta("admin"), StringData: map[string]string{"username": memory.DefaultOwner, "password": memory.DefaultPassword}},
		&v1alpha1.MediaServer{ObjectMeta: meta("home"), Spec: server},
		&v1alpha1.Library{ObjectMeta: meta("movies"), Spec: v1alpha1.LibrarySpec{ServerRef: home, DisplayName: "Movies", MediaType: v1alpha1.MediaTypeMovies, Paths: []v1alpha1.LibraryPath{"/media/movies"}}},
		&v1alpha1.User{ObjectMeta: meta("mia"), Spec: v1alpha1.UserSpec{ServerRef: home, Username: "mia"}},
		&v1alpha1.User{ObjectMeta: meta("lost"), Spec: v1alpha1.UserSpec{ServerRef: v1alpha1.LocalReference{Name: "nowhere"}, Username: "lost"}},
		&v1alpha1.LibraryGrant{ObjectMeta: meta("all"), Spec: v1alpha1.LibraryGrantSpec{Libraries: v1alpha1.Targets{All: true}, Users: v1alpha1.Targets{Refs: []v1alpha1.LocalReference{{Name: "mia"}}}}},
	}
	for _, object := range objects {
		if err := env.Client().Create(t.Context(), object); err != nil {
			t.Fatal(err)
		}
	}
	await(t, env, space, map[string]string{
		"MediaServer home": "Healthy", "Library movies": "Healthy", "User mia": "Healthy", "LibraryGrant all": "Healthy",
		"User lost": "Progressing: nowhere",
	})
	twin := &v1alpha1.MediaServer{ObjectMeta: meta("twin"), Spec: server}
	if err := env.Client().Create(t.Context(), twin); err != nil {
		t.Fatal(err)
	}
	mia := &v1alpha1.User{ObjectMeta: meta("mia")}
	if err := env.Client().Patch(t.Context(), mia, client.RawPatch("application/merge-patch+json", []byte(`{"metadata": {"annotations": {"usher.media/paused": "true"}}}`))); err != nil {
		t.Fatal(err)
	}
	await(t, env, space, map[string]string{"MediaServer twin": "Degraded: home", "User mia": "Suspended"})
	hurried(t, env, space)
}

// hurried: what the status does not speak of yet is progressing, whatever it says.
func hurried(t *testing.T, env *testenv.Environment, space string) {
	t.Helper()
	for what, change := range map[string]func(*unstructured.Unstructured){
		"a change": func(o *unstructured.Unstructured) { o.SetGeneration(o.GetGeneration() + 1) },
		"a deletion": func(o *unstructured.Unstructured) {
			_ = unstructured.SetNestedField(o.Object, "2026-01-01T00:00:00Z", "metadata", "deletionTimestamp")
		},
		"a creation":   func(o *unstructured.Unstructured) { delete(o.Object, "status") },
		"no condition": func(o *unstructured.Unstructured) { unstructured.RemoveNestedField(o.Object, "status", "conditions") },
	} {
		object := get(t, env, space, "Library", "movies")
		change(object)
		if status, message := health(t, object); status != "Progressing" || message == "" {
			t.Errorf("after %s: %s %q", what, status, message)
		}
	}
}

func get(t *testing.T, env *testenv.Environment, space, kind, name string) *unstructured.Unstructured {
	t.Helper()
	object := &unstructured.Unstructured{}
	object.SetGroupVersionKind(v1alpha1.GroupVersion.WithKind(kind))
	if err := env.Client().Get(t.Context(), client.ObjectKey{Namespace: space, Name: name}, object); err != nil {
		t.Fatal(err)
	}
	return object
}

// await waits until each object has its health, and a message with the word behind the colon.
func await(t *testing.T, env *testenv.Environment, space string, want map[string]string) {
	t.Helper()
	for object, wanted := range want {
		kind, name, _ := strings.Cut(object, " ")
		status, word, _ := strings.Cut(wanted, ": ")
		testenv.Eventually(t, object+" is "+wanted, func() bool {
			got, message := health(t, get(t, env, space, kind, name))
			return got == status && strings.Contains(message, word)
		})
	}
}

// operate runs the operator until the test ends.
func operate(t *testing.T, env *testenv.Environment, space string, store *memory.Store) {
	t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	mgr, err := app.New(ctx, env.Config(), app.Options{
		Namespace: space, WatchNamespaces: []string{space}, MetricsAddress: "0", ProbeAddress: "0", Name: "argocd-", Logger: logr.Discard(),
		Drivers: map[v1alpha1.MediaServerType]media.Open{v1alpha1.MediaServerEmbedded: store.Open},
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

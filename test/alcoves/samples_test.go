// Package alcoves applies config/samples/alcoves to a real control plane, with the operator as it is built and the fake
// of Alcoves over a real PostgreSQL, and looks at what people see.
package alcoves

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/go-logr/logr"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/usher-media/usher/api/v1alpha1"
	"github.com/usher-media/usher/internal/app"
	"github.com/usher-media/usher/internal/media"
	"github.com/usher-media/usher/internal/media/alcoves/alcovestest"
	"github.com/usher-media/usher/internal/testenv"
	"github.com/usher-media/usher/internal/testpg"
)

func TestMain(m *testing.M) { testenv.Main(m) }

// household is the samples, running.
type household struct {
	*testing.T
	client    client.Client
	namespace string
	server    *alcovestest.Server
	// session is the cookie of whoever signed in last.
	session string
}

// newHousehold starts the fake and the operator, in a namespace that is there.
func newHousehold(t *testing.T, namespace string) *household {
	env := testenv.Get(t)
	h := &household{T: t, client: env.Client(), namespace: namespace, server: alcovestest.Start(t, testpg.Database(t))}
	alcovestest.GrantAsDocumented(h.server)
	ctx, cancel := context.WithCancel(context.Background())
	mgr, err := app.New(ctx, env.Config(), app.Options{
		Namespace: namespace, WatchNamespaces: []string{namespace}, MetricsAddress: "0", ProbeAddress: "0",
		Drivers: app.Drivers(), Name: namespace + "-", Logger: logr.Discard(), AllowServerAddresses: media.Loopback(),
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
			t.Errorf("the operator ended with: %v", err)
		}
	})
	return h
}

// apply makes the objects of the samples, at the addresses of the fake, that keep says to keep.
func (h *household) apply(keep func(client.Object) bool) []client.Object {
	h.Helper()
	objects, err := testenv.Objects(filepath.Join(testenv.Get(h.T).Root, "config", "samples", "alcoves"))
	if err != nil {
		h.Fatal(err)
	}
	var made []client.Object
	for _, object := range objects {
		if !keep(object) {
			continue
		}
		text, err := object.MarshalJSON()
		if err != nil {
			h.Fatal(err)
		}
		database := strings.Replace(h.server.Proxy.URL(alcovestest.Role, "choose-a-long-one"), "&", `\u0026`, -1)
		changed := strings.NewReplacer("http://127.0.0.1:3001", h.server.URL,
			"postgres://usher:choose-a-long-one@127.0.0.1:5432/alcoves?sslmode=disable", database,
			`"namespace":"photos"`, fmt.Sprintf(`"namespace":%q`, h.namespace)).Replace(string(text))
		if err := object.UnmarshalJSON([]byte(changed)); err != nil {
			h.Fatal(err)
		}
		if err := client.WithFieldValidation(h.client, "Strict").Create(h.Context(), object); err != nil {
			h.Fatal(err)
		}
		made = append(made, object)
	}
	return made
}

type withStatus interface {
	client.Object
	StatusConditions() *[]metav1.Condition
}

func kinds() map[string]withStatus {
	return map[string]withStatus{
		"MediaServer": &v1alpha1.MediaServer{}, "Library": &v1alpha1.Library{}, "User": &v1alpha1.User{},
		"LibraryGrant": &v1alpha1.LibraryGrant{}, "Invite": &v1alpha1.Invite{},
	}
}

// ready waits until each object is Ready as of its generation, and each grant Applied.
func (h *household) ready(objects []client.Object) {
	h.Helper()
	for _, object := range objects {
		into := kinds()[object.GetObjectKind().GroupVersionKind().Kind]
		if into == nil {
			continue
		}
		h.condition(into, object.GetName(), v1alpha1.ConditionReady, metav1.ConditionTrue, "")
		if _, isGrant := into.(*v1alpha1.LibraryGrant); isGrant {
			h.condition(into, object.GetName(), v1alpha1.ConditionApplied, metav1.ConditionTrue, "")
		}
	}
}

func (h *household) condition(into withStatus, name, kind string, status metav1.ConditionStatus, reason string) string {
	h.Helper()
	var found *metav1.Condition
	defer func() {
		if h.Failed() {
			h.Logf("%T %s: %+v", into, name, *into.StatusConditions())
		}
	}()
	testenv.Eventually(h.T, fmt.Sprintf("%T %s is %s=%s %s", into, name, kind, status, reason), func() bool {
		if h.client.Get(h.Context(), h.key(name), into) != nil {
			return false
		}
		found = meta.FindStatusCondition(*into.StatusConditions(), kind)
		return found != nil && found.Status == status && (reason == "" || found.Reason == reason) && found.ObservedGeneration == into.GetGeneration()
	})
	return found.Message
}

func (h *household) key(name string) types.NamespacedName {
	return types.NamespacedName{Namespace: h.namespace, Name: name}
}

// secret reads a key of a Secret.
func (h *household) secret(name, key string) string {
	h.Helper()
	var secret corev1.Secret
	if err := h.client.Get(h.Context(), h.key(name), &secret); err != nil {
		h.Error(err)
	}
	return string(secret.Data[key])
}

// call is one request as a person's browser makes it; it returns the status.
func (h *household) call(method, path string, body map[string]string, into any) int {
	h.Helper()
	sent, err := json.Marshal(body)
	if err != nil {
		h.Fatal(err)
	}
	request, err := http.NewRequestWithContext(h.Context(), method, h.server.URL+path, bytes.NewReader(sent))
	if err != nil {
		h.Fatal(err)
	}
	request.Header.Set("Content-Type", "application/json")
	request.AddCookie(&http.Cookie{Name: "alcoves-session", Value: h.session})
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		h.Fatal(err)
	}
	defer func() { _ = response.Body.Close() }()
	for _, cookie := range response.Cookies() {
		h.session = cookie.Value
	}
	if into != nil && response.StatusCode == http.StatusOK {
		if err := json.NewDecoder(response.Body).Decode(into); err != nil {
			h.Error(err)
		}
	}
	return response.StatusCode
}

// sees lists what whoever is signed in sees, as name and role, the personal library aside.
func (h *household) sees() []string {
	h.Helper()
	var list []struct {
		Name, CurrentUserRole string
		IsDefault             bool
	}
	if status := h.call("GET", "/api/libraries", nil, &list); status != http.StatusOK {
		h.Errorf("libraries: %d", status)
	}
	names := []string{}
	for _, one := range list {
		if !one.IsDefault {
			names = append(names, one.Name+" "+one.CurrentUserRole)
		}
	}
	slices.Sort(names)
	return names
}

// signIn signs a declared person in with the password of the Secret.
func (h *household) signIn(name string) int {
	h.Helper()
	secret := name + "-credentials"
	return h.call("POST", "/api/auth/login", map[string]string{"email": h.secret(secret, "username"), "password": h.secret(secret, "password")}, nil)
}

// spec is an object's, to be changed before it is made.
func spec(object client.Object) map[string]any {
	return object.(*unstructured.Unstructured).Object["spec"].(map[string]any)
}

package e2e

import (
	"context"
	"path/filepath"
	"strconv"
	"testing"
	"time"

	"github.com/go-logr/logr"
	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/usher-media/usher/api/v1alpha1"
	"github.com/usher-media/usher/internal/app"
	"github.com/usher-media/usher/internal/media"
	"github.com/usher-media/usher/internal/testenv"
)

// household is a folder of samples in a namespace of its own, and the operator that makes it true.
type household struct {
	testing.TB
	env       *testenv.Environment
	namespace string
	objects   []*unstructured.Unstructured
}

// apply reads the samples of a folder, lets adapt change each to what is on this machine, starts the operator and
// applies them.
func apply(t testing.TB, folder string, adapt func(*unstructured.Unstructured)) *household {
	t.Helper()
	h := &household{TB: t, env: testenv.Get(t)}
	h.namespace = h.env.Namespace(t)
	objects, err := testenv.Objects(filepath.Join(h.env.Root, "config", "samples", folder))
	h.must(err)
	h.operate()
	for _, object := range objects {
		if object.GetKind() == "Namespace" {
			continue
		}
		object.SetNamespace(h.namespace)
		adapt(object)
		h.must(h.env.Client().Create(h.Context(), object))
		h.objects = append(h.objects, object)
	}
	return h
}

func (h *household) must(err error) {
	h.Helper()
	if err != nil {
		h.Fatal(err)
	}
}

// operate runs the operator with the drivers of this build until the test ends.
func (h *household) operate() {
	h.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	manager, err := app.New(ctx, h.env.Config(), app.Options{
		Namespace: h.namespace, WatchNamespaces: []string{h.namespace}, MetricsAddress: "0", ProbeAddress: "0",
		Drivers: app.Drivers(), Name: h.namespace + "-", Logger: logr.Discard(), AllowServerAddresses: media.Loopback(),
	})
	if err != nil {
		cancel()
		h.Fatal(err)
	}
	ended := make(chan error, 1)
	go func() { ended <- manager.Start(ctx) }()
	h.Cleanup(func() {
		cancel()
		if err := <-ended; err != nil {
			h.Errorf("the operator ended with: %v", err)
		}
	})
}

// ready waits until everything is Ready and every grant Applied.
func (h *household) ready() {
	h.Helper()
	for _, object := range h.objects {
		if object.GroupVersionKind().Group != v1alpha1.GroupVersion.Group {
			continue
		}
		said := ""
		h.Cleanup(func() {
			if h.Failed() && said != "" {
				h.Logf("%s %s: %s", object.GetKind(), object.GetName(), said)
			}
		})
		testenv.Eventually(h, object.GetKind()+" "+object.GetName()+" is Ready", func() bool {
			h.must(h.env.Client().Get(h.Context(), client.ObjectKeyFromObject(object), object))
			said = unready(object)
			return said == ""
		})
	}
}

// unready says what an object waits for; empty when it is Ready.
func unready(object *unstructured.Unstructured) string {
	raw, _, _ := unstructured.NestedSlice(object.Object, "status", "conditions")
	var conditions []metav1.Condition
	for _, each := range raw {
		fields, _ := each.(map[string]any)
		text := func(name string) string { s, _ := fields[name].(string); return s }
		conditions = append(conditions, metav1.Condition{Type: text("type"), Status: metav1.ConditionStatus(text("status")), Message: text("message")})
	}
	wanted := []string{v1alpha1.ConditionReady}
	if object.GetKind() == "LibraryGrant" {
		wanted = append(wanted, v1alpha1.ConditionApplied)
	}
	for _, kind := range wanted {
		condition := meta.FindStatusCondition(conditions, kind)
		if condition == nil {
			return "no condition " + kind
		}
		if condition.Status != metav1.ConditionTrue {
			return kind + ": " + condition.Message
		}
	}
	return ""
}

// look lets Usher look at the server now instead of at its interval.
func (h *household) look(server string) {
	h.Helper()
	object := &v1alpha1.MediaServer{ObjectMeta: metav1.ObjectMeta{Namespace: h.namespace, Name: server}}
	patch := client.RawPatch("application/merge-patch+json", []byte(`{"metadata":{"annotations":{"`+v1alpha1.AnnotationReconcileNow+`":"`+
		strconv.FormatInt(time.Now().UnixNano(), 36)+`"}}}`))
	h.must(h.env.Client().Patch(h.Context(), object, patch))
}

// credentials are what Usher made for a person.
func (h *household) credentials(user string) (username, password string) {
	h.Helper()
	var secret corev1.Secret
	h.must(h.env.Client().Get(h.Context(), client.ObjectKey{Namespace: h.namespace, Name: user + "-credentials"}, &secret))
	return string(secret.Data["username"]), string(secret.Data["password"])
}

// remove deletes an object and waits until Usher lets it go.
func (h *household) remove(object client.Object, name string) {
	h.Helper()
	object.SetNamespace(h.namespace)
	object.SetName(name)
	h.must(h.env.Client().Delete(h.Context(), object))
	testenv.Eventually(h, name+" is let go", func() bool {
		return apierrors.IsNotFound(h.env.Client().Get(h.Context(), client.ObjectKeyFromObject(object), object))
	})
}

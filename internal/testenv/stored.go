package testenv

import (
	"bytes"
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"testing"

	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/client/apiutil"
)

// Rewrite changes an object where it is stored, past the API server and its validation: what an earlier version of a kind
// took is there still. The object is one of Usher's kinds, and exists.
func (e *Environment) Rewrite(t testing.TB, object client.Object, change func(stored map[string]any)) {
	t.Helper()
	gvk, err := apiutil.GVKForObject(object, e.client.Scheme())
	if err != nil {
		t.Fatalf("testenv: %v", err)
	}
	mapping, err := e.client.RESTMapper().RESTMapping(gvk.GroupKind(), gvk.Version)
	if err != nil {
		t.Fatalf("testenv: %v", err)
	}
	key := []byte(strings.Join([]string{"/registry", gvk.Group, mapping.Resource.Resource, object.GetNamespace(), object.GetName()}, "/"))
	var found struct{ Kvs []struct{ Value []byte } }
	e.etcd(t, "range", map[string]any{"key": key}, &found)
	if len(found.Kvs) != 1 {
		t.Fatalf("testenv: etcd has no %s", key)
	}
	stored := map[string]any{}
	if err := json.Unmarshal(found.Kvs[0].Value, &stored); err != nil {
		t.Fatalf("testenv: %s: %v", key, err)
	}
	spec := fmt.Sprint(stored["spec"])
	change(stored)
	if metadata := stored["metadata"].(map[string]any); fmt.Sprint(stored["spec"]) != spec {
		metadata["generation"] = metadata["generation"].(float64) + 1
	}
	text, err := json.Marshal(stored)
	if err != nil {
		t.Fatalf("testenv: %v", err)
	}
	e.etcd(t, "put", map[string]any{"key": key, "value": text}, &struct{}{})
}

// etcd calls etcd's own API, in JSON, where bytes are base64.
func (e *Environment) etcd(t testing.TB, call string, request, answer any) {
	t.Helper()
	body, err := json.Marshal(request)
	if err != nil {
		t.Fatalf("testenv: %v", err)
	}
	address := *e.plane.ControlPlane.Etcd.URL
	address.Path = "/v3/kv/" + call
	response, err := http.Post(address.String(), "application/json", bytes.NewReader(body))
	if err == nil {
		defer response.Body.Close()
		if response.StatusCode != http.StatusOK {
			err = fmt.Errorf("status %s", response.Status)
		} else {
			err = json.NewDecoder(response.Body).Decode(answer)
		}
	}
	if err != nil {
		t.Fatalf("testenv: etcd, %s: %v", call, err)
	}
}

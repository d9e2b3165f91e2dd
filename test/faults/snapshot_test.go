package faults

import (
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/usher-media/usher/api/v1alpha1"
)

type withStatus interface {
	client.Object
	StatusConditions() *[]metav1.Condition
}

// snapshot is how everything stands, in lines that are the same for two runs that ended the same: without ids, times and
// secrets.
func (h *house) snapshot() string {
	var lines []string
	for _, object := range h.objects() {
		lines = append(lines, describe(object))
	}
	var secrets corev1.SecretList
	if err := h.client.List(context.Background(), &secrets, client.InNamespace(h.namespace)); err != nil {
		h.t.Fatal(err)
	}
	for i := range secrets.Items {
		lines = append(lines, h.describeSecret(&secrets.Items[i]))
	}
	people := h.system.people()
	for _, username := range slices.Sorted(maps.Keys(people)) {
		lines = append(lines, fmt.Sprintf("account %s: %+v", username, people[username]))
	}
	lines = append(lines, fmt.Sprintf("libraries: %q", h.system.libraries()))
	slices.Sort(lines)
	return strings.Join(lines, "\n")
}

// objects are all objects with a status in the namespace.
func (h *house) objects() (objects []withStatus) {
	for _, list := range []client.ObjectList{&v1alpha1.MediaServerList{}, &v1alpha1.LibraryList{}, &v1alpha1.UserList{}, &v1alpha1.LibraryGrantList{}, &v1alpha1.InviteList{}} {
		if err := h.client.List(context.Background(), list, client.InNamespace(h.namespace)); err != nil {
			h.t.Fatal(err)
		}
		_ = meta.EachListItem(list, func(o runtime.Object) error {
			objects = append(objects, o.(withStatus))
			return nil
		})
	}
	return objects
}

func describe(object withStatus) string {
	var conditions []string
	for _, c := range *object.StatusConditions() {
		if c.ObservedGeneration != object.GetGeneration() {
			c.Reason += " (of an earlier generation)"
		}
		conditions = append(conditions, fmt.Sprintf("%s=%s:%s", c.Type, c.Status, c.Reason))
	}
	slices.Sort(conditions)
	details := ""
	switch o := object.(type) {
	case *v1alpha1.User:
		details = fmt.Sprintf("%s origin=%s disabledBy=%q secret=%q", o.Status.State, o.Status.Origin, o.Status.DisableMethod, o.Status.CredentialsSecret)
		if o.Status.Access != nil {
			details += fmt.Sprintf(" access=%v", o.Status.Access.Items)
		}
	case *v1alpha1.Library:
		details = fmt.Sprintf("origin=%s", o.Status.Origin)
	case *v1alpha1.LibraryGrant:
		details = string(o.Status.State)
	}
	deleted := !object.GetDeletionTimestamp().IsZero()
	return fmt.Sprintf("%T %s: deleted=%t finalizers=%v record=%s %s %v", object, object.GetName(), deleted, object.GetFinalizers(),
		maskedRecord(object.GetAnnotations()[v1alpha1.AnnotationOwned]), details, conditions)
}

// maskedRecord says which fields a record has.
func maskedRecord(text string) string {
	var fields map[string]any
	if json.Unmarshal([]byte(text), &fields) != nil {
		return text
	}
	if fields["id"] != nil {
		delete(fields, "intent") // a record that was whole when it was announced keeps it
	}
	for _, secret := range []string{"id", "server", "password", "keyID", "seed", "codeHash", "outdated", "useKeys", "formerIDs", "formerLibraries"} {
		if _, there := fields[secret]; there {
			fields[secret] = "..."
		}
	}
	for _, past := range []string{"passwordTold", "passwordAt", "provenUID", "enabledAt"} { // a later look learns it, or a fault had it done again
		delete(fields, past)
	}
	maskTimes(fields)
	masked, _ := json.Marshal(fields)
	return string(masked)
}

// maskTimes hides what differs between two runs that end alike: when things were made, and the folders of the run.
func maskTimes(fields map[string]any) {
	for name, value := range fields {
		if inner, is := value.(map[string]any); is {
			maskTimes(inner)
		} else if slices.Contains([]string{"created", "paths"}, name) {
			fields[name] = "..."
		}
	}
}

// describeSecret says whether the password in a User's Secret is the account's; one that people made is named after
// the account.
func (h *house) describeSecret(secret *corev1.Secret) string {
	line := "secret " + secret.Name
	username := string(secret.Data["username"])
	if made, found := strings.CutSuffix(secret.Name, "-password"); found {
		username = made
	}
	if username != "" && secret.Name != secretName {
		line += fmt.Sprintf(": works=%t", h.system.accepts(username, string(secret.Data["password"])))
	}
	return line
}

// statusProblems says which rules of the status contract (design D7) an object breaks.
func statusProblems(object withStatus) (problems []string) {
	conditions := *object.StatusConditions()
	ready := meta.FindStatusCondition(conditions, v1alpha1.ConditionReady)
	if ready == nil {
		return []string{"has no Ready condition"}
	}
	is := func(kind string) int {
		if meta.IsStatusConditionTrue(conditions, kind) {
			return 1
		}
		return 0
	}
	if is(v1alpha1.ConditionReady)+is(v1alpha1.ConditionReconciling)+is(v1alpha1.ConditionStalled) != 1 {
		problems = append(problems, "is not exactly one of Ready, Reconciling and Stalled")
	}
	for _, c := range conditions {
		if c.Reason == "" || c.Message == "" {
			problems = append(problems, c.Type+" has no reason or no message")
		}
	}
	return problems
}

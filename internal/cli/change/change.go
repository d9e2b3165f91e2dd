// Package change changes Usher's objects: in the cluster, until Usher has handled them, or on paper, for Git.
package change

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strconv"
	"strings"
	"time"

	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/util/wait"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/usher-media/usher/api/v1alpha1"
	"github.com/usher-media/usher/internal/cli/manifests"
	"github.com/usher-media/usher/internal/cli/objects"
)

// Object is one of Usher's that people change, with what its status says of its handling.
type Object interface {
	client.Object
	// Handled returns the generation that the status speaks of, and its conditions.
	Handled() (int64, v1alpha1.Conditions)
}

// User is a User, as an Object.
type User struct{ *v1alpha1.User }

// Handled implements Object.
func (u User) Handled() (int64, v1alpha1.Conditions) {
	return u.Status.ObservedGeneration, u.Status.Conditions
}

// Invite is an Invite, as an Object.
type Invite struct{ *v1alpha1.Invite }

// Handled implements Object.
func (i Invite) Handled() (int64, v1alpha1.Conditions) {
	return i.Status.ObservedGeneration, i.Status.Conditions
}

// Options say where a change goes.
type Options struct {
	// DryRun writes the changed manifest to Out, and nothing to the cluster.
	DryRun bool
	Out    io.Writer
	// Progress takes what is said meanwhile.
	Progress io.Writer
	// Timeout is how long Usher is waited for; zero is not at all.
	Timeout time.Duration
}

const pollEvery = 200 * time.Millisecond

// Apply changes an object, which holds what it was. raw is the object that the API server knows. The error says why Usher cannot do
// what was asked.
func Apply(ctx context.Context, c client.Client, object Object, raw client.Object, edit func(), o Options) error {
	before := raw.DeepCopyObject().(client.Object)
	edit()
	if o.DryRun {
		text, err := manifests.Document(bare(raw), "")
		if err == nil {
			_, err = fmt.Fprintf(o.Out, "---\n%s", text)
		}
		return err
	}
	if err := c.Patch(ctx, raw, client.MergeFromWithOptions(before, client.MergeFromWithOptimisticLock{})); err != nil {
		return objects.Explain(err)
	}
	if o.Timeout == 0 {
		return nil
	}
	return await(ctx, c, object, raw, o)
}

// await waits until Usher has handled the object as it is.
func await(ctx context.Context, c client.Client, object Object, raw client.Object, o Options) error {
	generation, said := raw.GetGeneration(), ""
	err := wait.PollUntilContextTimeout(ctx, pollEvery, o.Timeout, true, func(ctx context.Context) (bool, error) {
		if err := c.Get(ctx, client.ObjectKeyFromObject(raw), raw); err != nil {
			return false, err
		}
		observed, conditions := object.Handled()
		ready, stalled := meta.FindStatusCondition(conditions, v1alpha1.ConditionReady), meta.IsStatusConditionTrue(conditions, v1alpha1.ConditionStalled)
		if observed < generation || ready == nil {
			return false, nil
		}
		said = ready.Message
		if stalled {
			return false, fmt.Errorf("%s: %s: %s", raw.GetName(), ready.Reason, ready.Message)
		}
		if ready.Reason == v1alpha1.ReasonObserving || ready.Reason == v1alpha1.ReasonPaused {
			return false, fmt.Errorf("%s was changed in the cluster, and not on the server: %s: %s", raw.GetName(), ready.Reason, ready.Message)
		}
		return ready.Status == metav1.ConditionTrue, nil
	})
	if errors.Is(err, context.DeadlineExceeded) {
		return fmt.Errorf("%s was changed, and Usher has not done it within %s: %s", raw.GetName(), o.Timeout, said)
	}
	if err == nil {
		_, _ = fmt.Fprintf(o.Progress, "%s: %s\n", raw.GetName(), said)
	}
	return err
}

// bare is an object as a manifest holds it.
func bare(raw client.Object) client.Object {
	o := raw.DeepCopyObject().(client.Object)
	o.SetManagedFields(nil)
	o.SetResourceVersion("")
	o.SetUID("")
	o.SetGeneration(0)
	o.SetFinalizers(nil)
	annotations := o.GetAnnotations()
	delete(annotations, v1alpha1.AnnotationOwned)
	delete(annotations, "kubectl.kubernetes.io/last-applied-configuration")
	o.SetAnnotations(annotations)
	return o
}

// Until reads when something is to end: a time, or a duration (30d, 12h) from when it ended until now, or from now on if that is past.
func Until(until, by string, was *v1alpha1.Time, now time.Time) (*v1alpha1.Time, error) {
	switch {
	case (until == "") == (by == ""):
		return nil, errors.New("say either --until, as in 2027-06-30T20:00:00Z, or --by, as in 30d")
	case until != "":
		at, err := time.Parse(time.RFC3339, until)
		if err != nil {
			return nil, fmt.Errorf("--until %q is no time: write it like 2027-06-30T20:00:00Z", until)
		}
		end := v1alpha1.NewTime(at)
		return &end, nil
	}
	length, err := span(by)
	if err != nil || length <= 0 {
		return nil, fmt.Errorf("--by %q is no length of time: write it like 30d or 12h", by)
	}
	from := now
	if was != nil {
		if end, err := was.Parse(); err == nil && end.After(now) {
			from = end
		}
	}
	end := v1alpha1.NewTime(from.Add(length))
	return &end, nil
}

func span(text string) (time.Duration, error) {
	if days, isDays := strings.CutSuffix(text, "d"); isDays {
		n, err := strconv.Atoi(days)
		if err == nil && n > 36500 {
			err = errors.New("more than a century")
		}
		return time.Duration(n) * 24 * time.Hour, err
	}
	return time.ParseDuration(text)
}

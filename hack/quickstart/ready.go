package main

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/usher-media/usher/internal/testenv"
)

const (
	// readyWithin is how long the whole household may take.
	readyWithin = 90 * time.Second
	// sayEvery is how often the objects that are not Ready yet are named.
	sayEvery = 5 * time.Second
)

// awaitReady waits until every object of the samples is Ready, and every grant Applied: a grant is Ready when what it
// names exists, and Applied when the media server has it.
func (q *quickstart) awaitReady(ctx context.Context) error {
	dir, err := q.samples()
	if err != nil {
		return err
	}
	all, err := testenv.Objects(dir)
	if err != nil {
		return err
	}
	var pending []*unstructured.Unstructured
	for _, object := range all {
		if strings.HasPrefix(object.GetAPIVersion(), "usher.media/") {
			pending = append(pending, object)
		}
	}
	waitCtx, cancel := context.WithTimeout(ctx, readyWithin)
	defer cancel()
	if err := q.await(waitCtx, &pending); err != nil {
		return explain(fmt.Errorf("not Ready: %w", err), "%s", q.describe(pending))
	}
	_, err = q.kubectl(ctx, "wait", "--for=condition=Ready", "mediaservers,libraries,users,librarygrants,invites", "--all", "-n", namespace, "--timeout=60s")
	if err == nil {
		q.out.ok("kubectl wait --for=condition=Ready agrees")
	}
	return err
}

// await takes each object from pending and says so, once it is Ready.
func (q *quickstart) await(ctx context.Context, pending *[]*unstructured.Unstructured) error {
	began, said := time.Now(), time.Now()
	for {
		var rest []*unstructured.Unstructured
		for _, object := range *pending {
			if err := q.env.Client().Get(ctx, client.ObjectKeyFromObject(object), object); err != nil {
				return err
			}
			if isReady(object) {
				q.out.ok("%-13s %-13s %.1f s", object.GetKind(), object.GetName(), time.Since(began).Seconds())
			} else {
				rest = append(rest, object)
			}
		}
		if *pending = rest; len(rest) == 0 {
			return nil
		}
		if time.Since(said) > sayEvery {
			said = time.Now()
			q.out.wait("%d to go; %s %s: %s", len(rest), rest[0].GetKind(), rest[0].GetName(), message(rest[0]))
		}
		if err := q.pause(ctx); errors.Is(err, context.DeadlineExceeded) {
			return fmt.Errorf("after %s, %d of the objects are not", readyWithin, len(rest))
		} else if err != nil {
			return err
		}
	}
}

func isReady(object *unstructured.Unstructured) bool {
	observed, _, _ := unstructured.NestedInt64(object.Object, "status", "observedGeneration")
	applied := object.GetKind() != "LibraryGrant" || condition(object, "Applied")["status"] == "True"
	return applied && condition(object, "Ready")["status"] == "True" && observed == object.GetGeneration()
}

// condition returns a condition of an object, or an empty one.
func condition(object *unstructured.Unstructured, kind string) map[string]any {
	conditions, _, _ := unstructured.NestedSlice(object.Object, "status", "conditions")
	for _, entry := range conditions {
		if found, ok := entry.(map[string]any); ok && found["type"] == kind {
			return found
		}
	}
	return nil
}

// message says why an object is not Ready.
func message(object *unstructured.Unstructured) string {
	ready := condition(object, "Ready")
	if ready == nil {
		return "no status yet"
	}
	return fmt.Sprintf("%s: %s", ready["reason"], ready["message"])
}

// describe returns what the objects that are not Ready say.
func (q *quickstart) describe(objects []*unstructured.Unstructured) string {
	var lines []string
	for _, object := range objects {
		lines = append(lines, fmt.Sprintf("%s %s: %s", object.GetKind(), object.GetName(), message(object)))
		if applied := condition(object, "Applied"); applied != nil {
			lines = append(lines, fmt.Sprintf("  Applied is %s, %s: %s", applied["status"], applied["reason"], applied["message"]))
		}
	}
	return indented(strings.Join(lines, "\n"))
}

package controller

import (
	"testing"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/usher-media/usher/api/v1alpha1"
)

// TestSinceWhenWhoWritesIsAsked: since the first of an unbroken series of generations that were seen to say Always.
func TestSinceWhenWhoWritesIsAsked(t *testing.T) {
	made := time.Date(2026, 11, 1, 12, 0, 0, 0, time.UTC)
	was := func(generation int64) *v1alpha1.TakingOver {
		return &v1alpha1.TakingOver{Since: v1alpha1.NewTime(made), Generation: generation}
	}
	for _, try := range []struct {
		name   string
		policy v1alpha1.AccountAdoptionPolicy
		was    *v1alpha1.TakingOver
		// after is how much younger than what the status says an object is that is asked for.
		after time.Duration
		never bool
	}{
		{name: "first", policy: v1alpha1.AccountAdoptionAlways, after: time.Hour + askedAfter},
		{name: "the same generation", policy: v1alpha1.AccountAdoptionAlways, was: was(7), after: askedAfter},
		{name: "the next generation", policy: v1alpha1.AccountAdoptionAlways, was: was(6), after: askedAfter},
		{name: "a generation was not seen", policy: v1alpha1.AccountAdoptionAlways, was: was(5), after: time.Hour + askedAfter},
		{name: "not of this MediaServer", policy: v1alpha1.AccountAdoptionAlways, was: was(8), after: time.Hour + askedAfter},
		{name: "not any more", policy: v1alpha1.AccountAdoptionIfDisabled, was: was(7), never: true},
	} {
		t.Run(try.name, func(t *testing.T) {
			server := &v1alpha1.MediaServer{}
			server.Generation, server.Spec.AdoptionPolicy, server.Status.TakingOver = 7, try.policy, try.was
			server.Status.TakingOver = takingOver(server, true, made.Add(time.Hour))
			user := &v1alpha1.User{}
			for age, asked := range map[time.Duration]bool{try.after: !try.never, try.after - time.Second: false} {
				user.CreationTimestamp = metav1.NewTime(made.Add(age))
				if got := (site{server: server, now: made.Add(2 * time.Hour)}).askedToTakeOver(user); got != asked {
					t.Errorf("%s after it: asked %t, want %t", age, got, asked)
				}
			}
			user.CreationTimestamp = metav1.NewTime(made.Add(24 * time.Hour))
			user.Labels = map[string]string{v1alpha1.LabelRedemption: "uid-0"}
			if (site{server: server, now: made.Add(25 * time.Hour)}).askedToTakeOver(user) {
				t.Error("a guest chose the name of an account that is in use, and has it")
			}
			if takingOver(server, false, made.Add(time.Hour)) != nil {
				t.Error("asked by policies that are not known to bind")
			}
		})
	}
}

package controller

import (
	"encoding/json"
	"testing"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/usher-media/usher/api/v1alpha1"
	"github.com/usher-media/usher/internal/access"
)

// TestTheAnswerToAPatchChangesNoCompiledGrant: it is decoded into the reconciler's own copy, whose memory must be nobody else's.
func TestTheAnswerToAPatchChangesNoCompiledGrant(t *testing.T) {
	t.Parallel()
	listed := []v1alpha1.LibraryGrant{{
		ObjectMeta: metav1.ObjectMeta{Name: "films", Namespace: "media", UID: "1", ResourceVersion: "7"},
		Spec: v1alpha1.LibraryGrantSpec{
			Libraries: v1alpha1.Targets{Refs: []v1alpha1.LocalReference{{Name: "films"}}},
			Users:     v1alpha1.Targets{Selector: &v1alpha1.LabelSelector{MatchLabels: map[string]v1alpha1.LabelValue{"group": "family"}}},
		},
	}}
	for name, version := range map[string]string{"the version that is listed": "7", "another version": "8"} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var grants access.GrantCache
			grants.Keep("media", listed)
			own := listed[0].DeepCopy()
			own.ResourceVersion = version
			if _, err := compileListed(&grants, own, listed); err != nil {
				t.Fatal(err)
			}
			next := listed[0].DeepCopy()
			if _, err := grants.Compile(next); err != nil {
				t.Fatal(err)
			}
			shared := listed[0].DeepCopy()
			grants.Share(shared)
			answer := `{"spec":{"users":{"selector":{"matchLabels":{"another":"label"}}}}}`
			if err := json.Unmarshal([]byte(answer), own); err != nil {
				t.Fatal(err)
			}
			for _, grant := range []*v1alpha1.LibraryGrant{&listed[0], next, shared} {
				if labels := grant.Spec.Users.Selector.MatchLabels; len(labels) != 1 {
					t.Errorf("what others have was changed: %v", labels)
				}
			}
		})
	}
}

package controller

import (
	"time"

	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/usher-media/usher/api/v1alpha1"
	"github.com/usher-media/usher/internal/access"
)

// The admission policies ask who writes a User or Library for permission by what its MediaServer says. What was written
// before the MediaServer said so was not asked for, and is not given by its word alone.

// askedAfter is how much younger than the word of a MediaServer an object must be, for the API server to have known that word
// whenever the object was written. The one time is the operator's, the other the API server's.
const askedAfter = 5 * time.Second

// takingOver says since when the API server asks who makes what takes over by adoptionPolicy Always. A generation that was not
// seen may have had another policy, and policies that are not known to bind ask nobody.
func takingOver(server *v1alpha1.MediaServer, bound bool, now time.Time) *v1alpha1.TakingOver {
	if server.Spec.AdoptionPolicy != v1alpha1.AccountAdoptionAlways || !bound {
		return nil
	}
	since := v1alpha1.NewExactTime(now)
	if was := server.Status.TakingOver; was != nil && (server.Generation == was.Generation || server.Generation == was.Generation+1) {
		since = was.Since
	}
	return &v1alpha1.TakingOver{Since: since, Generation: server.Generation}
}

// noted says whether the status of the MediaServer speaks of the adoptionPolicy that it has now.
func (s site) noted() bool {
	word := s.server.Status.TakingOver
	return word != nil && word.Generation == s.server.Generation
}

// askedToTakeOver says whether whoever made an object that sets no adoptionPolicy was asked for permission because its
// MediaServer takes over what exists, or somebody who has that permission accepted the object since. A User that came by a link
// was made by Usher itself, for somebody who chose the name.
func (s site) askedToTakeOver(object client.Object) bool {
	if !s.noted() {
		return false
	}
	since, err := s.server.Status.TakingOver.Since.Parse()
	if err != nil {
		return false
	}
	byLink := object.GetLabels()[v1alpha1.LabelRedemption] != ""
	asked := !byLink && object.GetCreationTimestamp().Sub(since) >= askedAfter
	return asked || s.accepted(object, since)
}

// accepted says whether somebody accepted what was made before a moment, and did so since another.
func (s site) accepted(object client.Object, since time.Time) bool {
	return access.Accepted(s.server.Status.AcceptedObjects, object.GetCreationTimestamp().Time, since)
}

// acceptingAll is the command that accepts all objects that are there when it is run. A message that named a moment would be
// another one at each look, and a write of each status.
func (s site) acceptingAll() string {
	return "kubectl annotate mediaserver " + s.server.Name + " -n " + s.server.Namespace + " --overwrite " +
		v1alpha1.AnnotationAcceptObjectsBefore + "=$(date -u +%Y-%m-%dT%H:%M:%SZ)"
}

// notNoted is the outcome of an object that its MediaServer may have take over what exists, in the moment before it is noted since
// when: nil otherwise, and while the policies that would ask are not known to bind.
func (k *Kit) notNoted(s site) *outcome {
	if s.server.Spec.AdoptionPolicy != v1alpha1.AccountAdoptionAlways || s.noted() || !k.Policies.Bound() {
		return nil
	}
	o := waiting(v1alpha1.ReasonServerNotReady, "MediaServer %s is being looked at", s.server.Name)
	o.brief, o.after = true, lookAgainAfter
	return o
}

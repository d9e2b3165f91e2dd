package access

import metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

// Claimant is an object that claims an account or a library of a server.
type Claimant struct {
	Object metav1.Object
	// Recorded: its annotation names the account or library.
	Recorded bool
	// Present: the server has the recorded one. It decides among several that recorded one each: a person who comes again
	// after an older backup has another account under the old name.
	Present bool
}

// ClaimWinner returns which of several objects with the same claim has it: recorded ownership beats age, of what is there
// before that of what is not, then age, then UID (design D3). An object that is being deleted keeps its claim until it is gone.
func ClaimWinner(claimants []Claimant) metav1.Object {
	var best *Claimant
	for i := range claimants {
		if best == nil || claimBefore(claimants[i], *best) {
			best = &claimants[i]
		}
	}
	if best == nil {
		return nil
	}
	return best.Object
}

func claimBefore(a, b Claimant) bool {
	if a.Recorded != b.Recorded {
		return a.Recorded
	}
	if a.Recorded && a.Present != b.Present {
		return a.Present
	}
	created, other := a.Object.GetCreationTimestamp(), b.Object.GetCreationTimestamp()
	if !created.Equal(&other) {
		return created.Before(&other)
	}
	return a.Object.GetUID() < b.Object.GetUID()
}

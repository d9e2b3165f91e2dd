package v1alpha1

import metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

// StatusConditions returns the conditions, to be changed in place.
func (s *MediaServer) StatusConditions() *[]metav1.Condition {
	return s.Status.Conditions.Meta()
}

// SetObservedGeneration says which generation the status speaks of.
func (s *MediaServer) SetObservedGeneration(generation int64) {
	s.Status.ObservedGeneration = generation
}

// StatusConditions returns the conditions, to be changed in place.
func (l *Library) StatusConditions() *[]metav1.Condition {
	return l.Status.Conditions.Meta()
}

// SetObservedGeneration says which generation the status speaks of.
func (l *Library) SetObservedGeneration(generation int64) { l.Status.ObservedGeneration = generation }

// StatusConditions returns the conditions, to be changed in place.
func (u *User) StatusConditions() *[]metav1.Condition {
	return u.Status.Conditions.Meta()
}

// SetObservedGeneration says which generation the status speaks of.
func (u *User) SetObservedGeneration(generation int64) { u.Status.ObservedGeneration = generation }

// StatusConditions returns the conditions, to be changed in place.
func (g *LibraryGrant) StatusConditions() *[]metav1.Condition {
	return g.Status.Conditions.Meta()
}

// StatusConditions returns the conditions, to be changed in place.
func (i *Invite) StatusConditions() *[]metav1.Condition {
	return i.Status.Conditions.Meta()
}

// SetObservedGeneration says which generation the status speaks of.
func (i *Invite) SetObservedGeneration(generation int64) { i.Status.ObservedGeneration = generation }

// SetObservedGeneration says which generation the status speaks of.
func (g *LibraryGrant) SetObservedGeneration(generation int64) {
	g.Status.ObservedGeneration = generation
}

// Package v1alpha1 holds Usher's kinds: MediaServer, Library, User, LibraryGrant, Invite and Redemption,
// with the conditions and reasons that their status uses. It holds nothing else: the rules
// over these kinds live in internal/access.
//
// +kubebuilder:object:generate=true
// +groupName=usher.media
package v1alpha1

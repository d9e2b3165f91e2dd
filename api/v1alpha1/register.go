package v1alpha1

import (
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
)

// GroupVersion is the API group and version of Usher's kinds.
var GroupVersion = schema.GroupVersion{Group: "usher.media", Version: "v1alpha1"}

var schemeBuilder = runtime.NewSchemeBuilder(addKnownTypes)

// AddToScheme registers Usher's kinds with a scheme.
var AddToScheme = schemeBuilder.AddToScheme

func addKnownTypes(scheme *runtime.Scheme) error {
	scheme.AddKnownTypes(GroupVersion,
		&MediaServer{}, &MediaServerList{},
		&Library{}, &LibraryList{},
		&User{}, &UserList{},
		&LibraryGrant{}, &LibraryGrantList{},
		&Invite{}, &InviteList{},
		&Redemption{}, &RedemptionList{},
	)
	metav1.AddToGroupVersion(scheme, GroupVersion)
	return nil
}

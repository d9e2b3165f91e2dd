package v1alpha1

import metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

// InviteReference names an Invite for good: a later one of the same name is another one.
type InviteReference struct {
	// Name of the Invite.
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=253
	Name string `json:"name"`

	// UID of the Invite.
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=64
	UID string `json:"uid"`
}

// RedeemedEdge is one library that a Redemption gives.
type RedeemedEdge struct {
	// Library names the Library.
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=253
	Library string `json:"library"`

	// Role within the library.
	Role LibraryRole `json:"role"`
}

// RedeemedLabel is one label that a use gave to the User.
type RedeemedLabel struct {
	// Key of the label.
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=317
	Key string `json:"key"`

	// Value of the label.
	Value LabelValue `json:"value"`
}

// RedeemedAccount is the account of a use on one server, and what the use gave there.
//
// +kubebuilder:validation:XValidation:rule="self.username == oldSelf.username && self.userRef == oldSelf.userRef",message="who came by which invite does not change"
// +kubebuilder:validation:XValidation:rule="has(self.role) == has(oldSelf.role) && (!has(self.role) || self.role == oldSelf.role) && has(self.labels) == has(oldSelf.labels) && (!has(self.labels) || self.labels == oldSelf.labels) && has(self.expiresAt) == has(oldSelf.expiresAt) && (!has(self.expiresAt) || self.expiresAt == oldSelf.expiresAt)",message="what a use gave does not change: delete the Redemption to take its libraries back"
type RedeemedAccount struct {
	// Server names the MediaServer.
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=253
	Server string `json:"server"`

	// Username of the person on the server.
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=128
	Username string `json:"username"`

	// UserRef names the User that stands for the account.
	UserRef LocalReference `json:"userRef"`

	// Libraries that this use gives to the person, for as long as this object exists.
	// +kubebuilder:validation:MaxItems=1024
	// +listType=map
	// +listMapKey=library
	// +optional
	Libraries []RedeemedEdge `json:"libraries,omitempty"`

	// Role that this use gave to the account; empty where the person had an account before.
	// +kubebuilder:validation:XValidation:rule="!(self in ['Owner', 'Admin'])",message="an invite admits no Owner and no Admin"
	// +optional
	Role AccountRole `json:"role,omitempty"`

	// Labels that this use gave to the User.
	// +kubebuilder:validation:MaxItems=16
	// +listType=map
	// +listMapKey=key
	// +optional
	Labels []RedeemedLabel `json:"labels,omitempty"`

	// ExpiresAt is when the account that this use made ends. Absent: never.
	// +optional
	ExpiresAt *Time `json:"expiresAt,omitempty"`
}

// RedemptionSpec is one use of an Invite by one person, and what it gave. What the Invite gives later changes nothing of it.
//
// +kubebuilder:validation:XValidation:rule="self.inviteRef == oldSelf.inviteRef && self.slot == oldSelf.slot",message="who came by which invite does not change"
type RedemptionSpec struct {
	// InviteRef is the Invite that was used.
	InviteRef InviteReference `json:"inviteRef"`

	// Slot is the number of the use, from 0. The object's name holds it, so that it can be taken only once.
	// +kubebuilder:validation:Minimum=0
	Slot int32 `json:"slot"`

	// Accounts of the person, one for each server of the Invite. Which servers these are does not change.
	// +kubebuilder:validation:MinItems=1
	// +kubebuilder:validation:MaxItems=8
	// +kubebuilder:validation:XValidation:rule="size(self) == size(oldSelf) && self.all(a, oldSelf.exists(b, b.server == a.server))",message="who came by which invite does not change"
	// +kubebuilder:validation:XValidation:rule="self.all(a, self.exists_one(b, b.userRef.name == a.userRef.name))",message="each account has a User of its own"
	// +listType=map
	// +listMapKey=server
	Accounts []RedeemedAccount `json:"accounts"`

	// At is when the person came.
	At Time `json:"at"`
}

// RedemptionPhase is how far a use has come.
type RedemptionPhase string

// The phases of a Redemption.
const (
	// RedemptionReserved: the use is taken, the account is being made.
	RedemptionReserved RedemptionPhase = "Reserved"
	// RedemptionCompleted: the person can sign in.
	RedemptionCompleted RedemptionPhase = "Completed"
)

// RedemptionStatus is how far a use has come.
type RedemptionStatus struct {
	// Phase of the use.
	// +optional
	Phase RedemptionPhase `json:"phase,omitempty"`

	// Accounts whose ids are known, by server. Once one is known, the libraries there are given to that account only.
	// +kubebuilder:validation:MaxItems=8
	// +listType=map
	// +listMapKey=server
	// +optional
	Accounts []RedeemedAccountID `json:"accounts,omitempty"`
}

// RedeemedAccountID is the id that an account of a use has on its server.
type RedeemedAccountID struct {
	// Server names the MediaServer.
	// +kubebuilder:validation:MaxLength=253
	Server string `json:"server"`

	// ID of the account.
	// +kubebuilder:validation:MaxLength=512
	ID string `json:"id"`
}

// Redemption is one use of an Invite by one person: the reservation that keeps uses exact, and the record of who came.
// Only Usher makes them. Deleting one takes back the libraries that it gives.
//
// +kubebuilder:object:root=true
// +kubebuilder:subresource:status
// +kubebuilder:resource:shortName=rdm,categories=usher
// +kubebuilder:selectablefield:JSONPath=`.spec.inviteRef.name`
// +kubebuilder:printcolumn:name="Invite",type=string,JSONPath=`.spec.inviteRef.name`
// +kubebuilder:printcolumn:name="Username",type=string,JSONPath=`.spec.accounts[*].username`
// +kubebuilder:printcolumn:name="Phase",type=string,JSONPath=`.status.phase`
// +kubebuilder:printcolumn:name="Age",type=date,JSONPath=`.metadata.creationTimestamp`
// +kubebuilder:printcolumn:name="User",type=string,JSONPath=`.spec.accounts[*].userRef.name`,priority=1
type Redemption struct {
	metav1.TypeMeta   `json:",inline"`
	metav1.ObjectMeta `json:"metadata,omitempty"`

	Spec   RedemptionSpec   `json:"spec"`
	Status RedemptionStatus `json:"status,omitempty"`
}

// RedemptionList is a list of Redemptions.
// +kubebuilder:object:root=true
type RedemptionList struct {
	metav1.TypeMeta `json:",inline"`
	metav1.ListMeta `json:"metadata,omitempty"`
	Items           []Redemption `json:"items"`
}

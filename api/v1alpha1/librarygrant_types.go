package v1alpha1

import metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

// LibraryRole is a role within a library: reads need Viewer, writes need Admin.
// A server without roles in a library knows only Viewer; the other is blocked there, never rounded.
// +kubebuilder:validation:Enum=Viewer;Admin
type LibraryRole string

// The roles within a library, lowest first.
const (
	LibraryRoleViewer LibraryRole = "Viewer"
	LibraryRoleAdmin  LibraryRole = "Admin"
)

// Targets says which objects a LibraryGrant joins: those named and those selected, or all.
//
// +kubebuilder:validation:XValidation:rule="(has(self.all) && self.all) != ((has(self.refs) && size(self.refs) > 0) || has(self.selector))",message="give refs, a selector or both, or else all: true alone"
type Targets struct {
	// Refs names objects. A name that resolves to nothing is blocked and listed in the status.
	// +kubebuilder:validation:MaxItems=256
	// +listType=map
	// +listMapKey=name
	// +optional
	Refs []LocalReference `json:"refs,omitempty"`

	// Selector selects objects by label. An empty one is refused.
	// +optional
	Selector *LabelSelector `json:"selector,omitempty"`

	// All takes every object of the namespace that a manifest declares.
	// +optional
	All bool `json:"all,omitempty"`
}

// LibraryGrantSpec gives users access to libraries. An edge joins a library and a user of the same server.
//
// +kubebuilder:validation:XValidation:rule="!has(self.notBefore) || !has(self.notAfter) || [self.notBefore, self.notAfter].exists(t, t.startsWith('0') || t.startsWith('9999-')) || timestamp(self.notBefore) < timestamp(self.notAfter)",message="notBefore must be earlier than notAfter"
type LibraryGrantSpec struct {
	// Libraries to give access to.
	// +kubebuilder:validation:XValidation:rule="oldSelf.hasValue() || !has(self.selector) || !has(self.selector.matchExpressions) || self.selector.matchExpressions.map(e, has(e.values) ? size(e.values) : 0).sum() <= 256",optionalOldSelf=true,message="a selector takes at most 256 values, all expressions together: give the objects a label that says what they have in common"
	// +kubebuilder:validation:XValidation:rule="!has(self.selector) || !has(self.selector.matchExpressions) || self.selector.matchExpressions.map(e, has(e.values) ? size(e.values) : 0).sum() <= (has(oldSelf.selector) && has(oldSelf.selector.matchExpressions) ? [256, oldSelf.selector.matchExpressions.map(e, has(e.values) ? size(e.values) : 0).sum()].max() : 256)",message="a selector takes at most 256 values, all expressions together: give the objects a label that says what they have in common"
	Libraries Targets `json:"libraries"`

	// Users to give access. People who came by an Invite are taken by name, or by a positive requirement on a label
	// (matchLabels, In, Exists): what a selector does not say takes none of them.
	// +kubebuilder:validation:XValidation:rule="oldSelf.hasValue() || !has(self.selector) || !has(self.selector.matchExpressions) || self.selector.matchExpressions.map(e, has(e.values) ? size(e.values) : 0).sum() <= 256",optionalOldSelf=true,message="a selector takes at most 256 values, all expressions together: give the objects a label that says what they have in common"
	// +kubebuilder:validation:XValidation:rule="!has(self.selector) || !has(self.selector.matchExpressions) || self.selector.matchExpressions.map(e, has(e.values) ? size(e.values) : 0).sum() <= (has(oldSelf.selector) && has(oldSelf.selector.matchExpressions) ? [256, oldSelf.selector.matchExpressions.map(e, has(e.values) ? size(e.values) : 0).sum()].max() : 256)",message="a selector takes at most 256 values, all expressions together: give the objects a label that says what they have in common"
	Users Targets `json:"users"`

	// IncludeInvited lets `all: true` and selectors without a positive requirement (NotIn, DoesNotExist) take people who
	// came by an Invite as well.
	// +optional
	IncludeInvited bool `json:"includeInvited,omitempty"`

	// Role within the libraries. Admin needs the permission `administer` on all MediaServers of the namespace.
	// +kubebuilder:default=Viewer
	// +optional
	Role LibraryRole `json:"role,omitempty"`

	// NotBefore is when the access begins. Absent: at once.
	// +optional
	NotBefore *Time `json:"notBefore,omitempty"`

	// NotAfter is when the access ends. Absent: never. A date in the past is legal and means Ended.
	// +optional
	NotAfter *Time `json:"notAfter,omitempty"`

	// Disabled withdraws the grant without deleting it.
	// +optional
	Disabled bool `json:"disabled,omitempty"`
}

// LibraryGrantState is the state of a grant.
type LibraryGrantState string

// The states of a LibraryGrant.
const (
	// GrantScheduled begins at notBefore.
	GrantScheduled LibraryGrantState = "Scheduled"
	// GrantActive gives access now.
	GrantActive LibraryGrantState = "Active"
	// GrantEnded ended at notAfter.
	GrantEnded LibraryGrantState = "Ended"
	// GrantDisabled by spec.disabled.
	GrantDisabled LibraryGrantState = "Disabled"
)

// GrantEdges counts the edges of a grant.
type GrantEdges struct {
	// Desired edges: each selected library with each selected user of its server, while the grant is Active.
	Desired int32 `json:"desired"`

	// Applied edges: those that the media servers have.
	Applied int32 `json:"applied"`

	// Summary is applied/desired.
	Summary string `json:"summary"`
}

// BlockedEdge is a reference or an edge that gives no access, and why.
type BlockedEdge struct {
	// Library names the Library; empty when the user is what is blocked.
	// +optional
	Library string `json:"library,omitempty"`

	// User names the User; empty when the library is what is blocked.
	// +optional
	User string `json:"user,omitempty"`

	// Reason in one word: NotFound, NoCounterpart, NotReady, RoleUnsupported.
	Reason string `json:"reason"`

	// Message says what to do.
	// +optional
	Message string `json:"message,omitempty"`
}

// GrantBlocked lists what gives no access.
type GrantBlocked struct {
	// Total counts all.
	Total int32 `json:"total"`

	// Items lists the first 50.
	// +kubebuilder:validation:MaxItems=50
	// +listType=atomic
	// +optional
	Items []BlockedEdge `json:"items,omitempty"`
}

// LibraryGrantStatus is derived: from the objects that the grant names, and from what their servers have.
type LibraryGrantStatus struct {
	// ObservedGeneration is the generation that this status speaks of.
	// +optional
	ObservedGeneration int64 `json:"observedGeneration,omitempty"`

	// Conditions: Ready (the grant's own references resolve), Applied (every edge has reached its server),
	// Reconciling, Stalled.
	// +listType=map
	// +listMapKey=type
	// +optional
	Conditions Conditions `json:"conditions,omitempty"`

	// State of the grant.
	// +optional
	State LibraryGrantState `json:"state,omitempty"`

	// Edges counts what the grant gives.
	// +optional
	Edges *GrantEdges `json:"edges,omitempty"`

	// Blocked lists what it does not give, and why.
	// +optional
	Blocked *GrantBlocked `json:"blocked,omitempty"`
}

// LibraryGrant gives users access to libraries. It is input for the Users' controller: deleting it takes the access back.
//
// +kubebuilder:object:root=true
// +kubebuilder:subresource:status
// +kubebuilder:resource:shortName=lg,categories=usher
// +kubebuilder:printcolumn:name="Edges",type=string,JSONPath=`.status.edges.summary`
// +kubebuilder:printcolumn:name="State",type=string,JSONPath=`.status.state`
// +kubebuilder:printcolumn:name="Applied",type=string,JSONPath=`.status.conditions[?(@.type=="Applied")].status`
// +kubebuilder:printcolumn:name="Ready",type=string,JSONPath=`.status.conditions[?(@.type=="Ready")].status`
// +kubebuilder:printcolumn:name="Age",type=date,JSONPath=`.metadata.creationTimestamp`
// +kubebuilder:printcolumn:name="Role",type=string,JSONPath=`.spec.role`,priority=1
// +kubebuilder:printcolumn:name="Message",type=string,JSONPath=`.status.conditions[?(@.type=="Ready")].message`,priority=1
type LibraryGrant struct {
	metav1.TypeMeta   `json:",inline"`
	metav1.ObjectMeta `json:"metadata,omitempty"`

	Spec   LibraryGrantSpec   `json:"spec"`
	Status LibraryGrantStatus `json:"status,omitempty"`
}

// LibraryGrantList is a list of LibraryGrants.
// +kubebuilder:object:root=true
type LibraryGrantList struct {
	metav1.TypeMeta `json:",inline"`
	metav1.ListMeta `json:"metadata,omitempty"`
	Items           []LibraryGrant `json:"items"`
}

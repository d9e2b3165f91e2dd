package v1alpha1

import metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

// AccountRole is the role of an account: one of Usher's five words, which each driver maps to its server's,
// or the name of a role of the server's own.
// +kubebuilder:validation:MinLength=1
// +kubebuilder:validation:MaxLength=50
// +kubebuilder:validation:XValidation:rule="self.matches('^[A-Za-z0-9]([A-Za-z0-9 ._-]*[A-Za-z0-9])?$')",message="a role is Owner, Admin, Editor, Member, Guest or the name of a role of the server's own (letters, digits, space, dot, dash, underscore)"
// +kubebuilder:validation:XValidation:rule="self in ['Owner', 'Admin', 'Editor', 'Member', 'Guest'] || !(self.lowerAscii() in ['owner', 'admin', 'editor', 'member', 'guest'])",message="write Owner, Admin, Editor, Member or Guest with a capital first letter"
type AccountRole string

// The roles that each driver maps to its server's own.
const (
	AccountRoleOwner  AccountRole = "Owner"
	AccountRoleAdmin  AccountRole = "Admin"
	AccountRoleEditor AccountRole = "Editor"
	AccountRoleMember AccountRole = "Member"
	AccountRoleGuest  AccountRole = "Guest"
)

// UserAccess says which libraries an account sees.
// +kubebuilder:validation:Enum=Granted;All
type UserAccess string

// What an account sees.
const (
	// UserAccessGranted: what LibraryGrants give.
	UserAccessGranted UserAccess = "Granted"
	// UserAccessAll: every library, also future ones.
	UserAccessAll UserAccess = "All"
)

// UserDeletionPolicy says what happens to the account when its manifest is deleted.
// +kubebuilder:validation:Enum=Disable;Delete;Retain
type UserDeletionPolicy string

// The deletion policies of accounts.
const (
	// UserDeletionDisable takes back what Usher granted and disables the account; nothing of the person's is lost.
	UserDeletionDisable UserDeletionPolicy = "Disable"
	// UserDeletionDelete deletes the account with all that hangs off it.
	UserDeletionDelete UserDeletionPolicy = "Delete"
	// UserDeletionRetain leaves account and access as they are.
	UserDeletionRetain UserDeletionPolicy = "Retain"
)

// Password says where an account's password comes from.
//
// +kubebuilder:validation:XValidation:rule="has(self.secretRef) || (has(self.requireChange) && self.requireChange) || (has(self.chosenByHolder) && self.chosenByHolder)",message="give secretRef, requireChange or chosenByHolder, or leave password out: then one is made and kept in a Secret"
// +kubebuilder:validation:XValidation:rule="!(has(self.chosenByHolder) && self.chosenByHolder) || (!has(self.secretRef) && !(has(self.requireChange) && self.requireChange))",message="chosenByHolder stands alone: the holder's password is known to nobody else"
type Password struct {
	// SecretRef names the key of a Secret that holds the password. It is applied when its value changes,
	// and by adoption only to an account that was shut out. Whoever sets it must be allowed to
	// read the Secret. Absent: one is made once and kept in the Secret
	// <name>-credentials.
	// +optional
	SecretRef *SecretKeyReference `json:"secretRef,omitempty"`

	// RequireChange makes the person choose another password at the next sign-in, where the server can.
	// +optional
	RequireChange bool `json:"requireChange,omitempty"`

	// ChosenByHolder: the person chose it, or will, on an invite page. Usher keeps none: an account that it makes gets
	// one that nobody knows.
	// +optional
	ChosenByHolder bool `json:"chosenByHolder,omitempty"`
}

// UserSpec describes one account on one media server.
//
// +kubebuilder:validation:XValidation:rule="!has(self.role) || self.role != 'Owner' || (!has(self.expiresAt) && (!has(self.disabled) || !self.disabled))",message="the owner of a server is never disabled: remove disabled and expiresAt, or choose another role"
// +kubebuilder:validation:XValidation:rule="!has(oldSelf.email) || has(self.email)",message="email can be changed, not removed: servers cannot forget one"
type UserSpec struct {
	// ServerRef names the MediaServer. Immutable.
	// +kubebuilder:validation:XValidation:rule="self == oldSelf",message="serverRef is immutable: delete this User and make a new one"
	ServerRef LocalReference `json:"serverRef"`

	// Username of the account, matched as the server matches (mostly without regard to letter case). Immutable.
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=64
	// +kubebuilder:validation:XValidation:rule="self.matches('^[^[:space:][:cntrl:]]([^[:cntrl:]]*[^[:space:][:cntrl:]])?$')",message="username must not begin or end with a space or hold control characters"
	// +kubebuilder:validation:XValidation:rule="self == oldSelf",message="username is immutable: delete this User and make a new one"
	Username string `json:"username"`

	// Email of the account; required where it is the server's key.
	// +kubebuilder:validation:MinLength=3
	// +kubebuilder:validation:MaxLength=254
	// +kubebuilder:validation:XValidation:rule="self.matches('^[^@[:space:][:cntrl:]]+@[^@[:space:][:cntrl:]]+$')",message="email must look like name@example.org"
	// +optional
	Email string `json:"email,omitempty"`

	// DisplayName shown on the server. Absent: left alone; a new account gets the username.
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=100
	// +kubebuilder:validation:XValidation:rule="!self.matches('[[:cntrl:]]')",message="displayName must not hold control characters"
	// +optional
	DisplayName string `json:"displayName,omitempty"`

	// Role: Owner (only by adoption), Admin, Editor, Member, Guest, or the name of a role of the server's own.
	// Owner and Admin need the permission `administer` on the MediaServer.
	// +kubebuilder:default=Member
	// +optional
	Role AccountRole `json:"role,omitempty"`

	// Access: Granted sees what LibraryGrants give; All sees every library, also future ones, and needs the
	// permission `administer` on the MediaServer.
	// +kubebuilder:default=Granted
	// +optional
	Access UserAccess `json:"access,omitempty"`

	// Disabled shuts the account out without deleting it.
	// +optional
	Disabled bool `json:"disabled,omitempty"`

	// ExpiresAt is when the account is disabled; a later date gives it back. A date in the past is legal.
	// +optional
	ExpiresAt *Time `json:"expiresAt,omitempty"`

	// Password: absent, one is made once and kept in the Secret <name>-credentials.
	// +optional
	Password *Password `json:"password,omitempty"`

	// AdoptionPolicy: Never takes over no existing account; IfDisabled only one that nobody can sign in with
	// and whose role does not administer; Always any, and needs the permission `administer` on the MediaServer. Absent: the MediaServer's.
	// +optional
	AdoptionPolicy AccountAdoptionPolicy `json:"adoptionPolicy,omitempty"`

	// DeletionPolicy: what happens to the account when this manifest is deleted.
	// +kubebuilder:default=Disable
	// +optional
	DeletionPolicy UserDeletionPolicy `json:"deletionPolicy,omitempty"`
}

// UserState is the state of an account.
type UserState string

// The states of a User.
const (
	// UserPending: there is no account yet, or not one that is known to be this User's; or its MediaServer is gone.
	UserPending UserState = "Pending"
	// UserActive can sign in.
	UserActive UserState = "Active"
	// UserDisabled by spec.disabled.
	UserDisabled UserState = "Disabled"
	// UserExpired by spec.expiresAt.
	UserExpired UserState = "Expired"
	// UserDisabledOnServer: the account is disabled, and nothing on record says by Usher, which leaves it so.
	UserDisabledOnServer UserState = "DisabledOnServer"
	// UserGone: the account is gone from the server, and is not made again, since only its holder knew the password.
	UserGone UserState = "Gone"
)

// UserAccessEntry is one library that an account sees.
type UserAccessEntry struct {
	// Library names the Library.
	Library string `json:"library"`

	// Role in the library.
	Role LibraryRole `json:"role"`

	// Through lists what the access comes from: names of LibraryGrants, each with the labels by which its selector took
	// the User, `invite` and the name of an Invite, `role` (by the account's role) or `All`.
	// +kubebuilder:validation:MaxItems=10
	// +listType=atomic
	// +optional
	Through []string `json:"through,omitempty"`
}

// UserAccessStatus lists what an account sees of the declared libraries.
type UserAccessStatus struct {
	// Total counts them all.
	Total int32 `json:"total"`

	// Items lists the first 50 by name.
	// +kubebuilder:validation:MaxItems=50
	// +listType=atomic
	// +optional
	Items []UserAccessEntry `json:"items,omitempty"`
}

// DisableMethod is how an account was shut out: the first of these that the server can do.
// +kubebuilder:validation:Enum=Switch;LockOut;NoAccess
type DisableMethod string

// The rungs of the ladder.
const (
	// DisableSwitch: the server's own switch.
	DisableSwitch DisableMethod = "Switch"
	// DisableLockOut: a password that nobody knows, with every session and device key ended. To let the person in
	// again takes a new password.
	DisableLockOut DisableMethod = "LockOut"
	// DisableNoAccess: the person can sign in, and sees no library. What undeclared libraries the account saw is
	// remembered, and given back with the rest.
	DisableNoAccess DisableMethod = "NoAccess"
)

// UserStatus is what Usher found and did.
type UserStatus struct {
	// ObservedGeneration is the generation that this status speaks of.
	// +optional
	ObservedGeneration int64 `json:"observedGeneration,omitempty"`

	// Conditions: Ready, InSync, Reconciling, Stalled.
	// +listType=map
	// +listMapKey=type
	// +optional
	Conditions Conditions `json:"conditions,omitempty"`

	// State of the account.
	// +optional
	State UserState `json:"state,omitempty"`

	// ExternalID is the account's id on the server.
	// +optional
	ExternalID string `json:"externalID,omitempty"`

	// Origin: Created by Usher, or Adopted.
	// +optional
	Origin Origin `json:"origin,omitempty"`

	// Access lists the declared libraries that the account sees, and why.
	// +optional
	Access *UserAccessStatus `json:"access,omitempty"`

	// DisableMethod says how the account was shut out.
	// +optional
	DisableMethod DisableMethod `json:"disableMethod,omitempty"`

	// CredentialsSecret names the Secret with the generated password.
	// +optional
	CredentialsSecret string `json:"credentialsSecret,omitempty"`

	// CredentialsVersion is the version of that Secret that was last found to hold it. Opaque.
	// +optional
	CredentialsVersion string `json:"credentialsVersion,omitempty"`

	// Drift says what was last found different though no manifest had changed.
	// +optional
	Drift *Drift `json:"drift,omitempty"`

	// Plan lists what would be changed, in mode Observe.
	// +kubebuilder:validation:MaxItems=50
	// +listType=atomic
	// +optional
	Plan []string `json:"plan,omitempty"`
}

// User is one account on one media server. A person's accounts on several servers are tied together by labels.
//
// +kubebuilder:object:root=true
// +kubebuilder:validation:XValidation:rule="oldSelf.hasValue() || size(self.metadata.name) <= 200",optionalOldSelf=true,message="the name has more than 200 characters: its Secret is named after it"
// +kubebuilder:subresource:status
// +kubebuilder:resource:shortName=usr,categories=usher
// +kubebuilder:selectablefield:JSONPath=`.spec.serverRef.name`
// +kubebuilder:printcolumn:name="Server",type=string,JSONPath=`.spec.serverRef.name`
// +kubebuilder:printcolumn:name="Role",type=string,JSONPath=`.spec.role`
// +kubebuilder:printcolumn:name="Libraries",type=integer,JSONPath=`.status.access.total`
// +kubebuilder:printcolumn:name="State",type=string,JSONPath=`.status.state`
// +kubebuilder:printcolumn:name="Ready",type=string,JSONPath=`.status.conditions[?(@.type=="Ready")].status`
// +kubebuilder:printcolumn:name="Age",type=date,JSONPath=`.metadata.creationTimestamp`
// +kubebuilder:printcolumn:name="Username",type=string,JSONPath=`.spec.username`,priority=1
// +kubebuilder:printcolumn:name="Message",type=string,JSONPath=`.status.conditions[?(@.type=="Ready")].message`,priority=1
type User struct {
	metav1.TypeMeta   `json:",inline"`
	metav1.ObjectMeta `json:"metadata,omitempty"`

	Spec   UserSpec   `json:"spec"`
	Status UserStatus `json:"status,omitempty"`
}

// UserList is a list of Users.
// +kubebuilder:object:root=true
type UserList struct {
	metav1.TypeMeta `json:",inline"`
	metav1.ListMeta `json:"metadata,omitempty"`
	Items           []User `json:"items"`
}

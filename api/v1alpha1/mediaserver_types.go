package v1alpha1

import metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

// MediaServerType names the software of a media server, and so the driver that speaks to it.
// +kubebuilder:validation:Enum=Embedded;Dubby;Alcoves;Shisho;Audiobookshelf;Jellyfin
type MediaServerType string

// The types of media server. A build of Usher that has no driver for a type says so in the status.
const (
	MediaServerEmbedded       MediaServerType = "Embedded"
	MediaServerDubby          MediaServerType = "Dubby"
	MediaServerAlcoves        MediaServerType = "Alcoves"
	MediaServerShisho         MediaServerType = "Shisho"
	MediaServerJellyfin       MediaServerType = "Jellyfin"
	MediaServerAudiobookshelf MediaServerType = "Audiobookshelf"
)

// MediaServerMode says whether Usher acts on a media server.
// +kubebuilder:validation:Enum=Enforce;Observe
type MediaServerMode string

// The modes of a MediaServer.
const (
	// ModeEnforce makes the media server agree with the manifests.
	ModeEnforce MediaServerMode = "Enforce"
	// ModeObserve reports what would change (status.plan) and writes nothing.
	ModeObserve MediaServerMode = "Observe"
)

// RegistrationMode says who may make an account on the media server without an admin.
// +kubebuilder:validation:Enum=Open;InviteOnly;Closed
type RegistrationMode string

// The registration modes.
const (
	RegistrationOpen       RegistrationMode = "Open"
	RegistrationInviteOnly RegistrationMode = "InviteOnly"
	RegistrationClosed     RegistrationMode = "Closed"
)

// UnmanagedAccess says what happens to a declared user's access to libraries that no manifest declares.
// +kubebuilder:validation:Enum=Keep;Remove
type UnmanagedAccess string

// What happens to access to undeclared libraries.
const (
	UnmanagedAccessKeep   UnmanagedAccess = "Keep"
	UnmanagedAccessRemove UnmanagedAccess = "Remove"
)

// AccountAdoptionPolicy says when an existing account may be taken over by a User.
// +kubebuilder:validation:Enum=Never;IfDisabled;Always
type AccountAdoptionPolicy string

// The adoption policies of accounts.
const (
	AccountAdoptionNever      AccountAdoptionPolicy = "Never"
	AccountAdoptionIfDisabled AccountAdoptionPolicy = "IfDisabled"
	AccountAdoptionAlways     AccountAdoptionPolicy = "Always"
)

// MediaServerDeletionPolicy says what happens to the objects of a MediaServer that is deleted.
// +kubebuilder:validation:Enum=Retain;Cascade
type MediaServerDeletionPolicy string

// The deletion policies of a MediaServer.
const (
	// MediaServerDeletionRetain leaves accounts, access and libraries as they are. Native invite links are closed first.
	MediaServerDeletionRetain MediaServerDeletionPolicy = "Retain"
	// MediaServerDeletionCascade first does for each object what its own deletionPolicy says.
	MediaServerDeletionCascade MediaServerDeletionPolicy = "Cascade"
)

// MediaServerSpec describes one connection to a media server.
//
// +kubebuilder:validation:XValidation:rule="!has(self.database) || self.type == 'Alcoves'",message="database is only for a type that needs SQL (Alcoves): remove it"
// +kubebuilder:validation:XValidation:rule="!has(self.tls) || self.url.startsWith('https://')",message="tls needs a url that begins with https://"
type MediaServerSpec struct {
	// Type of the media server. Immutable.
	// +kubebuilder:validation:XValidation:rule="self == oldSelf",message="type is immutable: delete this MediaServer and make a new one"
	Type MediaServerType `json:"type"`

	// URL of the media server's API, as Usher reaches it.
	// +kubebuilder:validation:MinLength=8
	// +kubebuilder:validation:MaxLength=512
	// +kubebuilder:validation:XValidation:rule="self.matches('^https?://[^/?#@[:space:]]+(/[^?#@[:space:]]*)?$')",message="url must look like http://host:port or https://host/path, without user, query or fragment: credentials belong into the Secret"
	URL string `json:"url"`

	// Credentials of the account that Usher uses on the media server.
	Credentials Credentials `json:"credentials"`

	// Database connection, only for a type that needs SQL.
	// +optional
	Database *Database `json:"database,omitempty"`

	// TLS settings of the connection.
	// +optional
	TLS *TLS `json:"tls,omitempty"`

	// PublicURL is what people open in a browser; used in links. Absent: url.
	// +kubebuilder:validation:MaxLength=512
	// +kubebuilder:validation:XValidation:rule="self == '' || self.matches('^https?://[^/?#@[:space:]]+(/[^?#@[:space:]]*)?$')",message="publicURL must look like https://media.example.org, without user, query or fragment"
	// +optional
	PublicURL string `json:"publicURL,omitempty"`

	// Bootstrap lets Usher make the first account of a brand-new server from the credentials.
	// It never acts on a server that it has seen before.
	// +optional
	Bootstrap bool `json:"bootstrap,omitempty"`

	// SyncInterval is how often drift is looked for (jittered by a tenth): 10s to 24h.
	// +kubebuilder:default="5m"
	// +kubebuilder:validation:XValidation:rule="self.matches('^([0-9]{1,12}([.][0-9]{1,9})?ms|[0-9]{1,9}([.][0-9]{1,9})?s|[0-9]{1,7}([.][0-9]{1,9})?m|[0-9]{1,5}([.][0-9]{1,9})?h){1,8}$') && duration(self) >= duration('10s') && duration(self) <= duration('24h')",message="syncInterval must be between 10s and 24h"
	// +optional
	SyncInterval *Duration `json:"syncInterval,omitempty"`

	// Mode: Enforce acts; Observe only reports what would change.
	// +kubebuilder:default=Enforce
	// +optional
	Mode MediaServerMode `json:"mode,omitempty"`

	// Registration sets who may register on the server, where it has such a mode. Absent: left alone.
	// +optional
	Registration RegistrationMode `json:"registration,omitempty"`

	// UnmanagedAccess: Keep leaves declared users' access to undeclared libraries as found; Remove takes it away.
	// +kubebuilder:default=Keep
	// +optional
	UnmanagedAccess UnmanagedAccess `json:"unmanagedAccess,omitempty"`

	// AdoptionPolicy is the default for Users and Libraries of this server that set none.
	// Always is for a cluster that is being rebuilt: it takes over accounts that are in use, and libraries of the same name.
	// Users and Libraries that were there before it was Always are accepted by the annotation usher.media/accept-objects-before.
	// +kubebuilder:default=IfDisabled
	// +optional
	AdoptionPolicy AccountAdoptionPolicy `json:"adoptionPolicy,omitempty"`

	// DeletionPolicy says what deleting this MediaServer does to its Users and Libraries. Retain: Usher stops managing
	// the server, and accounts, access and libraries stay as they are; links of its Invites are closed first. Cascade:
	// for each object, deleted or not, what its own deletionPolicy says is done first.
	// +kubebuilder:default=Retain
	// +optional
	DeletionPolicy MediaServerDeletionPolicy `json:"deletionPolicy,omitempty"`

	// MediaRoots are the folders below which the paths of Libraries may lie. A path elsewhere needs the permission
	// `administer` on the MediaServer, as every path does while this is absent.
	// +kubebuilder:validation:MaxItems=32
	// +listType=set
	// +optional
	MediaRoots []LibraryPath `json:"mediaRoots,omitempty"`
}

// Credentials names the Secret with the account that Usher uses.
type Credentials struct {
	// SecretRef names a Secret with `token`, or with `username` and `password`; the documentation of
	// each server says which. `email` is used where the server signs in by email. Whoever sets it, or changes url or
	// tls, must be allowed to read the Secret.
	SecretRef SecretReference `json:"secretRef"`
}

// Database names the Secret with a database connection.
type Database struct {
	// SecretRef names a Secret whose key `url` holds the connection URL.
	SecretRef SecretReference `json:"secretRef"`
}

// TLS settings of a connection.
type TLS struct {
	// CASecretRef names a Secret whose key `ca.crt` holds the certificates to trust instead of the system's.
	// +optional
	CASecretRef *SecretReference `json:"caSecretRef,omitempty"`

	// InsecureSkipVerify trusts any certificate. The status says so for as long as it is set.
	// +optional
	InsecureSkipVerify bool `json:"insecureSkipVerify,omitempty"`
}

// MediaServerState is the state of a connection.
type MediaServerState string

// The states of a MediaServer.
const (
	// MediaServerPending has not been reached yet.
	MediaServerPending MediaServerState = "Pending"
	// MediaServerConnected was reached at the last look.
	MediaServerConnected MediaServerState = "Connected"
	// MediaServerUnavailable could not be reached, or did not answer as its type does.
	MediaServerUnavailable MediaServerState = "Unavailable"
	// MediaServerDeleting is being deleted, and waits for its objects.
	MediaServerDeleting MediaServerState = "Deleting"
	// MediaServerRefused was reached, but something must be mended by a person: see the conditions.
	MediaServerRefused MediaServerState = "Refused"
)

// MediaServerStatus is what Usher found.
type MediaServerStatus struct {
	// ObservedGeneration is the generation that this status speaks of.
	// +optional
	ObservedGeneration int64 `json:"observedGeneration,omitempty"`

	// Conditions: Ready, InSync, Reconciling, Stalled.
	// +listType=map
	// +listMapKey=type
	// +optional
	Conditions Conditions `json:"conditions,omitempty"`

	// State of the connection.
	// +optional
	State MediaServerState `json:"state,omitempty"`

	// Identity of the server behind the URL. When it changes, nothing is written until the
	// annotation usher.media/accept-server-identity names the new one.
	// +optional
	Identity string `json:"identity,omitempty"`

	// Version that the server reports.
	// +optional
	Version string `json:"version,omitempty"`

	// Account is the name of the account that Usher uses on the server.
	// +optional
	Account string `json:"account,omitempty"`

	// Capabilities of this server, as its driver found them.
	// +kubebuilder:validation:MaxItems=64
	// +listType=set
	// +optional
	Capabilities []string `json:"capabilities,omitempty"`

	// Users counts the accounts on the server at the last look, declared or not.
	// +optional
	Users int32 `json:"users"`

	// Libraries counts the libraries on the server at the last look, declared or not.
	// +optional
	Libraries int32 `json:"libraries"`

	// Undeclared is what the server had at the last look and no manifest of this namespace owns, also what only has the name
	// of one. Usher never touches it.
	// Its own account and personal libraries are left out.
	// +optional
	Undeclared *Undeclared `json:"undeclared,omitempty"`

	// TakingOver is set while spec.adoptionPolicy is Always.
	// +optional
	TakingOver *TakingOver `json:"takingOver,omitempty"`

	// AcceptedObjects is set while the annotation usher.media/accept-objects-before names a moment since the MediaServer was made.
	// +optional
	AcceptedObjects *AcceptedObjects `json:"acceptedObjects,omitempty"`

	// Plan lists what would be changed on the server itself, in mode Observe. What would be changed of a User, a Library
	// or an Invite is in its own plan.
	// +kubebuilder:validation:MaxItems=50
	// +listType=atomic
	// +optional
	Plan []string `json:"plan,omitempty"`
}

// TakingOver says since when whoever makes a User or Library that sets no adoptionPolicy is asked for permission, because
// the MediaServer's is Always.
type TakingOver struct {
	// Since is when Usher saw it first.
	Since Time `json:"since"`

	// Generation is the last one of the MediaServer that Usher saw so.
	Generation int64 `json:"generation"`
}

// AcceptedObjects says up to when Users and Libraries are accepted though nobody was asked for permission: up to the earlier of
// the two moments. It counts for the time since the MediaServer's adoptionPolicy is Always only if that began before.
type AcceptedObjects struct {
	// Before is the moment that the annotation names.
	Before Time `json:"before"`

	// Seen is when Usher saw it there first.
	Seen Time `json:"seen"`
}

// Undeclared is what a media server has and no manifest owns.
type Undeclared struct {
	// Accounts that people may use, and that no User stands for.
	Accounts UndeclaredItems `json:"accounts"`

	// EnabledAccounts are those of them that are not disabled: with a password, they can sign in.
	// +optional
	EnabledAccounts *UndeclaredItems `json:"enabledAccounts,omitempty"`

	// Libraries that no Library stands for.
	Libraries UndeclaredItems `json:"libraries"`
}

// UndeclaredItems counts things of a media server, and names the first.
type UndeclaredItems struct {
	// Total is how many there are.
	Total int32 `json:"total"`

	// Names of the first 10 by name, each without control characters and cut at 64 characters.
	// +kubebuilder:validation:MaxItems=10
	// +listType=atomic
	// +optional
	Names []string `json:"names,omitempty"`
}

// MediaServer is one connection to a media server. Everything of that server (its Libraries, Users and
// the LibraryGrants between them) lives in the MediaServer's namespace.
//
// +kubebuilder:object:root=true
// +kubebuilder:subresource:status
// +kubebuilder:resource:shortName=ms,categories=usher
// +kubebuilder:printcolumn:name="Type",type=string,JSONPath=`.spec.type`
// +kubebuilder:printcolumn:name="State",type=string,JSONPath=`.status.state`
// +kubebuilder:printcolumn:name="Ready",type=string,JSONPath=`.status.conditions[?(@.type=="Ready")].status`
// +kubebuilder:printcolumn:name="Age",type=date,JSONPath=`.metadata.creationTimestamp`
// +kubebuilder:printcolumn:name="URL",type=string,JSONPath=`.spec.url`,priority=1
// +kubebuilder:printcolumn:name="Users",type=integer,JSONPath=`.status.users`,priority=1
// +kubebuilder:printcolumn:name="Libraries",type=integer,JSONPath=`.status.libraries`,priority=1
// +kubebuilder:printcolumn:name="Undeclared Users",type=integer,JSONPath=`.status.undeclared.accounts.total`,priority=1
// +kubebuilder:printcolumn:name="Undeclared Libraries",type=integer,JSONPath=`.status.undeclared.libraries.total`,priority=1
// +kubebuilder:printcolumn:name="Version",type=string,JSONPath=`.status.version`,priority=1
// +kubebuilder:printcolumn:name="Message",type=string,JSONPath=`.status.conditions[?(@.type=="Ready")].message`,priority=1
type MediaServer struct {
	metav1.TypeMeta   `json:",inline"`
	metav1.ObjectMeta `json:"metadata,omitempty"`

	Spec   MediaServerSpec   `json:"spec"`
	Status MediaServerStatus `json:"status,omitempty"`
}

// MediaServerList is a list of MediaServers.
// +kubebuilder:object:root=true
type MediaServerList struct {
	metav1.TypeMeta `json:",inline"`
	metav1.ListMeta `json:"metadata,omitempty"`
	Items           []MediaServer `json:"items"`
}

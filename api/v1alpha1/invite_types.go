package v1alpha1

import metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

// InviteDelivery says whose invite pages admit people.
// +kubebuilder:validation:Enum=Auto;Portal;Native
type InviteDelivery string

// The deliveries.
const (
	// DeliveryAuto: the server's own invites where they keep Usher's promises, else Usher's pages, which are not served yet.
	DeliveryAuto InviteDelivery = "Auto"
	// DeliveryPortal: Usher's pages, which are not served yet.
	DeliveryPortal InviteDelivery = "Portal"
	// DeliveryNative: the server's own link, with that server's promises.
	DeliveryNative InviteDelivery = "Native"
)

// Inviter is who the invite page says it is from.
type Inviter struct {
	// DisplayName of the inviter.
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=100
	// +kubebuilder:validation:XValidation:rule="!self.matches('[[:cntrl:]]')",message="displayName must not hold control characters"
	DisplayName string `json:"displayName"`
}

// InvitedAccount says what the Users look like that an Invite makes.
type InvitedAccount struct {
	// Labels of the Users, for LibraryGrants to select.
	// +kubebuilder:validation:MaxProperties=16
	// +kubebuilder:validation:XValidation:rule="self.all(key, !key.startsWith('usher.media/'))",message="labels that begin with usher.media/ are Usher's own: choose another key"
	// +kubebuilder:validation:XValidation:rule="self.all(key, size(key) <= 317 && key.matches('^([a-z0-9]([-a-z0-9]*[a-z0-9])?([.][a-z0-9]([-a-z0-9]*[a-z0-9])?)*/)?[A-Za-z0-9]([-A-Za-z0-9_.]{0,61}[A-Za-z0-9])?$'))",message="a label's key is a name of at most 63 letters, digits, dots, dashes and underscores, after a domain and a slash or alone"
	// +optional
	Labels map[string]LabelValue `json:"labels,omitempty"`

	// ExpiresAfter is how long an account lasts, from the moment it is made: 1m to 10 years.
	// +kubebuilder:validation:XValidation:rule="self.matches('^([0-9]{1,12}([.][0-9]{1,9})?ms|[0-9]{1,9}([.][0-9]{1,9})?s|[0-9]{1,7}([.][0-9]{1,9})?m|[0-9]{1,5}([.][0-9]{1,9})?h){1,8}$') && duration(self) >= duration('1m') && duration(self) <= duration('87600h')",message="expiresAfter must be between 1m and 87600h (ten years), in h, m and s: 30 days are 720h"
	// +optional
	ExpiresAfter *Duration `json:"expiresAfter,omitempty"`
}

// InviteOffer is what an Invite gives on one server.
type InviteOffer struct {
	// ServerRef names the MediaServer.
	ServerRef LocalReference `json:"serverRef"`

	// Libraries that the people see. Absent: none by this Invite; LibraryGrants may select them by label.
	// +kubebuilder:validation:XValidation:rule="!has(self.selector) || !has(self.selector.matchExpressions) || self.selector.matchExpressions.map(e, has(e.values) ? size(e.values) : 0).sum() <= 256",message="a selector takes at most 256 values, all expressions together: give the objects a label that says what they have in common"
	// +optional
	Libraries *Targets `json:"libraries,omitempty"`

	// LibraryRole within the libraries. Admin needs the permission `administer` on the MediaServer. Absent: Viewer. Nothing is
	// filled in here: an item of a list that the API server completes differs from the manifest at every apply.
	// +optional
	LibraryRole LibraryRole `json:"libraryRole,omitempty"`

	// Role of the accounts: Editor, Member or Guest. Absent: Member. A role of the server's own is given by a User, since no link
	// of a server gives one.
	// +kubebuilder:validation:XValidation:rule="!(self in ['Owner', 'Admin'])",message="an invite admits no Owner and no Admin: declare such a person as a User"
	// +optional
	Role AccountRole `json:"role,omitempty"`
}

// InviteSpec admits people to media servers by a link.
type InviteSpec struct {
	// Offers says what the Invite gives, one server each. One use is one person on all of them. Several offers need Usher's own
	// pages, which are not served yet. The servers are immutable.
	// +kubebuilder:validation:MinItems=1
	// +kubebuilder:validation:MaxItems=8
	// +kubebuilder:validation:XValidation:rule="self.all(o, self.exists_one(p, p.serverRef.name == o.serverRef.name))",message="no two offers are for one MediaServer: put what they give into one"
	// +kubebuilder:validation:XValidation:rule="size(self) == size(oldSelf) && self.all(o, oldSelf.exists(p, p.serverRef.name == o.serverRef.name))",message="the servers of the offers are immutable: delete this Invite and make a new one"
	// +listType=atomic
	Offers []InviteOffer `json:"offers"`

	// MaxUses is how many people may come. Absent: any number.
	// +kubebuilder:validation:Minimum=1
	// +kubebuilder:validation:Maximum=10000
	// +optional
	MaxUses *int32 `json:"maxUses,omitempty"`

	// ExpiresAt is when the link stops working. Absent: never. A date in the past is legal and means Expired.
	// +optional
	ExpiresAt *Time `json:"expiresAt,omitempty"`

	// Revoked stops new uses at once and leaves the people who came.
	// +optional
	Revoked bool `json:"revoked,omitempty"`

	// Inviter is who the page says it is from. Absent: the account that Usher uses on the server.
	// +optional
	Inviter *Inviter `json:"inviter,omitempty"`

	// Email binds the invite to one address.
	// +kubebuilder:validation:MaxLength=254
	// +kubebuilder:validation:XValidation:rule="self == '' || self.matches('^[^@[:space:][:cntrl:]]+@[^@[:space:][:cntrl:]]+$')",message="email must look like name@example.org"
	// +optional
	Email string `json:"email,omitempty"`

	// Account says what the Users look like that this Invite makes.
	// +optional
	Account *InvitedAccount `json:"account,omitempty"`

	// Welcome is shown on the last page, as Markdown.
	// +kubebuilder:validation:MaxLength=4096
	// +kubebuilder:validation:XValidation:rule="self.matches('^([^[:cntrl:]]|[\\n\\t])*$')",message="welcome must not hold control characters but line breaks and tabs"
	// +optional
	Welcome string `json:"welcome,omitempty"`

	// Delivery: whose pages admit people. Auto: the server's own, where they count exactly (Embedded). Native: the server's
	// own links, with that server's promises (Alcoves). Portal: Usher's pages, which are not served yet. Immutable, since
	// each keeps its own count.
	// +kubebuilder:default=Auto
	// +kubebuilder:validation:XValidation:rule="self == oldSelf",message="delivery is immutable: delete this Invite and make a new one"
	// +optional
	Delivery InviteDelivery `json:"delivery,omitempty"`
}

// InviteState is the state of an invite.
type InviteState string

// The states of an Invite, in the order in which they come before one another.
const (
	// InviteRevoked by spec.revoked.
	InviteRevoked InviteState = "Revoked"
	// InviteExpired by spec.expiresAt.
	InviteExpired InviteState = "Expired"
	// InviteExhausted: as many people came as may.
	InviteExhausted InviteState = "Exhausted"
	// InvitePending is valid and can be used.
	InvitePending InviteState = "Pending"
	// InviteWaiting admits nobody yet, or for now: the conditions say what it waits for.
	InviteWaiting InviteState = "Waiting"
)

// InviteUse is one person who came.
type InviteUse struct {
	// Username on the server.
	Username string `json:"username"`

	// User that stands for the person.
	// +optional
	User string `json:"user,omitempty"`

	// At is when the person came.
	At Time `json:"at"`
}

// InviteUses lists who came.
type InviteUses struct {
	// Total counts all.
	Total int32 `json:"total"`

	// Items lists the newest 50.
	// +kubebuilder:validation:MaxItems=50
	// +listType=atomic
	// +optional
	Items []InviteUse `json:"items,omitempty"`
}

// InviteStatus is what Usher found and did. The code is in no status: it is in the Secret.
type InviteStatus struct {
	// ObservedGeneration is the generation that this status speaks of.
	// +optional
	ObservedGeneration int64 `json:"observedGeneration,omitempty"`

	// Conditions: Ready (the state is true on the server, and the Secret is there), InSync,
	// Reconciling, Stalled.
	// +listType=map
	// +listMapKey=type
	// +optional
	Conditions Conditions `json:"conditions,omitempty"`

	// State of the invite.
	// +optional
	State InviteState `json:"state,omitempty"`

	// Uses lists who came.
	// +optional
	Uses *InviteUses `json:"uses,omitempty"`

	// Remaining uses. Absent: any number.
	// +optional
	Remaining *int32 `json:"remaining,omitempty"`

	// SecretName names the Secret with `code`, `url`, `qr.png` and `qr.txt`.
	// +optional
	SecretName string `json:"secretName,omitempty"`

	// CodeHash is the SHA-256 of the code, in hex, by which server and Secret are compared.
	// +optional
	CodeHash string `json:"codeHash,omitempty"`

	// Delivery says whose pages admit people: Native or Portal. It is decided with the first link, and stays, since each
	// keeps its own count.
	// +optional
	Delivery InviteDelivery `json:"delivery,omitempty"`

	// ExternalID is the id of the server's own invite, where there is one.
	// +optional
	ExternalID string `json:"externalID,omitempty"`

	// Plan lists what would be changed, in mode Observe.
	// +kubebuilder:validation:MaxItems=50
	// +listType=atomic
	// +optional
	Plan []string `json:"plan,omitempty"`
}

// Invite admits people to media servers by a link, exactly as often as it says.
//
// +kubebuilder:object:root=true
// +kubebuilder:validation:XValidation:rule="oldSelf.hasValue() || size(self.metadata.name) <= 63",optionalOldSelf=true,message="the name has more than 63 characters: it becomes a label of the people who come, by which LibraryGrants select them"
// +kubebuilder:subresource:status
// +kubebuilder:resource:shortName=inv,categories=usher
// +kubebuilder:printcolumn:name="State",type=string,JSONPath=`.status.state`
// +kubebuilder:printcolumn:name="Uses",type=integer,JSONPath=`.status.uses.total`
// +kubebuilder:printcolumn:name="Max",type=integer,JSONPath=`.spec.maxUses`
// +kubebuilder:printcolumn:name="Expires",type=string,JSONPath=`.spec.expiresAt`
// +kubebuilder:printcolumn:name="Ready",type=string,JSONPath=`.status.conditions[?(@.type=="Ready")].status`
// +kubebuilder:printcolumn:name="Age",type=date,JSONPath=`.metadata.creationTimestamp`
// +kubebuilder:printcolumn:name="Server",type=string,JSONPath=`.spec.offers[*].serverRef.name`,priority=1
// +kubebuilder:printcolumn:name="Secret",type=string,JSONPath=`.status.secretName`,priority=1
// +kubebuilder:printcolumn:name="Message",type=string,JSONPath=`.status.conditions[?(@.type=="Ready")].message`,priority=1
type Invite struct {
	metav1.TypeMeta   `json:",inline"`
	metav1.ObjectMeta `json:"metadata,omitempty"`

	Spec   InviteSpec   `json:"spec"`
	Status InviteStatus `json:"status,omitempty"`
}

// InviteList is a list of Invites.
// +kubebuilder:object:root=true
type InviteList struct {
	metav1.TypeMeta `json:",inline"`
	metav1.ListMeta `json:"metadata,omitempty"`
	Items           []Invite `json:"items"`
}

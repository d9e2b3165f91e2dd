package v1alpha1

import metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

// MediaType says what a library holds.
// +kubebuilder:validation:Enum=Movies;Shows;Music;Books;Audiobooks;Comics;Podcasts;Photos;Mixed
type MediaType string

// The media types. Each server knows some of them; a type that the server does not know makes the Library Stalled.
const (
	MediaTypeMovies     MediaType = "Movies"
	MediaTypeShows      MediaType = "Shows"
	MediaTypeMusic      MediaType = "Music"
	MediaTypeBooks      MediaType = "Books"
	MediaTypeAudiobooks MediaType = "Audiobooks"
	MediaTypeComics     MediaType = "Comics"
	MediaTypePodcasts   MediaType = "Podcasts"
	MediaTypePhotos     MediaType = "Photos"
	MediaTypeMixed      MediaType = "Mixed"
)

// LibraryAdoptionPolicy says when an existing library may be taken over by a Library.
// +kubebuilder:validation:Enum=Never;IfUnique
type LibraryAdoptionPolicy string

// The adoption policies of libraries.
const (
	LibraryAdoptionNever    LibraryAdoptionPolicy = "Never"
	LibraryAdoptionIfUnique LibraryAdoptionPolicy = "IfUnique"
)

// LibraryDeletionPolicy says what happens to the library on the server when its manifest is deleted.
// +kubebuilder:validation:Enum=Retain;Delete
type LibraryDeletionPolicy string

// The deletion policies of libraries.
const (
	// LibraryDeletionRetain leaves the library on the server; the access that Usher gave to it is taken back.
	LibraryDeletionRetain LibraryDeletionPolicy = "Retain"
	// LibraryDeletionDelete deletes it, and only when the server says that it is empty.
	LibraryDeletionDelete LibraryDeletionPolicy = "Delete"
)

// LibrarySpec describes one library of one media server.
//
// +kubebuilder:validation:XValidation:rule="[has(self.embedded), has(self.alcoves), has(self.shisho), has(self.audiobookshelf)].filter(b, b).size() <= 1",message="give at most one of embedded, alcoves, shisho and audiobookshelf: the one of the server's type"
// +kubebuilder:validation:XValidation:rule="(has(self.externalID) && size(self.externalID) > 0) || (has(self.paths) && size(self.paths) > 0) || has(self.alcoves)",message="give paths, or the externalID of an existing library whose paths are to stay as they are, or the block alcoves, whose libraries have none"
// +kubebuilder:validation:XValidation:rule="!(has(self.externalID) && size(self.externalID) > 0 && has(self.adoptionPolicy) && self.adoptionPolicy == 'Never')",message="externalID takes over an existing library: it does not go with adoptionPolicy Never"
// +kubebuilder:validation:XValidation:rule="!has(oldSelf.externalID) || size(oldSelf.externalID) == 0 || has(self.externalID)",message="externalID is immutable once set: delete this Library and make a new one"
type LibrarySpec struct {
	// ServerRef names the MediaServer. Immutable.
	// +kubebuilder:validation:XValidation:rule="self == oldSelf",message="serverRef is immutable: delete this Library and make a new one"
	ServerRef LocalReference `json:"serverRef"`

	// DisplayName is the library's name on the server.
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=100
	// +kubebuilder:validation:XValidation:rule="self.matches('^[^[:space:][:cntrl:]]([^[:cntrl:]]*[^[:space:][:cntrl:]])?$')",message="displayName must not begin or end with a space or hold control characters"
	DisplayName string `json:"displayName"`

	// MediaType says what the library holds. Immutable, since servers cannot change it.
	// +kubebuilder:validation:XValidation:rule="self == oldSelf",message="mediaType is immutable: delete this Library and make a new one"
	MediaType MediaType `json:"mediaType"`

	// Paths of the media, absolute, as the server sees them. Outside of the MediaServer's mediaRoots they need the
	// permission `administer` on it. Absent: those of the library that externalID names stay as
	// they are. Libraries of Alcoves have none.
	// +kubebuilder:validation:MaxItems=50
	// +listType=set
	// +optional
	Paths []LibraryPath `json:"paths,omitempty"`

	// ExternalID names the existing library to take over, when names are ambiguous. Immutable once set.
	// +kubebuilder:validation:MaxLength=128
	// +kubebuilder:validation:XValidation:rule="oldSelf == '' || self == oldSelf",message="externalID is immutable once set: delete this Library and make a new one"
	// +optional
	ExternalID string `json:"externalID,omitempty"`

	// AdoptionPolicy: Never takes over nothing; IfUnique takes over a library when exactly one on the server
	// carries the name and no other Library has it, and needs the permission `administer` on the MediaServer, as
	// externalID does. Absent: Never, or IfUnique where the MediaServer says Always.
	// +optional
	AdoptionPolicy LibraryAdoptionPolicy `json:"adoptionPolicy,omitempty"`

	// DeletionPolicy: Retain leaves the library on the server; Delete deletes it, only when it is empty.
	// +kubebuilder:default=Retain
	// +optional
	DeletionPolicy LibraryDeletionPolicy `json:"deletionPolicy,omitempty"`

	// Embedded holds what only the embedded media server knows.
	// +optional
	Embedded *EmbeddedLibrary `json:"embedded,omitempty"`

	// Alcoves holds what only Alcoves knows.
	// +optional
	Alcoves *AlcovesLibrary `json:"alcoves,omitempty"`

	// Shisho holds what only Shisho knows.
	// +optional
	Shisho *ShishoLibrary `json:"shisho,omitempty"`

	// Audiobookshelf holds what only Audiobookshelf knows.
	// +optional
	Audiobookshelf *AudiobookshelfLibrary `json:"audiobookshelf,omitempty"`
}

// LibraryPath is an absolute path as the media server sees it.
// +kubebuilder:validation:MinLength=1
// +kubebuilder:validation:MaxLength=1024
// +kubebuilder:validation:XValidation:rule="self.matches('^(/|[A-Za-z]:[\\\\\\\\/])') && !self.matches('(^|[\\\\\\\\/])[.][.]([\\\\\\\\/]|$)') && !self.matches('[[:cntrl:]]')",message="a path must be absolute, as the media server sees it, and hold no .. and no control characters"
type LibraryPath string

// EmbeddedLibrary holds what only the embedded media server knows.
type EmbeddedLibrary struct {
	// Emoji shown beside the name. Absent: left alone.
	// +kubebuilder:validation:MaxLength=16
	// +optional
	Emoji *string `json:"emoji,omitempty"`

	// PublicSharing lets people make public links to single items. Absent: left alone (a new library has it off).
	// +optional
	PublicSharing *bool `json:"publicSharing,omitempty"`
}

// AlcovesLibrary holds what only Alcoves knows. An empty block says that the library is one of Alcoves, and has no paths.
type AlcovesLibrary struct {
	// Emoji shown beside the name. Absent: left alone.
	// +kubebuilder:validation:MaxLength=16
	// +optional
	Emoji *string `json:"emoji,omitempty"`

	// FaceRecognition detects and clusters faces. Absent: left alone.
	// +optional
	FaceRecognition *bool `json:"faceRecognition,omitempty"`

	// ObjectDetection labels people, animals and objects. Absent: left alone.
	// +optional
	ObjectDetection *bool `json:"objectDetection,omitempty"`

	// PublicSharing lets people make public links to single moments. Absent: left alone.
	// +optional
	PublicSharing *bool `json:"publicSharing,omitempty"`
}

// ShishoLibrary holds what only Shisho knows.
type ShishoLibrary struct {
	// OrganizeFiles lets Shisho move and rename media files on disk. A library is created with it off unless this says otherwise.
	// +optional
	OrganizeFiles *bool `json:"organizeFiles,omitempty"`

	// CoverAspectRatio of the library's covers. Absent: Book at creation, then left alone.
	// +kubebuilder:validation:Enum=Book;Audiobook;BookFallbackAudiobook;AudiobookFallbackBook
	// +optional
	CoverAspectRatio string `json:"coverAspectRatio,omitempty"`
}

// AudiobookshelfLibrary holds what only Audiobookshelf knows.
type AudiobookshelfLibrary struct {
	// Provider of metadata, in Audiobookshelf's own word: google, openlibrary, itunes, audible and others. Absent: left alone.
	// +kubebuilder:validation:MaxLength=100
	// +optional
	Provider string `json:"provider,omitempty"`

	// Icon shown beside the name, in Audiobookshelf's own word: database, audiobookshelf, books-1, headphones and others. Absent: left alone.
	// +kubebuilder:validation:MaxLength=100
	// +optional
	Icon string `json:"icon,omitempty"`
}

// LibraryMemberRole is what an account is to a library that it sees.
// +kubebuilder:validation:Enum=Owner;Admin;Viewer
type LibraryMemberRole string

// The roles of members.
const (
	LibraryMemberOwner  LibraryMemberRole = "Owner"
	LibraryMemberAdmin  LibraryMemberRole = "Admin"
	LibraryMemberViewer LibraryMemberRole = "Viewer"
)

// LibraryMember is one account that sees a library.
type LibraryMember struct {
	// Username of the account on the server.
	Username string `json:"username"`

	// Role in the library: Owner of the library or of the server, Admin by the library's list or by a role that
	// administers the server, or Viewer.
	Role LibraryMemberRole `json:"role"`

	// User names the User that declares the account. Empty: no manifest declares it.
	// +optional
	User string `json:"user,omitempty"`

	// All says that the account sees every library, by its role or by "all libraries".
	// +optional
	All bool `json:"all,omitempty"`
}

// LibraryMembers lists the accounts that see a library.
type LibraryMembers struct {
	// Total counts them all.
	Total int32 `json:"total"`

	// Items lists the first 50: the owner, then by name.
	// +kubebuilder:validation:MaxItems=50
	// +listType=atomic
	// +optional
	Items []LibraryMember `json:"items,omitempty"`
}

// LibraryStatus is what Usher found and did.
type LibraryStatus struct {
	// ObservedGeneration is the generation that this status speaks of.
	// +optional
	ObservedGeneration int64 `json:"observedGeneration,omitempty"`

	// Conditions: Ready, InSync, Reconciling, Stalled.
	// +listType=map
	// +listMapKey=type
	// +optional
	Conditions Conditions `json:"conditions,omitempty"`

	// ExternalID is the library's id on the server.
	// +optional
	ExternalID string `json:"externalID,omitempty"`

	// Origin: Created by Usher, or Adopted.
	// +optional
	Origin Origin `json:"origin,omitempty"`

	// Members lists who sees the library, declared or not.
	// +optional
	Members *LibraryMembers `json:"members,omitempty"`

	// Drift says what was last found different though no manifest had changed.
	// +optional
	Drift *Drift `json:"drift,omitempty"`

	// Plan lists what would be changed, in mode Observe.
	// +kubebuilder:validation:MaxItems=50
	// +listType=atomic
	// +optional
	Plan []string `json:"plan,omitempty"`
}

// Library is one library of one media server.
//
// +kubebuilder:object:root=true
// +kubebuilder:subresource:status
// +kubebuilder:resource:path=libraries,shortName=lib,categories=usher
// +kubebuilder:selectablefield:JSONPath=`.spec.serverRef.name`
// +kubebuilder:printcolumn:name="Server",type=string,JSONPath=`.spec.serverRef.name`
// +kubebuilder:printcolumn:name="Members",type=integer,JSONPath=`.status.members.total`
// +kubebuilder:printcolumn:name="Ready",type=string,JSONPath=`.status.conditions[?(@.type=="Ready")].status`
// +kubebuilder:printcolumn:name="Age",type=date,JSONPath=`.metadata.creationTimestamp`
// +kubebuilder:printcolumn:name="Name",type=string,JSONPath=`.spec.displayName`,priority=1
// +kubebuilder:printcolumn:name="External-ID",type=string,JSONPath=`.status.externalID`,priority=1
// +kubebuilder:printcolumn:name="Message",type=string,JSONPath=`.status.conditions[?(@.type=="Ready")].message`,priority=1
type Library struct {
	metav1.TypeMeta   `json:",inline"`
	metav1.ObjectMeta `json:"metadata,omitempty"`

	Spec   LibrarySpec   `json:"spec"`
	Status LibraryStatus `json:"status,omitempty"`
}

// LibraryList is a list of Libraries.
// +kubebuilder:object:root=true
type LibraryList struct {
	metav1.TypeMeta `json:",inline"`
	metav1.ListMeta `json:"metadata,omitempty"`
	Items           []Library `json:"items"`
}

package v1alpha1

// Origin says how an object of a media server came to be managed.
type Origin string

// The origins.
const (
	// OriginCreated was created by Usher.
	OriginCreated Origin = "Created"
	// OriginAdopted existed before and was taken over.
	OriginAdopted Origin = "Adopted"
)

// Drift says what was found different on the media server though no manifest had changed.
type Drift struct {
	// DetectedAt is when it was found.
	DetectedAt Time `json:"detectedAt"`

	// RepairedAt is when it was made true again. Absent: not repaired (yet).
	// +optional
	RepairedAt *Time `json:"repairedAt,omitempty"`

	// Differences in words, the first 10.
	// +kubebuilder:validation:MaxItems=10
	// +listType=atomic
	// +optional
	Differences []string `json:"differences,omitempty"`
}

// Condition types (kstatus: `kubectl wait` and the health checks of GitOps tools understand them).
const (
	// ConditionReady: as of observedGeneration, nothing is left for Usher to do under the mode that is set. In mode
	// Enforce: the media server agrees. Of an object that is paused or observed it is True with that reason.
	// For a LibraryGrant: its own references resolve. For an Invite: its state is true on the server, and its Secret is there.
	ConditionReady = "Ready"
	// ConditionInSync says whether the media server agrees with this object, whatever the mode: False when mode Observe has
	// a plan, Unknown while nothing has compared the two. A LibraryGrant has Applied instead.
	ConditionInSync = "InSync"
	// ConditionReconciling is there, and True, while work is under way or waits for something that mends itself.
	ConditionReconciling = "Reconciling"
	// ConditionStalled is there, and True, when only a person can mend it; its message says how.
	ConditionStalled = "Stalled"
	// ConditionApplied: every edge of a LibraryGrant has reached its server.
	ConditionApplied = "Applied"
	// ConditionIdentityShared is there, and True, while a MediaServer of another namespace leads to the same server.
	ConditionIdentityShared = "IdentityShared"
	// ConditionAnotherKey is there, and True, on a MediaServer some of whose passwords or links were made with another key of
	// the operator's.
	ConditionAnotherKey = "AnotherKey"
)

// Reasons of conditions. Each is explained in docs/status.md.
const (
	// ReasonSynced: the media server agrees.
	ReasonSynced = "Synced"
	// ReasonSharedAcrossNamespaces: MediaServers of two namespaces lead to one server.
	ReasonSharedAcrossNamespaces = "SharedAcrossNamespaces"
	// ReasonResolved: all references of a LibraryGrant resolve.
	ReasonResolved = "Resolved"
	// ReasonApplied: every edge has reached its server.
	ReasonApplied = "Applied"
	// ReasonPaused: the annotation usher.media/paused holds the object as it is.
	ReasonPaused = "Paused"
	// ReasonObserving: mode Observe; the plan says what would be changed.
	ReasonObserving = "Observing"

	// ReasonProgressing: work is under way.
	ReasonProgressing = "Progressing"
	// ReasonDeleting: the object is being let go.
	ReasonDeleting = "Deleting"
	// ReasonServerNotFound: no MediaServer of that name in the namespace.
	ReasonServerNotFound = "ServerNotFound"
	// ReasonServerNotReady: the MediaServer is not connected; its own status says why.
	ReasonServerNotReady = "ServerNotReady"
	// ReasonServerUnavailable: the media server does not answer, or not as its type does.
	ReasonServerUnavailable = "ServerUnavailable"
	// ReasonRateLimited: the media server asks for patience.
	ReasonRateLimited = "RateLimited"
	// ReasonSecretNotFound: a Secret, or a key in it, is missing.
	ReasonSecretNotFound = "SecretNotFound"
	// ReasonReferencesUnresolved: something that a LibraryGrant names gives no access; status.blocked lists it.
	ReasonReferencesUnresolved = "ReferencesUnresolved"
	// ReasonEdgesPending: some edges have not reached their server yet.
	ReasonEdgesPending = "EdgesPending"
	// ReasonConfirmingAbsence: something recorded is missing from the server; it is believed after two full listings.
	ReasonConfirmingAbsence = "ConfirmingAbsence"
	// ReasonRetrying: a call to the media server or to Kubernetes failed and is tried again.
	ReasonRetrying = "Retrying"
	// ReasonSetupRequired: the media server has no accounts yet.
	ReasonSetupRequired = "SetupRequired"
	// ReasonAccessStillHeld: a Library waits until the access that Usher gave to it is taken back.
	ReasonAccessStillHeld = "AccessStillHeld"
	// ReasonDisruptionLimit: more than a fifth of a server's users that see a library, or that see none (and more than five), would be
	// shut out within ten minutes; those that have had that for ten minutes at most, or a day, are counted for themselves.
	ReasonDisruptionLimit = "DisruptionLimit"
	// ReasonPoliciesNotBound: the admission policies are not known to bind, so that nobody was asked who may have this.
	ReasonPoliciesNotBound = "PoliciesNotBound"
	// ReasonInUse: a MediaServer waits until its Libraries, Users and Invites are let go.
	ReasonInUse = "InUse"

	// ReasonCredentialsRefused: the media server refuses the credentials, or they may not do what is needed.
	ReasonCredentialsRefused = "CredentialsRefused"
	// ReasonUnsupportedType: this build has no driver for the type.
	ReasonUnsupportedType = "UnsupportedType"
	// ReasonUnsupported: the server cannot do what the spec asks.
	ReasonUnsupported = "Unsupported"
	// ReasonInvalidSpec: the spec asks for what cannot be.
	ReasonInvalidSpec = "InvalidSpec"
	// ReasonConflict: something of that name exists on the server and may not be taken over.
	ReasonConflict = "Conflict"
	// ReasonAmbiguousName: several libraries on the server carry the name.
	ReasonAmbiguousName = "AmbiguousName"
	// ReasonDuplicateClaim: another object of the namespace claims the same account or library.
	ReasonDuplicateClaim = "DuplicateClaim"
	// ReasonInDoubt: nobody can tell whether what the server has is still what was recorded; a person decides.
	ReasonInDoubt = "InDoubt"
	// ReasonIdentityChanged: another server answers behind the URL.
	ReasonIdentityChanged = "IdentityChanged"
	// ReasonProtected: the server's owner, its last administrator and Usher's own account are never demoted, disabled or deleted.
	ReasonProtected = "Protected"
	// ReasonRefused: the media server refused the request as invalid.
	ReasonRefused = "Refused"
	// ReasonLibraryNotEmpty: deletionPolicy Delete deletes only an empty library.
	ReasonLibraryNotEmpty = "LibraryNotEmpty"
	// ReasonPasswordUnacceptable: the password in the Secret breaks the server's rules.
	ReasonPasswordUnacceptable = "PasswordUnacceptable"
	// ReasonKeyChanged: passwords and links were made with another key of the operator's; they stay as they are.
	ReasonKeyChanged = "KeyChanged"
	// ReasonKeyAccepted: what was made with another key of the operator's is being made anew, a few at a time.
	ReasonKeyAccepted = "KeyAccepted"
	// ReasonPasswordUnknown: an account that was taken over while it was shut has a password that its former holder may know.
	ReasonPasswordUnknown = "PasswordUnknown"
	// ReasonAccountGone: the account is gone from the server, and only its holder knew the password: it is not made again.
	ReasonAccountGone = "AccountGone"
)

// Annotations that people set.
const (
	// AnnotationPaused, with any value but "false", stops Usher from acting on the object (deletion included).
	AnnotationPaused = "usher.media/paused"
	// AnnotationReconcileNow makes Usher look at once whenever its value changes.
	AnnotationReconcileNow = "usher.media/reconcile-now"
	// AnnotationAcceptServerIdentity names the new identity of a server that changed behind its URL.
	AnnotationAcceptServerIdentity = "usher.media/accept-server-identity"
	// AnnotationDistinctServer, on a MediaServer, names the identity that its server shares with another one though it is a
	// copy of that one's data, at another address. Needs `administer`.
	AnnotationDistinctServer = "usher.media/distinct-server"
	// AnnotationProceed, on a MediaServer, lifts the disruption limit until the moment that it names (RFC 3339, a day at most).
	AnnotationProceed = "usher.media/proceed"
	// AnnotationAllowPaths, on a Library, is a JSON list of paths that it may have outside of the MediaServer's mediaRoots though
	// the Library is older than the MediaServer, so that nobody was asked for permission. Needs `administer`.
	AnnotationAllowPaths = "usher.media/allow-paths"
	// AnnotationAcceptObjectsBefore, on a MediaServer, names a moment that has come (RFC 3339). What was made before it counts as
	// made by somebody who may administer the MediaServer, as far as nobody was asked since there was no MediaServer yet, or one with
	// another adoptionPolicy: Users and Libraries may then take over by its adoptionPolicy Always, and Libraries may have any
	// paths. It ends with the MediaServer, and for taking over as soon as the adoptionPolicy is another. Needs `administer`.
	AnnotationAcceptObjectsBefore = "usher.media/accept-objects-before"
	// AnnotationAcceptedKey, on a MediaServer, names the operator's key with which passwords and links are to be made anew that
	// were made with another.
	AnnotationAcceptedKey = "usher.media/accept-key"
	// AnnotationRotatePassword makes a new generated password whenever its value changes.
	AnnotationRotatePassword = "usher.media/rotate-password"
	// AnnotationConfirmID, on a User or Library in doubt, names the id on the server of the account or library that is this
	// one, though it does not look like the one that was recorded. Needs `administer`.
	AnnotationConfirmID = "usher.media/confirm-id"
	// AnnotationForgetID, on a User or Library in doubt, names the recorded id that is not this one's any more: what has it
	// on the server is left alone. Needs `administer`.
	AnnotationForgetID = "usher.media/forget-id"
)

// What Usher itself sets.
const (
	// AnnotationOwned records which object of the media server is this object's.
	AnnotationOwned = "usher.media/owned"
	// AnnotationAdmissionProbe marks what the admission policy that it names refuses from everybody.
	AnnotationAdmissionProbe = "usher.media/admission-probe"
	// Finalizer holds an object until what it stands for is let go.
	Finalizer = "usher.media/finalizer"
	// LabelOutdated marks a Secret with a password that does not work any more: its holder has replaced it by another, or the
	// Secret came back with the cluster from before a change.
	LabelOutdated = "usher.media/outdated"
	// LabelInviteUID marks the Redemptions and Users of an Invite with its UID.
	LabelInviteUID = "usher.media/invite-uid"
	// LabelInvite marks the Users of an Invite with its name, where it is short enough for a label.
	LabelInvite = "usher.media/invite"
	// LabelRedemption marks the User that came by a Redemption with the Redemption's name. Such a User's account is
	// made only while the Redemption is there.
	LabelRedemption = "usher.media/redemption"
)

package controller

import (
	"context"
	"encoding/json"
	"maps"
	"reflect"
	"slices"
	"time"

	"k8s.io/apimachinery/pkg/api/meta"
	"k8s.io/utils/lru"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/controller/controllerutil"

	"github.com/usher-media/usher/api/v1alpha1"
	"github.com/usher-media/usher/internal/access"
	"github.com/usher-media/usher/internal/media"
)

// record is what the annotation usher.media/owned holds: which object of the server is this object's. It is in an
// annotation since a status does not survive a restore.
type record struct {
	// ID of the account or library on the server.
	ID string `json:"id,omitempty"`
	// Origin: Created or Adopted.
	Origin v1alpha1.Origin `json:"origin,omitempty"`
	// Server is the identity of the server that ID belongs to.
	Server string `json:"server,omitempty"`
	// Password is the keyed hash of the password that was last applied.
	Password string `json:"password,omitempty"`
	// CodeHash is the hash of the code of an Invite's link.
	CodeHash string `json:"codeHash,omitempty"`
	// KeyID is the id of the operator's key that the hash was made with, Seed what tells the UID that the object had then.
	KeyID string `json:"keyID,omitempty"`
	Seed  string `json:"seed,omitempty"`
	// MustChange: its holder was to choose another at the first sign-in.
	MustChange bool `json:"mustChange,omitempty"`
	// Generated: that password was made here, and not chosen by a person.
	Generated bool `json:"generated,omitempty"`
	// PasswordAt is when that password was set on an account that had another one, PasswordTold when by the server's own
	// word: what tells that an account has its former password again, as after a restore.
	PasswordAt   time.Time `json:"passwordAt,omitzero"`
	PasswordTold time.Time `json:"passwordTold,omitzero"`
	// Unproven: the server was put back to an earlier time, and the password could not be tried yet.
	Unproven bool `json:"unproven,omitempty"`
	// ProvenUID is the UID that the object had when the password was found to work, after a restore of the cluster.
	ProvenUID string `json:"provenUID,omitempty"`
	// Outdated: the password was found not to work. It holds when another one was set, by the server's word; else the UID that the
	// object had then.
	Outdated string `json:"outdated,omitempty"`
	// Rotation is the value of the rotate-password annotation that was last acted on.
	Rotation string `json:"rotation,omitempty"`
	// Disabled: Usher disabled the account, and so may enable it.
	Disabled bool `json:"disabled,omitempty"`
	// EnabledAt is when Usher enabled again what it had disabled; zero once somebody else disabled it.
	EnabledAt time.Time `json:"enabledAt,omitzero"`
	// Method is how; empty for the server's own switch.
	Method v1alpha1.DisableMethod `json:"method,omitempty"`
	// Locked: the password that nobody knows is set (DisableLockOut).
	Locked bool `json:"locked,omitempty"`
	// OwesPassword: the account was taken over while it was shut, and is not to be opened with the password that it has.
	OwesPassword bool `json:"owesPassword,omitempty"`
	// Taken is the access to undeclared libraries that was taken to shut the account out (DisableNoAccess).
	Taken map[media.LibraryID]media.LibraryRole `json:"taken,omitempty"`
	// Imported counts the uses of the server's invite that have become Redemptions. A Redemption that is deleted
	// afterwards stays deleted.
	Imported int `json:"imported,omitempty"`
	// UseKeys names the uses that were ever imported, so that each counts once in whatever order databases of the server come
	// back; what no Redemption records and was until UsesUntil counts as imported, too. LastUsedBy is the account of the last.
	UseKeys    string    `json:"useKeys,omitempty"`
	UsesUntil  time.Time `json:"usesUntil,omitzero"`
	LastUsedBy string    `json:"lastUsedBy,omitempty"`
	// Uses is what a record from before that has: how many uses were imported, and a digest of them. LastUse is when the last
	// was.
	Uses    string    `json:"uses,omitempty"`
	LastUse time.Time `json:"lastUse,omitzero"`
	// Earlier counts the uses that the server does not know any more: of invites that are gone, or lost by a restore.
	Earlier int `json:"earlier,omitempty"`
	// Library is what a library looked like, besides its id: its witnesses.
	Library *libraryWitness `json:"library,omitempty"`
	// FormerLibraries are what a Library was before: with a newer backup they come back.
	FormerLibraries []formerLibrary `json:"formerLibraries,omitempty"`
	// Guards are what the driver made on a MediaServer's server to keep a hole of it shut.
	Guards []string `json:"guards,omitempty"`
	// Email and Created are what the account had when it was last seen: its witnesses, where ids are given out again.
	Email   string    `json:"email,omitempty"`
	Created time.Time `json:"created,omitzero"`
	// Believed is another name under which the account is known beyond doubt to be this one's; "-" where it is gone.
	Believed string `json:"believed,omitempty"`
	// Assumed: the record was lost. The password that the manifest says counts as applied, once it can be read.
	Assumed bool `json:"assumed,omitempty"`
	// Doubt: what has the ID on the server is not believed to be this one's.
	Doubt *doubt `json:"doubt,omitempty"`
	// Terms are what the invite gives besides what the server keeps. They change when all who came before are recorded.
	Terms *terms `json:"offer,omitempty"`
	// Delivery is whose pages admit people, once there was a link.
	Delivery v1alpha1.InviteDelivery `json:"delivery,omitempty"`
	// UIDs that this Invite has had: a restored cluster gives it another. The newest comes last.
	UIDs []string `json:"uids,omitempty"`
	// FormerIDs are the records of what was this object's and was gone when another was made in its place, the newest first:
	// a server that is put back may bring it back.
	FormerIDs []record `json:"formerIDs,omitempty"`
	// Released: the object was let go with its MediaServer, and is not deleted itself.
	Released bool `json:"released,omitempty"`
	// Intent is written before something is created, and removed when the result is recorded. It stays with a record that
	// was whole before: one with the id that the account was to be made with.
	Intent *intent `json:"intent,omitempty"`
}

// intent announces a creation.
type intent struct {
	// At is when it was announced.
	At time.Time `json:"at"`
	// Refused: the server refused it, or it was never sent, so that nothing was made.
	Refused bool `json:"refused,omitempty"`
	// Tried are keyed hashes of the passwords that an account of the name did not accept, by its id, so that nobody's account
	// is tried with a password again and again.
	Tried map[string][]string `json:"tried,omitempty"`
	// Known are the ids that carried the name before.
	Known []string `json:"known,omitempty"`
}

// readRecord returns the record of an object for a server identity. One that belongs to another server, or that
// cannot be read, counts as none: then names and policies decide, which never takes over more than they allow.
func readRecord(object client.Object, identity string) record {
	if r := parseRecord(object); r.Server == identity {
		return r
	}
	return record{}
}

// parsedRecords remembers what annotations say, since one object is looked at once for each edge that it is part of.
// What is in it is never changed. It bounds the number of texts, and longestParsed each of them: the longer ones are of Invites,
// and are part of no edge.
var parsedRecords = lru.New(4096)

const longestParsed = 4 << 10

func parseRecord(object client.Object) record {
	text := object.GetAnnotations()[v1alpha1.AnnotationOwned]
	if text == "" {
		return record{}
	}
	if known, found := parsedRecords.Get(text); found {
		return known.(record)
	}
	var r record
	if json.Unmarshal([]byte(text), &r) != nil {
		r = record{}
	}
	if len(text) <= longestParsed {
		parsedRecords.Add(text, r)
	}
	return r
}

func (r record) method() v1alpha1.DisableMethod {
	if r.Method == "" {
		return v1alpha1.DisableSwitch
	}
	return r.Method
}

// announced says whether a creation was announced. One that was refused made nothing.
func (r record) announced() bool { return r.Intent != nil && !r.Intent.Refused }

// open says whether a creation was announced whose end is not known, and of what id the account or library would be.
func (r record) open() bool { return r.announced() && r.ID == "" }

// maxFormerIDs bounds what a record remembers.
const maxFormerIDs = 8

// former is what a record remembers once its object is gone and another takes its place.
func (r record) former() []record {
	if r.ID == "" {
		return r.FormerIDs
	}
	gone := r
	gone.Server, gone.FormerIDs, gone.Intent, gone.Doubt, gone.Believed, gone.Released = "", nil, nil, nil, "", false
	all := append([]record{gone}, r.without(r.ID)...)
	return all[:min(len(all), maxFormerIDs)]
}

// without are the former records but the one with an id.
func (r record) without(id string) []record {
	return slices.DeleteFunc(slices.Clone(r.FormerIDs), func(one record) bool { return one.ID == id })
}

// back is the record of a former object that is there again: the present one is a former one from then on.
func (r record) back(former record) record {
	r.FormerIDs = r.without(former.ID)
	former.Server, former.FormerIDs = r.Server, r.former()
	return former
}

func (r record) same(other record) bool { return reflect.DeepEqual(r, other) }

// kind is the record as access.Ownership sees it.
func (r record) kind() access.Record {
	switch {
	case r.ID != "":
		return access.RecordOwned
	case r.open():
		return access.RecordIntent
	}
	return access.RecordNone
}

// writeRecord stores the record, and the finalizer with it, in one patch that fails when the object has changed
// meanwhile. The object then holds what the API server answered.
func (k *Kit) writeRecord(ctx context.Context, object client.Object, r record) error {
	base := object.DeepCopyObject().(client.Object)
	if err := r.into(object); err != nil {
		return err
	}
	if maps.Equal(base.GetAnnotations(), object.GetAnnotations()) && slices.Equal(base.GetFinalizers(), object.GetFinalizers()) {
		return nil
	}
	return k.Client.Patch(ctx, object, client.MergeFromWithOptions(base, client.MergeFromWithOptimisticLock{}))
}

// creationFailed reports a failed creation. Where the server refused it outright, or nothing was sent, that is recorded:
// nothing was made, and nothing has to be looked for.
func (k *Kit) creationFailed(ctx context.Context, s site, object client.Object, r record, err error) *outcome {
	o := k.callFailed(s, err)
	switch media.CodeOf(err) {
	case media.Invalid, media.Unsupported, media.AlreadyExists, media.PermissionDenied, media.Unauthenticated, media.RateLimited:
	default:
		if !media.NothingSent(err) {
			return o
		}
	}
	refused := *r.Intent
	refused.Refused = true
	r = record{Server: r.Server, Rotation: r.Rotation, FormerIDs: r.FormerIDs, FormerLibraries: r.FormerLibraries, Intent: &refused}
	if err := k.writeRecord(ctx, object, r); err != nil {
		return retry(err)
	}
	if o.kind == kindStalled {
		o.after = safetyPoll
	}
	return o
}

// refusedBefore returns the outcome of a creation that the server refused for this very generation a while ago, so that
// the same is not asked at every look; nil when it is time to ask again.
func (k *Kit) refusedBefore(o object, r record) *outcome {
	if r.Intent == nil || !r.Intent.Refused {
		return nil
	}
	stalledNow := meta.FindStatusCondition(*o.StatusConditions(), v1alpha1.ConditionStalled)
	left := r.Intent.At.Add(safetyPoll).Sub(k.Clock.Now())
	if stalledNow == nil || stalledNow.ObservedGeneration != o.GetGeneration() || left <= 0 {
		return nil
	}
	return &outcome{kind: kindStalled, reason: stalledNow.Reason, message: stalledNow.Message, after: left}
}

// keepRecord writes the record again where the finalizer was stripped.
func (k *Kit) keepRecord(ctx context.Context, s site, object client.Object, r record) *outcome {
	if s.observing() {
		return nil
	}
	if err := k.writeRecord(ctx, object, r); err != nil {
		return retry(err)
	}
	return nil
}

// into puts record and finalizer into an object, in memory.
func (r record) into(object client.Object) error {
	r.Released = false
	if err := r.annotate(object); err != nil {
		return err
	}
	controllerutil.AddFinalizer(object, v1alpha1.Finalizer)
	return nil
}

func (r record) annotate(object client.Object) error {
	text, err := json.Marshal(r)
	if err != nil {
		return err
	}
	annotations := maps.Clone(object.GetAnnotations())
	if annotations == nil {
		annotations = map[string]string{}
	}
	annotations[v1alpha1.AnnotationOwned] = string(text)
	object.SetAnnotations(annotations)
	return nil
}

// release removes the finalizer: the object is let go. One that is not deleted itself says so in its record: when it is
// deleted later, nothing is left to be said.
func (k *Kit) release(ctx context.Context, object client.Object) error {
	base := object.DeepCopyObject().(client.Object)
	if !controllerutil.RemoveFinalizer(object, v1alpha1.Finalizer) {
		return nil
	}
	if r := parseRecord(object); object.GetDeletionTimestamp().IsZero() && r.Server != "" {
		r.Released = true
		if err := r.annotate(object); err != nil {
			return err
		}
	}
	return client.IgnoreNotFound(k.Client.Patch(ctx, object, client.MergeFromWithOptions(base, client.MergeFromWithOptimisticLock{})))
}

// paused says whether a person holds the object as it is.
func paused(object client.Object) bool {
	value, set := object.GetAnnotations()[v1alpha1.AnnotationPaused]
	return set && value != "false"
}

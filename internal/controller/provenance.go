package controller

import (
	"strings"

	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"
)

// provenance says what the hash in a record, and the password or code beside it, were made with.
type provenance int

const (
	// unsigned: there is no hash, or it is older than what is told here.
	unsigned provenance = iota
	// signedHere: with this operator's key, for this object. It may have had another UID then: a restored cluster gives new
	// ones.
	signedHere
	// signedByAnother: with another key. It says nothing, and nothing is done on its word.
	signedByAnother
	// signedForAnother: with this key, for another object. It was copied, and says nothing either.
	signedForAnother
)

// provenance returns the UID that an object had when its record's hash was made. Where that is not known for certain, it is
// the object's own.
func (k *Kit) provenance(o client.Object, r record) (types.UID, provenance) {
	switch r.KeyID {
	case "":
		return o.GetUID(), unsigned
	case k.Keyring.ID():
	default:
		return o.GetUID(), signedByAnother
	}
	uid := r.seedUID()
	if uid != o.GetUID() && r.Seed != k.Keyring.seed(o, uid) {
		return o.GetUID(), signedForAnother
	}
	return uid, signedHere
}

// sign records that a hash is made with this operator's key, for the object as it is now.
func (k *Kit) sign(o client.Object, r *record) {
	r.KeyID, r.Seed = k.Keyring.ID(), k.Keyring.seed(o, o.GetUID())
}

// seedUID is the UID that the object had when its hash was made, as the record tells.
func (r record) seedUID() types.UID {
	uid, _, _ := strings.Cut(r.Seed, ".")
	return types.UID(uid)
}

// seed is a UID with a seal, which binds it to the object's name: whoever copies a record to another object, to be told what
// belongs to the first, has a seal that does not fit.
func (k *Keyring) seed(o client.Object, uid types.UID) string {
	return string(uid) + "." + encode(k.sum("seed", o.GetNamespace(), o.GetName(), string(uid))[:9])
}

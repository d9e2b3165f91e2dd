package controller

import (
	"context"
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"fmt"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/log"

	"github.com/usher-media/usher/internal/media"
)

// KeySecretName is the Secret, in the operator's own namespace, with the key that first passwords are derived from.
const KeySecretName = "usher-key"

const keySecretKey = "key"

// Keyring derives what must be the same after a crash, from a key that only the operator has.
type Keyring struct {
	key []byte
	id  string
}

// NewKeyring uses a key of at least 32 bytes.
func NewKeyring(key []byte) (*Keyring, error) {
	if len(key) < 32 {
		return nil, fmt.Errorf("the operator's key has %d bytes, needs 32 or more: put the former one back into Secret %s (key %q), or delete that Secret to have a new one made", len(key), KeySecretName, keySecretKey)
	}
	k := &Keyring{key: key}
	k.id = hex.EncodeToString(k.sum("key-id")[:6])
	return k, nil
}

// ID names the key, without telling anything of it.
func (k *Keyring) ID() string { return k.id }

// LoadKeyring reads the operator's key, or makes it when there is none yet. Of several that make it at once, one wins.
func LoadKeyring(ctx context.Context, c client.Client, namespace string) (*Keyring, error) {
	secret := &corev1.Secret{}
	name := client.ObjectKey{Namespace: namespace, Name: KeySecretName}
	err := c.Get(ctx, name, secret)
	if apierrors.IsNotFound(err) {
		key := make([]byte, 32)
		_, _ = rand.Read(key)
		secret = &corev1.Secret{
			ObjectMeta: metav1.ObjectMeta{Namespace: namespace, Name: KeySecretName},
			Data:       map[string][]byte{keySecretKey: key},
		}
		if err = c.Create(ctx, secret); apierrors.IsAlreadyExists(err) {
			err = c.Get(ctx, name, secret)
		} else if err == nil {
			log.FromContext(ctx).Info("made the operator's key, since there was none: keep a copy of it", "secret", name)
		}
	}
	if err != nil {
		return nil, fmt.Errorf("the operator's key (Secret %s/%s): %w", namespace, KeySecretName, err)
	}
	return NewKeyring(secret.Data[keySecretKey])
}

// Password derives a password for an object: 35 letters, digits, dashes and underscores, with upper and lower case and
// digits, as strict servers want. The same object and rotation give the same password, so that an account found after
// a crash can be proven to be ours.
func (k *Keyring) Password(uid types.UID, rotation string) string {
	return "Us7" + encode(k.sum("password", string(uid), rotation)[:24])
}

// LockOutPassword derives the password of an account that is locked out. It is told to nobody. The same account gets the
// same, so that whoever takes it over can find out that it is locked out.
func (k *Keyring) LockOutPassword(server string, account media.AccountID) string {
	return "Us7" + encode(k.sum("lock-out", server, string(account))[:24])
}

// InviteCode derives an Invite's code: 27 characters with 160 bits, as a bearer secret. An Invite made anew under its
// name has another UID, and so another code.
func (k *Keyring) InviteCode(uid types.UID) string {
	return encode(k.sum("invite", string(uid))[:20])
}

// Hash is a keyed hash of a password, to see whether it changed. It says nothing about the password to who has not the key.
func (k *Keyring) Hash(uid types.UID, password string) string {
	return encode(k.sum("hash", string(uid), password)[:18])
}

func (k *Keyring) sum(parts ...string) []byte {
	mac := hmac.New(sha256.New, k.key)
	for _, part := range parts {
		fmt.Fprintf(mac, "%d:%s", len(part), part)
	}
	return mac.Sum(nil)
}

func encode(sum []byte) string { return base64.RawURLEncoding.EncodeToString(sum) }

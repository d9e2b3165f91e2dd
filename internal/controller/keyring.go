package controller

import (
	"context"
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"fmt"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/usher-media/usher/internal/media"
)

// KeySecretName is the Secret, in the operator's own namespace, with the key that first passwords are derived from.
const KeySecretName = "usher-key"

const keySecretKey = "key"

// Keyring derives what must be the same after a crash, from a key that only the operator has.
type Keyring struct {
	key []byte
}

// NewKeyring uses a key of at least 32 bytes.
func NewKeyring(key []byte) (*Keyring, error) {
	if len(key) < 32 {
		return nil, fmt.Errorf("the operator's key has %d bytes, needs 32 or more: delete Secret %s to get a new one", len(key), KeySecretName)
	}
	return &Keyring{key: key}, nil
}

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
	return "Us7" + base64.RawURLEncoding.EncodeToString(k.sum("password", string(uid), rotation)[:24])
}

// LockOutPassword derives the password of an account that is locked out. It is told to nobody. The same account gets the
// same, so that whoever takes it over can find out that it is locked out.
func (k *Keyring) LockOutPassword(server string, account media.AccountID) string {
	return "Us7" + base64.RawURLEncoding.EncodeToString(k.sum("lock-out", server, string(account))[:24])
}

// InviteCode derives an Invite's code: 27 characters with 160 bits, as a bearer secret. An Invite made anew under its
// name has another UID, and so another code.
func (k *Keyring) InviteCode(uid types.UID) string {
	return base64.RawURLEncoding.EncodeToString(k.sum("invite", string(uid))[:20])
}

// Hash is a keyed hash of a password, to see whether it changed. It says nothing about the password to who has not the key.
func (k *Keyring) Hash(uid types.UID, password string) string {
	return base64.RawURLEncoding.EncodeToString(k.sum("hash", string(uid), password)[:18])
}

func (k *Keyring) sum(parts ...string) []byte {
	mac := hmac.New(sha256.New, k.key)
	for _, part := range parts {
		fmt.Fprintf(mac, "%d:%s", len(part), part)
	}
	return mac.Sum(nil)
}

package controller

import (
	"context"
	"fmt"
	"strings"
	"unicode"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/types"
)

// missingError says that a Secret, or a key in it, is not there.
type missingError struct{ message string }

func (e missingError) Error() string { return e.message }

// unusableError says that a Secret holds what no server takes.
type unusableError struct{ message string }

func (e unusableError) Error() string { return e.message }

// withoutControls makes sure that what a Secret holds under some keys is one line, without showing it: files end with a line
// break, and secrets that are made of files do.
func withoutControls(secret *corev1.Secret, keys ...string) error {
	for _, key := range keys {
		value := string(secret.Data[key])
		switch {
		case !strings.ContainsFunc(value, unicode.IsControl):
		case !strings.ContainsFunc(strings.TrimRight(value, "\r\n"), unicode.IsControl):
			return unusableError{fmt.Sprintf("the %s in Secret %s ends with a line break: store it without (kubectl create secret generic NAME --from-literal=%s=..., or a file written by printf instead of echo)", key, secret.Name, key)}
		default:
			return unusableError{fmt.Sprintf("the %s in Secret %s holds a line break or another control character: store it without", key, secret.Name)}
		}
	}
	return nil
}

// readSecret reads a Secret live: Secrets are never kept in the cache.
func (k *Kit) readSecret(ctx context.Context, namespace, name string) (*corev1.Secret, error) {
	var secret corev1.Secret
	err := k.Live.Get(ctx, types.NamespacedName{Namespace: namespace, Name: name}, &secret)
	if apierrors.IsNotFound(err) {
		return nil, missingError{fmt.Sprintf("Secret %s does not exist in this namespace", name)}
	}
	return &secret, err
}

// readSecretKey reads one key of a Secret live.
func (k *Kit) readSecretKey(ctx context.Context, namespace, name, key string) ([]byte, error) {
	secret, err := k.readSecret(ctx, namespace, name)
	if err != nil {
		return nil, err
	}
	return valueOf(secret, key)
}

func valueOf(secret *corev1.Secret, key string) ([]byte, error) {
	value, found := secret.Data[key]
	if !found || len(value) == 0 {
		return nil, missingError{fmt.Sprintf("Secret %s has no key %s", secret.Name, key)}
	}
	return value, nil
}

package controller

import (
	"context"
	"fmt"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/types"
)

// missingError says that a Secret, or a key in it, is not there.
type missingError struct{ message string }

func (e missingError) Error() string { return e.message }

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
	value, found := secret.Data[key]
	if !found || len(value) == 0 {
		return nil, missingError{fmt.Sprintf("Secret %s has no key %s", name, key)}
	}
	return value, nil
}

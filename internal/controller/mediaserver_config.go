package controller

import (
	"context"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"errors"

	"github.com/usher-media/usher/api/v1alpha1"
	"github.com/usher-media/usher/internal/media"
)

// config reads what a driver needs from the MediaServer and its Secrets.
func (k *Kit) config(ctx context.Context, server *v1alpha1.MediaServer) (media.Config, error) {
	spec := server.Spec
	config := media.Config{URL: spec.URL, Allowed: k.AllowedAddresses}
	secret, err := k.readSecret(ctx, server.Namespace, spec.Credentials.SecretRef.Name)
	if err != nil {
		return config, err
	}
	if err := withoutControls(secret, "username", "password", "email", "token"); err != nil {
		return config, err
	}
	config.Credentials = media.Credentials{
		Username: string(secret.Data["username"]), Password: string(secret.Data["password"]),
		Email: string(secret.Data["email"]), Token: string(secret.Data["token"]),
	}
	if config.Credentials.Token == "" && (config.Credentials.Username+config.Credentials.Email == "" || config.Credentials.Password == "") {
		return config, missingError{"Secret " + secret.Name + " needs the key token, or username and password"}
	}
	if spec.Database != nil {
		database, err := k.readSecret(ctx, server.Namespace, spec.Database.SecretRef.Name)
		if err != nil {
			return config, err
		}
		url, err := valueOf(database, "url")
		if err == nil {
			err = withoutControls(database, "url")
		}
		if err != nil {
			return config, err
		}
		config.DatabaseURL = string(url)
	}
	if spec.TLS != nil {
		config.InsecureSkipVerify = spec.TLS.InsecureSkipVerify
		if spec.TLS.CASecretRef != nil {
			config.CA, err = k.readSecretKey(ctx, server.Namespace, spec.TLS.CASecretRef.Name, "ca.crt")
		}
	}
	return config, err
}

// fingerprint tells two configurations apart without showing them.
func fingerprint(kind v1alpha1.MediaServerType, config media.Config) string {
	text, _ := json.Marshal(struct {
		Kind                                            v1alpha1.MediaServerType
		URL, Database, Username, Password, Email, Token string
		CA                                              []byte
		Insecure                                        bool
	}{
		kind, config.URL, config.DatabaseURL, config.Credentials.Username, config.Credentials.Password,
		config.Credentials.Email, config.Credentials.Token, config.CA, config.InsecureSkipVerify,
	})
	sum := sha256.Sum256(text)
	return base64.RawStdEncoding.EncodeToString(sum[:])
}

// open returns the connection's Server: the one there is while its configuration is the same, else a new one.
func (r *mediaServerReconciler) open(ctx context.Context, server *v1alpha1.MediaServer) (media.Connection, *outcome) {
	key := serverKey(server.Namespace, server.Name)
	connection := r.Connections.Get(key)
	driver, supported := r.Drivers[server.Spec.Type]
	if !supported {
		return connection, stalled(v1alpha1.ReasonUnsupportedType, "this build of Usher has no driver for %s yet", server.Spec.Type)
	}
	config, err := r.config(ctx, server)
	if missing, ok := errors.AsType[missingError](err); ok {
		return connection, waiting(v1alpha1.ReasonSecretNotFound, "%s", missing.message)
	}
	if unusable, ok := errors.AsType[unusableError](err); ok {
		return connection, stalled(v1alpha1.ReasonPasswordUnacceptable, "%s", unusable.message)
	}
	if err != nil {
		return connection, retry(err)
	}
	mark := fingerprint(server.Spec.Type, config)
	if connection.Server != nil && connection.Fingerprint == mark {
		return connection, nil
	}
	observe := func(call media.Call) {
		if r.Observe != nil {
			r.Observe(key, call)
		}
	}
	opened, err := media.OpenServer(driver, config, r.Clock.Now, observe)
	if err != nil {
		return connection, stalled(v1alpha1.ReasonInvalidSpec, "%s", err)
	}
	if connection.Server != nil {
		_ = connection.Server.Close()
	}
	opened.KnowGuards(parseRecord(server).Guards)
	return media.Connection{Server: opened, Fingerprint: mark, Opened: r.Clock.Now()}, nil
}

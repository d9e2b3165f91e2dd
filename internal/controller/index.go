package controller

import (
	"context"

	"golang.org/x/text/cases"
	"golang.org/x/text/unicode/norm"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/usher-media/usher/api/v1alpha1"
)

const (
	indexServer = "spec.serverRef.name"
	indexClaim  = "claim"
	indexSecret = "secret"
	indexInvite = "spec.inviteRef.uid"
	indexUser   = "user"
	// indexRecorded is the account that a User has recorded, by recordedAs.
	indexRecorded = "recorded"
	// indexAnotherKey finds the objects of a server that were made with another key of the operator's.
	indexAnotherKey = "another-key"
)

// addIndexes lets the cache answer which objects belong to a server, claim the same account or library, or read a Secret.
func (k *Kit) addIndexes(ctx context.Context, indexer client.FieldIndexer) error {
	type index struct {
		object client.Object
		field  string
		values client.IndexerFunc
	}
	for _, i := range []index{
		{&v1alpha1.User{}, indexServer, func(o client.Object) []string { return []string{o.(*v1alpha1.User).Spec.ServerRef.Name} }},
		{&v1alpha1.User{}, indexClaim, func(o client.Object) []string { return []string{userClaim(o.(*v1alpha1.User))} }},
		{&v1alpha1.User{}, indexRecorded, func(o client.Object) []string { return recordedClaim(o.(*v1alpha1.User)) }},
		{&v1alpha1.User{}, indexSecret, func(o client.Object) []string { return userSecrets(o.(*v1alpha1.User)) }},
		{&v1alpha1.User{}, indexAnotherKey, k.madeWithAnother},
		{&v1alpha1.Invite{}, indexAnotherKey, k.madeWithAnother},
		{&v1alpha1.Library{}, indexServer, func(o client.Object) []string { return []string{o.(*v1alpha1.Library).Spec.ServerRef.Name} }},
		{&v1alpha1.Invite{}, indexServer, serverNamesOf},
		{&v1alpha1.Redemption{}, indexInvite, func(o client.Object) []string { return []string{o.(*v1alpha1.Redemption).Spec.InviteRef.UID} }},
		{&v1alpha1.Redemption{}, indexUser, usersRedeemed},
		{&v1alpha1.MediaServer{}, indexSecret, func(o client.Object) []string { return mediaServerSecrets(o.(*v1alpha1.MediaServer)) }},
	} {
		if err := indexer.IndexField(ctx, i.object, i.field, i.values); err != nil {
			return err
		}
	}
	return nil
}

// userClaim folds as broadly as any server does; the server's own folding decides among those it brings together.
func userClaim(user *v1alpha1.User) string {
	return claimOf(user.Spec.ServerRef.Name, user.Spec.Username)
}

func recordedClaim(user *v1alpha1.User) []string {
	if id := parseRecord(user).ID; id != "" {
		return []string{recordedAs(user.Spec.ServerRef.Name, id)}
	}
	return nil
}

func recordedAs(server, id string) string { return server + "/" + id }

func claimOf(server, username string) string { return server + "/" + foldBroadly(username) }

func foldBroadly(name string) string {
	return cases.Fold().String(norm.NFKC.String(name))
}

// userSecrets are those that a User reads. The one that it keeps its generated password in is known by its name.
func userSecrets(user *v1alpha1.User) []string {
	var names []string
	if password := user.Spec.Password; password != nil && password.SecretRef != nil {
		names = append(names, password.SecretRef.Name)
	}
	return names
}

func mediaServerSecrets(server *v1alpha1.MediaServer) []string {
	names := []string{server.Spec.Credentials.SecretRef.Name}
	if server.Spec.Database != nil {
		names = append(names, server.Spec.Database.SecretRef.Name)
	}
	if server.Spec.TLS != nil && server.Spec.TLS.CASecretRef != nil {
		names = append(names, server.Spec.TLS.CASecretRef.Name)
	}
	return names
}

func ofServer(namespace, name string) []client.ListOption {
	return []client.ListOption{client.InNamespace(namespace), client.MatchingFields{indexServer: name}, client.UnsafeDisableDeepCopy}
}

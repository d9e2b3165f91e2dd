// Package admission proves that Usher's admission policies bind. Without them, whoever may write an object decides
// everything about a media server, and nothing else would show it.
package admission

import (
	"context"
	"fmt"
	"strings"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/usher-media/usher/api/v1alpha1"
)

// Policies are the policies of config/admission that bind whatever a namespace holds.
func Policies() []string {
	return []string{"usher-libraries", "usher-libraryroles", "usher-mediaservers", "usher-ownership", "usher-sizes", "usher-users"}
}

// PoliciesOfServers are the policies that bind where the namespace has a MediaServer.
func PoliciesOfServers() []string { return []string{"usher-adoption", "usher-mediaroots"} }

// Unbound is the error of a policy that did not refuse what it always refuses.
type Unbound struct{ Policy, Namespace string }

func (u *Unbound) Error() string {
	return fmt.Sprintf("admission policy %s does not bind in namespace %s", u.Policy, u.Namespace)
}

// Prove asks the API server, by dry runs in a namespace, to take what each policy refuses from everybody. It returns nil
// where each one did, an *Unbound where one did not, and another error where nobody can tell. It needs the right to create
// Redemptions.
func Prove(ctx context.Context, c client.Client, namespace string) error {
	for _, policy := range Policies() {
		if err := refused(ctx, c, namespace, policy); err != nil {
			return err
		}
	}
	return proveOfServers(ctx, c, namespace)
}

// proveOfServers proves the policies that bind only beside a MediaServer, where there is one: in a namespace, or in any ("").
func proveOfServers(ctx context.Context, c client.Client, namespace string) error {
	var servers v1alpha1.MediaServerList
	if err := c.List(ctx, &servers, client.InNamespace(namespace), client.Limit(1)); err != nil {
		return fmt.Errorf("list the MediaServers: %w", err)
	}
	if len(servers.Items) == 0 {
		return nil
	}
	for _, policy := range PoliciesOfServers() {
		if err := refused(ctx, c, servers.Items[0].Namespace, policy); err != nil {
			return err
		}
	}
	return nil
}

// refused returns nil when the policy refused a probe.
func refused(ctx context.Context, c client.Client, namespace, policy string) error {
	err := c.Create(ctx, probe(namespace, policy), client.DryRunAll)
	switch {
	case err == nil, apierrors.IsAlreadyExists(err):
		return &Unbound{Policy: policy, Namespace: namespace}
	case strings.Contains(err.Error(), policy+" is in force"):
		return nil
	}
	return fmt.Errorf("try admission policy %s in namespace %s: %w", policy, namespace, err)
}

// probe is a Redemption that a policy always refuses: of all kinds, the one that the operator itself creates and that
// nobody else has a reason to.
func probe(namespace, policy string) *v1alpha1.Redemption {
	reference := v1alpha1.LocalReference{Name: "admission-probe"}
	return &v1alpha1.Redemption{
		ObjectMeta: metav1.ObjectMeta{
			Namespace: namespace, GenerateName: "admission-probe-",
			Annotations: map[string]string{v1alpha1.AnnotationAdmissionProbe: policy},
		},
		Spec: v1alpha1.RedemptionSpec{
			InviteRef: v1alpha1.InviteReference{Name: reference.Name, UID: "none"}, At: v1alpha1.NewTime(time.Unix(0, 0)),
			Accounts: []v1alpha1.RedeemedAccount{{Server: reference.Name, Username: reference.Name, UserRef: reference}},
		},
	}
}

package doctor

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	admissionv1 "k8s.io/api/admissionregistration/v1"
	appsv1 "k8s.io/api/apps/v1"
	authorizationv1 "k8s.io/api/authorization/v1"
	coordinationv1 "k8s.io/api/coordination/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/discovery"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/usher-media/usher/api/v1alpha1"
	"github.com/usher-media/usher/internal/admission"
)

// Cluster is what is asked.
type Cluster struct {
	Client    client.Client
	Discovery discovery.DiscoveryInterface
	// Namespace with the objects, and that of the operator.
	Namespace, Operator string
	Now                 time.Time
}

const install = "install Usher: `kubectl apply --server-side -k config/default`, or its kinds alone: `kubectl apply --server-side -k config/crd`"

// Look looks at the cluster itself: versions, kinds, policies, rights, and whether the operator runs. usable is false where there is
// no point in going on.
func (c Cluster) Look(ctx context.Context) (findings []Finding, usable bool) {
	version, err := c.Discovery.ServerVersion()
	if err != nil {
		return []Finding{bad("check --kubeconfig and --context, and that the cluster runs", "The API server does not answer: %v", err)}, false
	}
	findings = append(findings, good("Kubernetes %s answers", version.GitVersion))
	kinds, whole := c.kinds()
	findings = append(findings, kinds)
	if !whole {
		return findings, false
	}
	return append(findings, c.policies(ctx), c.rights(ctx), c.operator(ctx)), true
}

func (c Cluster) kinds() (Finding, bool) {
	served, err := c.Discovery.ServerResourcesForGroupVersion(v1alpha1.GroupVersion.String())
	if err != nil && !apierrors.IsNotFound(err) {
		return unknown("try again", "The kinds cannot be asked for: %v", err), false
	}
	var missing []string
	for _, plural := range kinds {
		if served == nil || !slices.ContainsFunc(served.APIResources, func(r metav1.APIResource) bool { return r.Name == plural }) {
			missing = append(missing, plural)
		}
	}
	if len(missing) > 0 {
		return bad(install, "Kinds are missing: %s", strings.Join(missing, ", ")), false
	}
	return good("The kinds of %s are installed", v1alpha1.GroupVersion), true
}

var kinds = []string{"mediaservers", "libraries", "users", "librarygrants", "invites", "redemptions"}

// policies are looked at by their bindings. The operator proves that they bind; nobody else may try.
func (c Cluster) policies(ctx context.Context) Finding {
	const wayOut = "apply them again: `kubectl apply --server-side -k config/crd`"
	var bindings admissionv1.ValidatingAdmissionPolicyBindingList
	if err := c.Client.List(ctx, &bindings); err != nil {
		return unknown("ask whoever administers the cluster; the operator's /readyz says it, too", "The admission policies cannot be looked at: %v", err)
	}
	var missing []string
	for _, policy := range slices.Sorted(slices.Values(slices.Concat(admission.Policies(), admission.PoliciesOfServers()))) {
		denies := func(b admissionv1.ValidatingAdmissionPolicyBinding) bool {
			return b.Spec.PolicyName == policy && slices.Contains(b.Spec.ValidationActions, admissionv1.Deny)
		}
		if !slices.ContainsFunc(bindings.Items, denies) {
			missing = append(missing, policy)
		}
	}
	if len(missing) > 0 {
		return bad(wayOut, "Admission policies are not bound, so that anybody who may write Users makes administrators: %s", strings.Join(missing, ", "))
	}
	return good("The admission policies are bound")
}

// rights says what whoever asks may do.
func (c Cluster) rights(ctx context.Context) Finding {
	var may []string
	for _, asked := range []struct{ verb, resource, words string }{
		{"list", "users", "read"}, {"patch", "users", "write"}, {"administer", "mediaservers", "administer"},
	} {
		review := &authorizationv1.SelfSubjectAccessReview{Spec: authorizationv1.SelfSubjectAccessReviewSpec{ResourceAttributes: &authorizationv1.ResourceAttributes{
			Namespace: c.Namespace, Group: v1alpha1.GroupVersion.Group, Resource: asked.resource, Verb: asked.verb,
		}}}
		if err := c.Client.Create(ctx, review); err != nil {
			return unknown("try again", "What you may do cannot be asked: %v", err)
		}
		if review.Status.Allowed {
			may = append(may, asked.words)
		}
	}
	switch len(may) {
	case 0:
		return bad("have somebody bind you to usher-viewer, usher-editor or usher-administrator there", "You may do nothing with Usher's kinds in namespace %s", c.Namespace)
	case 3:
		return good("You may administer access in namespace %s", c.Namespace)
	}
	return good("You may %s Usher's kinds in namespace %s, and nothing more", strings.Join(may, " and "), c.Namespace)
}

// operator says whether somebody holds the lease, and which image that is.
func (c Cluster) operator(ctx context.Context) Finding {
	logs := fmt.Sprintf("see `kubectl -n %s get pods` and `kubectl -n %s logs deployment/usher`; another namespace is named by --operator-namespace", c.Operator, c.Operator)
	image := ""
	var deployment appsv1.Deployment
	if err := c.Client.Get(ctx, client.ObjectKey{Namespace: c.Operator, Name: "usher"}, &deployment); err == nil && len(deployment.Spec.Template.Spec.Containers) > 0 {
		image = " (" + deployment.Spec.Template.Spec.Containers[0].Image + ")"
	}
	var lease coordinationv1.Lease
	err := c.Client.Get(ctx, client.ObjectKey{Namespace: c.Operator, Name: "usher.usher.media"}, &lease)
	switch {
	case apierrors.IsForbidden(err):
		return unknown("ask whoever administers the cluster", "Whether Usher runs in namespace %s cannot be looked at", c.Operator)
	case apierrors.IsNotFound(err):
		return bad(logs, "Usher does not run in namespace %s", c.Operator)
	case err != nil:
		return unknown("try again", "Whether Usher runs cannot be asked: %v", err)
	case lease.Spec.HolderIdentity == nil || *lease.Spec.HolderIdentity == "" || lease.Spec.RenewTime == nil || c.Now.Sub(lease.Spec.RenewTime.Time) > time.Minute:
		return bad(logs, "Usher runs no more in namespace %s: nobody holds its lease", c.Operator)
	}
	return good("Usher runs in namespace %s%s", c.Operator, image)
}

package app_test

import (
	"crypto/tls"
	"io"
	"net/http"
	"strings"
	"testing"

	authenticationv1 "k8s.io/api/authentication/v1"
	corev1 "k8s.io/api/core/v1"
	rbacv1 "k8s.io/api/rbac/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/usher-media/usher/internal/app"
	"github.com/usher-media/usher/internal/testenv"
)

// tokenOf returns a token of a new ServiceAccount.
func tokenOf(t *testing.T, env *testenv.Environment, namespace, name string) string {
	t.Helper()
	account := &corev1.ServiceAccount{ObjectMeta: metav1.ObjectMeta{Namespace: namespace, Name: name}}
	if err := env.Client().Create(t.Context(), account); err != nil {
		t.Fatal(err)
	}
	request := &authenticationv1.TokenRequest{}
	if err := env.Client().SubResource("token").Create(t.Context(), account, request); err != nil {
		t.Fatal(err)
	}
	return request.Status.Token
}

// TestMetricsAreServedToWhoMayReadThem: on a real API server, with a certificate that the operator makes itself.
func TestMetricsAreServedToWhoMayReadThem(t *testing.T) {
	env := testenv.Get(t)
	namespace, address := env.Namespace(t), freeAddress(t)
	reader := &rbacv1.ClusterRole{
		ObjectMeta: metav1.ObjectMeta{Name: namespace + "-reader"},
		Rules:      []rbacv1.PolicyRule{{NonResourceURLs: []string{"/metrics"}, Verbs: []string{"get"}}},
	}
	binding := &rbacv1.ClusterRoleBinding{
		ObjectMeta: metav1.ObjectMeta{Name: namespace + "-reader"},
		RoleRef:    rbacv1.RoleRef{APIGroup: rbacv1.GroupName, Kind: "ClusterRole", Name: reader.Name},
		Subjects:   []rbacv1.Subject{{Kind: rbacv1.ServiceAccountKind, Namespace: namespace, Name: "prometheus"}},
	}
	for _, object := range []client.Object{reader, binding} {
		if err := env.Client().Create(t.Context(), object); err != nil {
			t.Fatal(err)
		}
	}
	startReplica(t, env.Config(), "secure", namespace, app.Options{MetricsAddress: address, MetricsAuthentication: true, WatchNamespaces: []string{namespace}})
	browser := &http.Client{Transport: &http.Transport{TLSClientConfig: &tls.Config{InsecureSkipVerify: true}}}
	scrape := func(token string) (int, string) {
		request, err := http.NewRequestWithContext(t.Context(), http.MethodGet, "https://"+address+"/metrics", nil)
		if err != nil {
			t.Fatal(err)
		}
		if token != "" {
			request.Header.Set("Authorization", "Bearer "+token)
		}
		answer, err := browser.Do(request)
		if err != nil {
			return 0, err.Error()
		}
		defer answer.Body.Close()
		text, _ := io.ReadAll(answer.Body)
		return answer.StatusCode, string(text)
	}
	allowed, stranger := tokenOf(t, env, namespace, "prometheus"), tokenOf(t, env, namespace, "stranger")
	testenv.Eventually(t, "who may read has the metrics", func() bool {
		status, text := scrape(allowed)
		return status == http.StatusOK && strings.Contains(text, "# TYPE ")
	})
	for token, want := range map[string]int{"": http.StatusUnauthorized, "nonsense": http.StatusUnauthorized, stranger: http.StatusForbidden} {
		if status, text := scrape(token); status != want || strings.Contains(text, "# TYPE ") {
			t.Errorf("%.10s: %d, want %d: %.100s", token, status, want, text)
		}
	}
	plain, err := http.Get("http://" + address + "/metrics")
	if err == nil {
		defer plain.Body.Close()
		if text, _ := io.ReadAll(plain.Body); plain.StatusCode == http.StatusOK || strings.Contains(string(text), "# TYPE ") {
			t.Errorf("without TLS: %d", plain.StatusCode)
		}
	}
}

package app

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"testing"

	"github.com/go-logr/logr"
	authenticationv1 "k8s.io/api/authentication/v1"
	authorizationv1 "k8s.io/api/authorization/v1"
	"k8s.io/client-go/rest"
)

// reviewer answers as an API server that knows two people, of whom prometheus may get /metrics.
type reviewer struct {
	t     *testing.T
	asked int
	// broken has it answer nothing of use.
	broken bool
}

func (a *reviewer) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	a.asked++
	if a.broken {
		http.Error(w, "etcd is gone", http.StatusInternalServerError)
		return
	}
	w.Header().Set("Content-Type", "application/json")
	switch r.URL.Path {
	case "/apis/authentication.k8s.io/v1/tokenreviews":
		var review authenticationv1.TokenReview
		a.read(r, &review)
		names := map[string]string{"token-of-prometheus": "prometheus", "token-of-mia": "mia"}
		name, known := names[review.Spec.Token]
		review.Status = authenticationv1.TokenReviewStatus{Authenticated: known, User: authenticationv1.UserInfo{
			Username: name, UID: "uid", Groups: []string{"readers"}, Extra: map[string]authenticationv1.ExtraValue{"pod": {"p"}},
		}}
		_ = json.NewEncoder(w).Encode(review)
	case "/apis/authorization.k8s.io/v1/subjectaccessreviews":
		var review authorizationv1.SubjectAccessReview
		a.read(r, &review)
		s := review.Spec
		if s.UID != "uid" || len(s.Groups) != 1 || s.Groups[0] != "readers" || len(s.Extra["pod"]) != 1 {
			a.t.Errorf("asked about %+v, which is not who the token is", s)
		}
		review.Status.Allowed = s.User == "prometheus" && *s.NonResourceAttributes == authorizationv1.NonResourceAttributes{Path: "/metrics", Verb: "get"}
		_ = json.NewEncoder(w).Encode(review)
	default:
		a.t.Errorf("asked for %s", r.URL.Path)
	}
}

func (a *reviewer) read(r *http.Request, into any) {
	if err := json.NewDecoder(r.Body).Decode(into); err != nil {
		a.t.Error(err)
	}
}

// scraped returns the status of a scrape, whether it had metrics, and how often the API server was asked.
func scraped(t *testing.T, handler http.Handler, api *reviewer, method, path, authorization string) (status int, metrics bool, asked int) {
	t.Helper()
	api.asked = 0
	request := httptest.NewRequest(method, path, nil)
	if authorization != "" {
		request.Header.Set("Authorization", authorization)
	}
	answer := httptest.NewRecorder()
	handler.ServeHTTP(answer, request)
	return answer.Code, answer.Body.String() == "metrics", api.asked
}

func TestMetricsAreForWhoMayReadThem(t *testing.T) {
	api := &reviewer{t: t}
	server := httptest.NewServer(api)
	t.Cleanup(server.Close)
	filter, err := authenticated(&rest.Config{Host: server.URL, ContentConfig: rest.ContentConfig{ContentType: "application/json"}}, server.Client())
	if err != nil {
		t.Fatal(err)
	}
	handler, err := filter(logr.Discard(), http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write([]byte("metrics")) }))
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		what, method, path, authorization string
		broken                            bool
		status, asked                     int
	}{
		{what: "nobody", authorization: "", status: http.StatusUnauthorized},
		{what: "a password", authorization: "Basic dG9rZW4tb2YtcHJvbWV0aGV1cw==", status: http.StatusUnauthorized},
		{what: "no token", authorization: "Bearer ", status: http.StatusUnauthorized},
		{what: "an unknown token", authorization: "Bearer stranger", status: http.StatusUnauthorized, asked: 1},
		{what: "somebody who may not", authorization: "Bearer token-of-mia", status: http.StatusForbidden, asked: 2},
		{what: "no answer of the API server", authorization: "Bearer token-of-prometheus", broken: true, status: http.StatusInternalServerError, asked: 1},
		{what: "who may", authorization: "Bearer token-of-prometheus", status: http.StatusOK, asked: 2},
		{what: "who may, again, while the API server is gone", authorization: "Bearer token-of-prometheus", broken: true, status: http.StatusOK},
		{what: "who may, another method", method: http.MethodPost, authorization: "Bearer token-of-prometheus", status: http.StatusForbidden, asked: 2},
		{what: "who may, another path", path: "/debug", authorization: "Bearer token-of-prometheus", status: http.StatusForbidden, asked: 2},
		{what: "somebody who may not, again", authorization: "Bearer token-of-mia", status: http.StatusForbidden, asked: 2},
	} {
		if c.method == "" {
			c.method = http.MethodGet
		}
		if c.path == "" {
			c.path = "/metrics"
		}
		api.broken = c.broken
		status, metrics, asked := scraped(t, handler, api, c.method, c.path, c.authorization)
		if c.broken && asked > 1 {
			asked = 1 // the client asks anew
		}
		if status != c.status || metrics != (c.status == http.StatusOK) || asked != c.asked {
			t.Errorf("%s: %d after %d questions, metrics: %t; want %d after %d", c.what, status, asked, metrics, c.status, c.asked)
		}
	}
}

package main

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/usher-media/usher/internal/testpg"
)

// endless is the size of a file that nobody has read to its end by the time that a test gives up.
const endless = 1 << 40

// soon is how long a stream may go on after a change on a machine that does much else.
const soon = 5 * time.Second

// call makes a request that must succeed, and decodes the answer into into.
func (r *replica) call(method, path, token string, body, into any) {
	r.Helper()
	raw, err := json.Marshal(body)
	if err != nil {
		r.Fatal(err)
	}
	request, err := http.NewRequestWithContext(r.Context(), method, r.url+path, strings.NewReader(string(raw)))
	if err != nil {
		r.Fatal(err)
	}
	request.Header.Set("Content-Type", "application/json")
	request.Header.Set("Authorization", "Bearer "+token)
	response, err := r.client.Do(request)
	if err != nil {
		r.Fatal(err)
	}
	defer func() { _ = response.Body.Close() }()
	text, err := io.ReadAll(response.Body)
	if err != nil || response.StatusCode >= 300 {
		r.Fatalf("%s %s: %d %s %v", method, path, response.StatusCode, text, err)
	}
	if into == nil {
		return
	}
	if err := json.Unmarshal(text, into); err != nil {
		r.Fatalf("%s %s: %v in %s", method, path, err, text)
	}
}

// stream begins to read and returns when the first bytes have arrived.
func (r *replica) stream(path, token string) io.Reader {
	r.Helper()
	ctx, cancel := context.WithTimeout(r.Context(), time.Minute)
	r.Cleanup(cancel)
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, r.url+path, nil)
	if err != nil {
		r.Fatal(err)
	}
	if token != "" {
		request.Header.Set("Authorization", "Bearer "+token)
	}
	response, err := r.client.Do(request)
	if err != nil {
		r.Fatal(err)
	}
	r.Cleanup(func() { _ = response.Body.Close() })
	if _, err := io.CopyN(io.Discard, response.Body, 1<<20); err != nil || response.StatusCode != http.StatusOK {
		r.Fatal(response.StatusCode, err)
	}
	return response.Body
}

// filmsOf is a server with one endless film, which mia sees and which is shared by a link.
type filmsOf struct{ owner, library, item, share, mia, token string }

func furnish(r *replica) filmsOf {
	r.Helper()
	file := filepath.Join(r.media, "heat.mkv")
	if err := errors.Join(os.WriteFile(file, []byte("film"), 0o600), os.Truncate(file, endless)); err != nil {
		r.Fatal(err)
	}
	var library, mia struct{ ID string }
	var link struct{ Token string }
	owner := r.token("/v1/auth/register", object{"username": "olga", "password": somePassword})
	r.call("POST", "/v1/libraries", owner, object{"name": "Films", "type": "movies", "paths": []string{r.media}}, &library)
	r.call("PATCH", "/v1/libraries/"+library.ID, owner, object{"sharingEnabled": true}, nil)
	var page struct{ Items []struct{ ID string } }
	for len(page.Items) == 0 {
		r.call("GET", "/v1/recently-added", owner, nil, &page)
	}
	item := page.Items[0].ID
	r.call("POST", "/v1/items/"+item+"/share-links", owner, object{}, &link)
	r.call("POST", "/v1/users", owner, object{
		"username": "mia", "password": somePassword, "access": object{"all": false, "libraries": []object{{"libraryId": library.ID}}},
	}, &mia)
	return filmsOf{owner, library.ID, item, link.Token, mia.ID, r.token("/v1/auth/sign-in", object{"login": "mia", "password": somePassword})}
}

// Dubby access seed, line 19: a change by one server ends what the other is sending, while it is sending.
func TestChangesEndStreamsOfTheOtherServer(t *testing.T) {
	for _, taking := range []struct {
		name, method, path string
		body               any
		shared             bool
	}{
		{"revoked", "DELETE", "/v1/libraries/{library}/permissions/{mia}", nil, false},
		{"deactivated", "PATCH", "/v1/users/{mia}", object{"disabled": true}, false},
		{"sharing off", "PATCH", "/v1/libraries/{library}", object{"sharingEnabled": false}, true},
	} {
		t.Run(taking.name, func(t *testing.T) {
			servers := startReplicas(t, testpg.Database(t), 2)
			films := furnish(servers[0])
			path, token := "/v1/items/"+films.item+"/stream", films.token
			if taking.shared {
				path, token = "/v1/shared/"+films.share+"/stream", ""
			}
			bodies := []io.Reader{servers[1].stream(path, token), servers[0].stream(path, token)}
			where := strings.NewReplacer("{library}", films.library, "{mia}", films.mia).Replace(taking.path)
			servers[0].call(taking.method, where, films.owner, taking.body, nil)
			began := time.Now()
			for i, body := range bodies {
				n, err := io.Copy(io.Discard, body)
				took := time.Since(began)
				t.Logf("stream %d: ended after %v and %d bytes: %v", i, took, n, err)
				if err == nil || errors.Is(err, context.DeadlineExceeded) || took > soon {
					t.Errorf("stream %d went on for %v", i, took)
				}
			}
		})
	}
}

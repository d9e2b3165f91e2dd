package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/usher-media/usher/internal/testpg"
)

// serveVariable makes a child of this test serve instead: it is the program, in a process of its own.
const serveVariable = "MEDIASERVER_TEST_SERVE"

// replica is a server in a process of its own.
type replica struct {
	*testing.T
	url    string
	media  string
	client *http.Client
}

// startReplicas starts so many servers at once on one database.
func startReplicas(t *testing.T, dsn string, n int) []*replica {
	t.Helper()
	data, media := t.TempDir(), t.TempDir()
	replicas := make([]*replica, n)
	var starting sync.WaitGroup
	for i := range n {
		starting.Go(func() { replicas[i] = startReplica(t, dsn, data, media) })
	}
	starting.Wait()
	if t.Failed() {
		t.FailNow()
	}
	return replicas
}

func startReplica(t *testing.T, dsn, data, media string) *replica {
	ctx, stop := context.WithCancel(context.WithoutCancel(t.Context()))
	child := exec.CommandContext(ctx, os.Args[0], "--listen", "127.0.0.1:0", "--data", data, "--media-root", media, "--log-format", "json",
		"--password-hashing", "cheap", "--sign-ins-per-client", "0", "--sign-ins-per-account", "10")
	child.Env = append(os.Environ(), serveVariable+"=1", "MEDIASERVER_DATABASE="+dsn)
	child.Cancel = func() error { return child.Process.Signal(os.Interrupt) }
	child.WaitDelay = 30 * time.Second
	out := urls{make(chan string, 1)}
	child.Stderr = out
	if err := child.Start(); err != nil {
		t.Error(err)
		stop()
		return nil
	}
	ended := make(chan error, 1)
	go func() { ended <- child.Wait() }()
	t.Cleanup(func() {
		stop()
		<-ended
	})
	transport := &http.Transport{DisableKeepAlives: true}
	select {
	case url := <-out.found:
		return &replica{T: t, url: url, media: media, client: &http.Client{Transport: transport}}
	case err := <-ended:
		t.Errorf("a server ended: %v", err)
		ended <- err
		return nil
	}
}

// post makes a request and returns status and body.
func (r *replica) post(path, token string, body any) (int, string) {
	raw, err := json.Marshal(body)
	if err != nil {
		r.Error(err)
		return 0, ""
	}
	request, err := http.NewRequestWithContext(r.Context(), http.MethodPost, r.url+path, bytes.NewReader(raw))
	if err != nil {
		r.Error(err)
		return 0, ""
	}
	request.Header.Set("Content-Type", "application/json")
	request.Header.Set("Authorization", "Bearer "+token)
	response, err := r.client.Do(request)
	if err != nil {
		r.Error(err)
		return 0, ""
	}
	defer func() { _ = response.Body.Close() }()
	text, err := io.ReadAll(response.Body)
	if err != nil {
		r.Error(err)
	}
	return response.StatusCode, string(text)
}

func (r *replica) token(path string, body any) string {
	r.Helper()
	status, text := r.post(path, "", body)
	var in struct{ Token string }
	if err := json.Unmarshal([]byte(text), &in); err != nil || in.Token == "" {
		r.Fatalf("%s: %d %s", path, status, text)
	}
	return in.Token
}

type object map[string]any

const somePassword = "a long password"

// everywhere does something n times at once, on the servers in turn, and counts the answers by status.
func everywhere(servers []*replica, n int, do func(i int, r *replica) int) map[int]int {
	var mu sync.Mutex
	counts := map[int]int{}
	var wait sync.WaitGroup
	for i := range n {
		wait.Go(func() {
			status := do(i, servers[i%len(servers)])
			mu.Lock()
			defer mu.Unlock()
			counts[status]++
		})
	}
	wait.Wait()
	return counts
}

// Two servers that start together on an empty PostgreSQL database, and are used together: one owner, no invite used
// more often than it may be (Alcoves seed, line 42), and no more tries at a password than one server would allow.
func TestTwoServersOnOneDatabase(t *testing.T) {
	servers := startReplicas(t, testpg.Database(t), 2)
	counts := everywhere(servers, 20, func(i int, r *replica) int {
		status, _ := r.post("/v1/auth/register", "", object{"username": fmt.Sprint("first", i), "password": somePassword})
		return status
	})
	if counts[http.StatusCreated] != 1 || counts[http.StatusForbidden] != 19 {
		t.Errorf("20 first registrations: %v", counts)
	}
	var owner string
	for i := range 20 {
		if _, text := servers[0].post("/v1/auth/sign-in", "", object{"login": fmt.Sprint("first", i), "password": somePassword}); strings.Contains(text, `"token"`) {
			owner = servers[1].token("/v1/auth/sign-in", object{"login": fmt.Sprint("first", i), "password": somePassword})
		}
	}
	const code = "a-code-that-is-long-enough"
	if status, text := servers[0].post("/v1/invites", owner, object{"code": code, "maxUses": 10}); status != http.StatusCreated {
		t.Fatal(status, text)
	}
	registered := everywhere(servers, 50, func(i int, r *replica) int {
		status, _ := r.post("/v1/auth/register", "", object{"username": fmt.Sprint("guest", i), "password": somePassword, "inviteCode": code})
		return status
	})
	if registered[http.StatusCreated] != 10 || registered[http.StatusGone] != 40 {
		t.Errorf("50 registrations with an invite of 10 uses: %v", registered)
	}
	t.Run("accept", func(t *testing.T) { raceAcceptances(t, servers, owner) })
	t.Run("tries", func(t *testing.T) {
		began := time.Now()
		tries := everywhere(servers, 40, func(_ int, r *replica) int {
			status, _ := r.post("/v1/auth/sign-in", "", object{"login": "nobody", "password": "wrong"})
			return status
		})
		// 10 at once, and one more for each six seconds that a slow machine takes.
		most := 11 + int(time.Since(began)/(6*time.Second))
		if looked := tries[http.StatusUnauthorized]; looked < 10 || looked > most || looked+tries[http.StatusTooManyRequests] != 40 {
			t.Errorf("40 tries at one account, with 10 a minute: %v, want at most %d", tries, most)
		}
	})
}

// raceAcceptances: 50 people who have accounts accept one invite of ten uses at once.
func raceAcceptances(t *testing.T, servers []*replica, owner string) {
	tokens := make([]string, 50)
	everywhere(servers, len(tokens), func(i int, r *replica) int {
		name := fmt.Sprint("member", i)
		status, text := r.post("/v1/users", owner, object{"username": name, "password": somePassword})
		if status != http.StatusCreated {
			t.Errorf("%d %s", status, text)
		}
		_, text = r.post("/v1/auth/sign-in", "", object{"login": name, "password": somePassword})
		var in struct{ Token string }
		if err := json.Unmarshal([]byte(text), &in); err != nil {
			t.Errorf("%v: %s", err, text)
		}
		tokens[i] = in.Token
		return status
	})
	status, text := servers[0].post("/v1/libraries", owner, object{"name": "Films", "type": "movies", "paths": []string{servers[0].media}})
	var library struct{ ID string }
	if err := json.Unmarshal([]byte(text), &library); err != nil || library.ID == "" {
		t.Fatal(status, text)
	}
	const code = "another-code-that-is-long-enough"
	body := object{"code": code, "maxUses": 10, "libraries": []object{{"libraryId": library.ID}}}
	if status, text := servers[1].post("/v1/invites", owner, body); status != http.StatusCreated {
		t.Fatal(status, text)
	}
	accepted := everywhere(servers, len(tokens), func(i int, r *replica) int {
		status, _ := r.post("/v1/invitations/"+code+"/accept", tokens[i], nil)
		return status
	})
	if accepted[http.StatusOK] != 10 || accepted[http.StatusGone] != 40 {
		t.Errorf("50 acceptances of an invite of 10 uses: %v", accepted)
	}
}

package main

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"
)

const (
	// floodSize is how many sign-ins come at once.
	floodSize = 200
	// floodMemory is what the whole process may take meanwhile, in KiB.
	floodMemory = 192 << 10
)

// buildServer builds the program, without the race detector, which takes memory of its own.
func buildServer(t *testing.T) string {
	t.Helper()
	program := filepath.Join(t.TempDir(), "mediaserver")
	if out, err := exec.CommandContext(t.Context(), "go", "build", "-o", program, ".").CombinedOutput(); err != nil {
		t.Fatalf("build: %v: %s", err, out)
	}
	return program
}

// TestAFloodOfSignIns: the memory of hashing is bounded whatever comes at once, what is too much is refused with a time to come
// back, and who is signed in is served.
func TestAFloodOfSignIns(t *testing.T) {
	if runtime.GOOS != "linux" {
		t.Skip("reads the memory of a process as Linux tells it")
	}
	server := startChild(t, exec.Command(buildServer(t), "--listen", "127.0.0.1:0", "--data", t.TempDir(), "--log-format", "json",
		"--sign-ins-per-client", "0", "--sign-ins-per-account", "0"))
	token := server.token("/v1/auth/register", object{"username": "owner", "password": somePassword})
	ctx, over := context.WithCancel(t.Context())
	var reading sync.WaitGroup
	var took []time.Duration
	reading.Go(func() { took = server.readUntil(ctx, token) })
	var mu sync.Mutex
	retries := map[string]int{}
	answers := everywhere([]*replica{server.replica}, floodSize, func(i int, r *replica) int {
		status, retry := r.signIn(fmt.Sprint("stranger", i))
		mu.Lock()
		defer mu.Unlock()
		retries[retry] += status / http.StatusServiceUnavailable
		return status
	})
	over()
	reading.Wait()
	refused := answers[http.StatusServiceUnavailable]
	if refused == 0 || refused+answers[http.StatusUnauthorized] != floodSize || retries[""] != 0 {
		t.Errorf("%d sign-ins at once were answered %v, with Retry-After %v", floodSize, answers, retries)
	}
	slices.Sort(took)
	if len(took) == 0 {
		t.Fatal("nobody who is signed in was served")
	}
	peak := server.peakMemory(t)
	t.Logf("answers %v; %d requests of somebody signed in: p50 %v, p99 %v; peak memory %d MiB", answers, len(took),
		took[len(took)/2], took[len(took)*99/100], peak>>10)
	if peak > floodMemory {
		t.Errorf("the process took %d KiB, more than %d", peak, floodMemory)
	}
}

// child is a server in a process of the built program.
type child struct {
	*replica
	process *exec.Cmd
}

func startChild(t *testing.T, command *exec.Cmd) child {
	t.Helper()
	out := urls{make(chan string, 1)}
	command.Stderr, command.WaitDelay = out, 30*time.Second
	if err := command.Start(); err != nil {
		t.Fatal(err)
	}
	ended := make(chan error, 1)
	go func() { ended <- command.Wait() }()
	t.Cleanup(func() {
		_ = command.Process.Signal(os.Interrupt)
		if err := <-ended; err != nil {
			t.Errorf("the server ended with %v", err)
		}
	})
	select {
	case url := <-out.found:
		transport := &http.Transport{DisableKeepAlives: true}
		return child{&replica{T: t, url: url, client: &http.Client{Transport: transport}}, command}
	case err := <-ended:
		ended <- err
		t.Fatalf("the server ended: %v", err)
	}
	return child{}
}

// readUntil asks as somebody signed in, again and again until ctx ends, and returns how long each answer took.
func (r *replica) readUntil(ctx context.Context, token string) (took []time.Duration) {
	for ctx.Err() == nil {
		begun := time.Now()
		var view struct{ User struct{ Username string } }
		if err := json.Unmarshal([]byte(r.get("/v1/auth/session", token)), &view); err != nil || view.User.Username != "owner" {
			r.Errorf("somebody signed in: %+v, %v", view, err)
			return took
		}
		took = append(took, time.Since(begun))
	}
	return took
}

// signIn tries a wrong password, and returns the status and when to come back.
func (r *replica) signIn(login string) (int, string) {
	body := fmt.Sprintf(`{"login":%q,"password":%q}`, login, somePassword)
	response, err := r.client.Post(r.url+"/v1/auth/sign-in", "application/json", strings.NewReader(body))
	if err != nil {
		r.Error(err)
		return 0, ""
	}
	defer func() { _ = response.Body.Close() }()
	return response.StatusCode, response.Header.Get("Retry-After")
}

// peakMemory is the most that the process has had of the machine's memory, in KiB.
func (c child) peakMemory(t *testing.T) int {
	t.Helper()
	status, err := os.Open(fmt.Sprintf("/proc/%d/status", c.process.Process.Pid))
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = status.Close() }()
	for lines := bufio.NewScanner(status); lines.Scan(); {
		if text, found := strings.CutPrefix(lines.Text(), "VmHWM:"); found {
			kib, err := strconv.Atoi(strings.Fields(text)[0])
			if err != nil {
				t.Fatal(err)
			}
			return kib
		}
	}
	t.Fatal("no VmHWM")
	return 0
}

package jellyfintest

import (
	"maps"
	"net/http"
	"net/http/httptest"
	"sync"
)

// Fate is what becomes of a request.
type Fate int

// The fates of a request.
const (
	// Serve answers it.
	Serve Fate = iota
	// Drop breaks the connection before anything is done.
	Drop
	// Lose does what is asked and breaks the connection instead of answering.
	Lose
	// Fail answers 500 and does nothing.
	Fail
)

// faults decides the fates and counts.
type faults struct {
	mu     sync.Mutex
	decide func(n int, method, route string) Fate
	n      int
	counts map[string]int
}

// Decide lets a function decide the fate of each request from now on: n counts them from 1, and route is the path with
// its ids as in "/Users/{id}/Policy". A function that waits holds its request. Nil serves all again.
func (s *Server) Decide(decide func(n int, method, route string) Fate) {
	s.faults.mu.Lock()
	defer s.faults.mu.Unlock()
	s.faults.decide, s.faults.n = decide, 0
}

// Count is how many requests there were of a method and route, such as "POST /Users/{id}/Policy".
func (s *Server) Count(route string) int {
	s.faults.mu.Lock()
	defer s.faults.mu.Unlock()
	return s.faults.counts[route]
}

// Counts is how many requests there were, by method and route.
func (s *Server) Counts() map[string]int {
	s.faults.mu.Lock()
	defer s.faults.mu.Unlock()
	return maps.Clone(s.faults.counts)
}

func (f *faults) pass(w http.ResponseWriter, r *http.Request, route string, next http.Handler) {
	switch f.fate(r.Method, route) {
	case Drop:
		breakOff(w)
	case Lose:
		next.ServeHTTP(httptest.NewRecorder(), r)
		breakOff(w)
	case Fail:
		failed(http.StatusInternalServerError).write(w)
	default:
		next.ServeHTTP(w, r)
	}
}

func (f *faults) fate(method, route string) Fate {
	f.mu.Lock()
	if f.counts == nil {
		f.counts = map[string]int{}
	}
	f.counts[method+" "+route]++
	f.n++
	n, decide := f.n, f.decide
	f.mu.Unlock()
	if decide == nil {
		return Serve
	}
	return decide(n, method, route)
}

// breakOff ends the connection in the middle of an answer: a client that got nothing at all might ask again by itself.
func breakOff(w http.ResponseWriter) {
	w.Header().Set("Content-Length", "1000")
	w.WriteHeader(http.StatusOK)
	if flusher, ok := w.(http.Flusher); ok {
		flusher.Flush()
	}
	panic(http.ErrAbortHandler)
}

// Step is a point in the middle of a request, at which the server is not locked and a test may act.
type Step string

// The steps.
const (
	// TokensRevoked: POST /Users/{id}/Policy disables somebody, has ended their tokens and has not written yet (additions
	// B.3).
	TokensRevoked Step = "tokens revoked"
	// UserLoaded: a request of a person's has loaded the whole user, and will save it (additions B.1).
	UserLoaded Step = "user loaded"
	// NameFree: POST /Users/New found the name free and has not written yet (corrections A.3).
	NameFree Step = "name free"
	// MonitorStopped: a change of a library has stopped the library monitor (section 7).
	MonitorStopped Step = "monitor stopped"
)

type hooks struct {
	mu  sync.Mutex
	all map[Step]hook
}

// hook is what a test does at a step; false from it fails the request there.
type hook func(username string) (goOn bool)

// OnStep lets a function act whenever a request comes to a step, with the username that it is about: it may call the
// server meanwhile. Where it returns false, the request fails there with a 500. Nil ends it.
func (s *Server) OnStep(step Step, do func(username string) (goOn bool)) {
	s.hooks.mu.Lock()
	defer s.hooks.mu.Unlock()
	if s.hooks.all == nil {
		s.hooks.all = map[Step]hook{}
	}
	s.hooks.all[step] = do
}

// reach runs what a test does at a step. The server must not be locked.
func (s *Server) reach(step Step, username string) (goOn bool) {
	s.hooks.mu.Lock()
	do := s.hooks.all[step]
	s.hooks.mu.Unlock()
	return do == nil || do(username)
}

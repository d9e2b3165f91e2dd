package shishotest

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
// its ids as in "/users/{id}". A function that waits holds its request. Nil serves all again.
func (s *Server) Decide(decide func(n int, method, route string) Fate) {
	s.faults.mu.Lock()
	defer s.faults.mu.Unlock()
	s.faults.decide, s.faults.n = decide, 0
}

// Count is how many requests there were of a method and route, such as "POST /users/{id}".
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

// BreakGrants lets the next write of an account's grants fail after some were written; the old ones are gone then.
func (s *Server) BreakGrants(after int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.breaking = after
}

func (f *faults) pass(w http.ResponseWriter, r *http.Request, pattern string, next http.Handler) {
	method, route := r.Method, pattern
	for i := range pattern {
		if pattern[i] == ' ' {
			route = pattern[i+1:]
			break
		}
	}
	switch f.fate(method, route) {
	case Drop:
		breakOff(w)
	case Lose:
		next.ServeHTTP(httptest.NewRecorder(), r)
		breakOff(w)
	case Fail:
		send(w, http.StatusInternalServerError, envelope(failure()))
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

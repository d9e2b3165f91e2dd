package alcovestest

import (
	"net/http"
	"net/http/httptest"
)

// Action is what a fault does to a request.
type Action int

// The actions.
const (
	// Fail answers in the server's place.
	Fail Action = iota
	// Hold does nothing until the fault is healed, and then breaks the connection: who asked has long gone.
	Hold
	// Lose does what was asked for, and breaks the connection in place of an answer.
	Lose
)

// Fault disturbs requests.
type Fault struct {
	// Match says which requests count; nil for all.
	Match func(*http.Request) bool
	// At is the number of the one that is disturbed, from 1; 0 for every one.
	At int
	Do Action
	// Status that Fail answers with.
	Status int
	// Arrived is told of each request that is disturbed, where there is room; may be nil.
	Arrived chan<- struct{}

	seen   int
	healed chan struct{}
}

// Disturb adds a fault.
func (s *Server) Disturb(f Fault) {
	s.mu.Lock()
	defer s.mu.Unlock()
	f.healed = make(chan struct{})
	s.faults = append(s.faults, &f)
}

// Heal takes all faults away.
func (s *Server) Heal() {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, f := range s.faults {
		close(f.healed)
	}
	s.faults = nil
}

// Requests returns how many requests came, by method and pattern ("GET /api/libraries/{id}"), and forgets them.
func (s *Server) Requests() map[string]int {
	s.mu.Lock()
	defer s.mu.Unlock()
	counted := s.requests
	s.requests = map[string]int{}
	return counted
}

// meets counts a request and returns the fault that it meets.
func (s *Server) meets(r *http.Request) *Fault {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, f := range s.faults {
		if f.Match != nil && !f.Match(r) {
			continue
		}
		if f.seen++; f.At == 0 || f.At == f.seen {
			return f
		}
	}
	return nil
}

func (s *Server) disturb(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if _, pattern := next.(*http.ServeMux).Handler(r); pattern != "" {
			s.mu.Lock()
			s.requests[pattern]++
			s.mu.Unlock()
		}
		f := s.meets(r)
		if f == nil {
			next.ServeHTTP(w, r)
			return
		}
		if f.Arrived != nil {
			select {
			case f.Arrived <- struct{}{}:
			default:
			}
		}
		switch f.Do {
		case Fail:
			public(func(*http.Request) (answer, error) { return answer{}, refuse(f.Status, http.StatusText(f.Status)) }).ServeHTTP(w, r)
		case Hold:
			select {
			case <-f.healed:
			case <-r.Context().Done():
			}
			panic(http.ErrAbortHandler)
		case Lose:
			next.ServeHTTP(httptest.NewRecorder(), r)
			panic(http.ErrAbortHandler)
		}
	})
}

package shishotest

import (
	"encoding/json"
	"fmt"
	"net/http"
	"sync"
)

// events are the streams that are open. Each is told of every request, whoever made it, with its path, and so with the
// device keys in paths.
type events struct {
	mu   sync.Mutex
	open map[chan string]bool
}

func (e *events) tell(path string) {
	e.mu.Lock()
	defer e.mu.Unlock()
	for stream := range e.open {
		select {
		case stream <- path:
		default: // one that does not read loses what it does not read
		}
	}
}

// stream needs any session, and no permission.
func (s *Server) stream(w http.ResponseWriter, r *http.Request) {
	s.mu.Lock()
	user := s.signedIn(r)
	s.mu.Unlock()
	if user == nil {
		send(w, http.StatusUnauthorized, envelope(refuse(http.StatusUnauthorized, "unauthorized", "Authentication required")))
		return
	}
	paths := make(chan string, 64)
	s.events.mu.Lock()
	if s.events.open == nil {
		s.events.open = map[chan string]bool{}
	}
	s.events.open[paths] = true
	s.events.mu.Unlock()
	defer func() {
		s.events.mu.Lock()
		defer s.events.mu.Unlock()
		delete(s.events.open, paths)
	}()
	w.Header().Set("Content-Type", "text/event-stream")
	w.WriteHeader(http.StatusOK)
	flush := http.NewResponseController(w).Flush
	_ = flush()
	for {
		select {
		case <-r.Context().Done():
			return
		case path := <-paths:
			data, _ := json.Marshal(object{"message": "request handled", "data": object{"path": path}})
			_, _ = fmt.Fprintf(w, "event: log.entry\ndata: %s\n\n", data)
			_ = flush()
		}
	}
}

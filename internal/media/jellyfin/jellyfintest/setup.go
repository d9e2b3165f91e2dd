package jellyfintest

import (
	"net/http"
)

// Phase is how far a server has started.
type Phase int

// The phases. All but PhaseRunning are of the server that answers while the real one starts, since 10.11 (section 2).
const (
	// PhaseRunning: the real server answers.
	PhaseRunning Phase = iota
	// PhaseLoading: the temporary server answers, and there is no host object yet.
	PhaseLoading
	// PhaseStarting: the temporary server answers, and says of every server that its wizard is pending.
	PhaseStarting
	// PhaseFailed: the real server did not start.
	PhaseFailed
)

// SetPhase puts the server into a phase.
func (s *Server) SetPhase(phase Phase) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.phase = phase
}

func (s *Server) inPhase() Phase {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.phase
}

// starting answers in the place of a server that is not running.
func (s *Server) starting(c *call) (early answer, answered bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.phase == PhaseRunning {
		return answer{}, false
	}
	path := c.route.path
	switch {
	case !s.version.setupServer():
		// Before 10.11 nothing but a refusal is known of a start; not in the contract.
		return waiting(), true
	case path == "/health" && s.phase == PhaseFailed:
		return answer{status: http.StatusServiceUnavailable, kind: kindText, text: "Unhealthy"}, true
	case path == "/health":
		return answer{status: http.StatusOK, kind: kindText, text: "Degraded"}, true
	case path == "/System/Info/Public" && s.phase == PhaseLoading:
		return waiting(), true
	case path == "/System/Info/Public":
		// The flag is hard-coded: a live server looks as if its wizard were pending.
		return ok(s.identity(false)), true
	}
	return waiting(), true
}

func waiting() answer {
	return answer{
		status: http.StatusServiceUnavailable, kind: "text/html", text: "<!doctype html><title>Jellyfin</title>The server is starting.",
		header: http.Header{"Retry-After": {"60"}},
	}
}

func (s *Server) health(*call) answer {
	return answer{status: http.StatusOK, kind: kindText, text: "Healthy"}
}

func (s *Server) ping(*call) answer { return ok("Jellyfin Server") }

// identity is what anybody may know (section 2).
func (s *Server) identity(completed bool) object {
	return object{
		"LocalAddress": s.URL, "ServerName": s.config.serverName, "Version": string(s.version), "ProductName": "Jellyfin Server",
		"OperatingSystem": "", "Id": s.id, "StartupWizardCompleted": completed,
	}
}

func (s *Server) publicInfo(*call) answer { return ok(s.identity(s.startup.completed)) }

// info is for whoever is signed in, administrator or not (corrections A.4).
func (s *Server) info(*call) answer {
	info := s.identity(s.startup.completed)
	for name, value := range map[string]any{
		"HasPendingRestart": false, "IsShuttingDown": false, "SupportsLibraryMonitor": true, "WebSocketPortNumber": 8096,
		"CanSelfRestart": true, "CanLaunchWebBrowser": false, "HasUpdateAvailable": false, "ProgramDataPath": dataPath,
	} {
		info[name] = value
	}
	return ok(info)
}

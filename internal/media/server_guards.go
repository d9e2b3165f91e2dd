package media

import (
	"context"
	"strings"
)

// Guards are what the driver made on the server to keep a hole shut, to be told to the next driver of the same server.
func (s *Server) Guards() []string {
	if able, ok := s.driver.(Guardian); ok {
		return able.Guards()
	}
	return nil
}

// KnowGuards tells the driver, before its first call, what an earlier one had made.
func (s *Server) KnowGuards(guards []string) {
	if able, ok := s.driver.(Guardian); ok {
		able.KnowGuards(guards)
	}
}

// Mend shuts again what the last Refresh found open because somebody spoiled what kept it shut. It says in words for
// people what was spoiled, and does nothing when nothing was.
func (s *Server) Mend(ctx context.Context) ([]string, error) {
	able, ok := s.driver.(Guardian)
	if !ok {
		return nil, nil
	}
	amiss := able.Amiss()
	if len(amiss) == 0 {
		return nil, nil
	}
	return amiss, s.write(WithReason(ctx, amiss...), "Mend", strings.Join(amiss, "; "), able.Mend)
}

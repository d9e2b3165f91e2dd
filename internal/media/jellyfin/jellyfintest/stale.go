package jellyfintest

import "time"

// activityAge is how old the last activity is before a request writes it anew (additions B.1).
const activityAge = time.Minute

// touch writes the person's activity: the server loads the whole user, and saves it whole. What was written between is
// undone (additions B.1). A test acts between the two by OnStep(UserLoaded).
func (s *Server) touch(c *call) {
	s.mu.Lock()
	u := c.caller.user
	if u == nil {
		s.mu.Unlock()
		return
	}
	if stale := s.stale[u.id]; stale != nil {
		delete(s.stale, u.id)
		s.save(stale)
	}
	old := s.now().Sub(u.lastActivity) > activityAge
	s.mu.Unlock()
	if old {
		s.rewrite(u.id)
	}
}

// rewrite loads a user, lets others act, and saves what it loaded.
func (s *Server) rewrite(id string) {
	s.mu.Lock()
	u := s.user(id)
	if u == nil {
		s.mu.Unlock()
		return
	}
	loaded := u.copy()
	s.mu.Unlock()
	s.reach(UserLoaded, loaded.name)
	s.mu.Lock()
	defer s.mu.Unlock()
	loaded.lastActivity = s.now()
	s.save(loaded)
}

// save writes a whole user as it was loaded: the row with its name and password, permissions, preferences and schedules.
// Who was deleted meanwhile stays deleted.
func (s *Server) save(loaded *user) {
	if u := s.user(loaded.id); u != nil {
		playlists, sso := u.playlists, u.sso
		*u = *loaded.copy()
		u.playlists, u.sso = playlists, sso
	}
}

// Moment is when a write is undone.
type Moment int

// The moments.
const (
	// AtOnce: the person's request, which loaded before, saves right after the write, before anybody reads back.
	AtOnce Moment = iota + 1
	// AtNextRequest: it saves when the person asks for something again.
	AtNextRequest
)

// UndoNext lets a request of a person's be under way around the next write of their policy: the write answers as ever, and
// is undone (additions B.1). Nothing is undone for somebody who has no token when the write comes, or whose tokens end
// before they ask again: no request can be under way then.
func (s *Server) UndoNext(username string, when Moment) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if u := s.called(username); u != nil {
		s.undo[u.id] = when
	}
}

// writing writes a policy, and undoes it where a test armed that.
func (s *Server) writing(u *user, write func()) {
	when, hasToken := s.undo[u.id], first(s.devices, func(d *device) bool { return d.userID == u.id }) != nil
	loaded := u.copy()
	write()
	if when == 0 || !hasToken {
		return
	}
	delete(s.undo, u.id)
	if when == AtOnce {
		s.save(loaded)
		return
	}
	s.stale[u.id] = loaded
}

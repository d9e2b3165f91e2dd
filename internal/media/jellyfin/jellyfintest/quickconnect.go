package jellyfintest

import (
	"crypto/rand"
	"fmt"
	"math/big"
	"net/http"
	"slices"
	"time"
)

// codeTime is how long a code lives, in memory (additions B.8).
const codeTime = 10 * time.Minute

// quickConnect is a device that waits for somebody to let it in.
type quickConnect struct {
	secret, code string
	from         client
	made         time.Time
	// userID is who it was authorized as; empty for nobody yet.
	userID string
}

// quickConnects are those that have not expired.
func (s *Server) quickConnects() []*quickConnect {
	s.quick = slices.DeleteFunc(s.quick, func(q *quickConnect) bool { return s.now().Sub(q.made) > codeTime })
	return s.quick
}

func (q *quickConnect) view() object {
	return object{
		"Authenticated": q.userID != "", "Secret": q.secret, "Code": q.code, "DeviceId": q.from.deviceID, "DeviceName": q.from.device,
		"AppName": q.from.app, "AppVersion": q.from.version, "DateAdded": moment(q.made),
	}
}

func (s *Server) quickConnectEnabled(*call) answer { return ok(s.config.quickConnect) }

// initiate gives a device a code of six digits.
func (s *Server) initiate(c *call) answer {
	switch {
	case !s.config.quickConnect:
		return stated(http.StatusUnauthorized, "Quick connect is disabled")
	case !c.client.complete():
		return failed(http.StatusBadRequest)
	}
	n, err := rand.Int(rand.Reader, big.NewInt(1_000_000))
	if err != nil {
		return failed(http.StatusInternalServerError)
	}
	q := &quickConnect{secret: newID() + newID(), code: fmt.Sprintf("%06d", n), from: c.client, made: s.now()}
	s.quick = append(s.quick, q)
	return ok(q.view())
}

func (s *Server) connect(c *call) answer {
	q := first(s.quickConnects(), func(q *quickConnect) bool { return q.secret == c.param("secret") })
	if q == nil {
		return stated(http.StatusNotFound, "Unknown secret")
	}
	return ok(q.view())
}

// authorize lets a device in as oneself, or, for administrators and keys, as anybody: without a password, and whether the
// account is disabled or not (additions B.8).
func (s *Server) authorize(c *call) answer {
	if !s.config.quickConnect {
		return stated(http.StatusUnauthorized, "Quick connect is disabled")
	}
	u, refused, found := c.subject()
	if !found {
		return refused
	}
	q := first(s.quickConnects(), func(q *quickConnect) bool { return q.code == c.param("code") })
	if q == nil {
		return failed(http.StatusNotFound)
	}
	q.userID = u.id
	return ok(true)
}

// authenticateWithQuickConnect gives the device its token. That of somebody who is disabled is refused until they are
// enabled (additions B.8).
func (s *Server) authenticateWithQuickConnect(c *call) answer {
	q := first(s.quickConnects(), func(q *quickConnect) bool { return q.secret == c.body.text("Secret") })
	if q == nil {
		return failed(http.StatusNotFound)
	}
	u := s.user(q.userID)
	if u == nil {
		return failed(http.StatusUnauthorized)
	}
	s.quick = slices.DeleteFunc(s.quick, func(other *quickConnect) bool { return other == q })
	return s.welcome(u, q.from)
}

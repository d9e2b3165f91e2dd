package jellyfintest

import (
	"crypto/rand"
	"fmt"
	"math/big"
	"net/http"
	"time"
)

// pinTime is how long a PIN lives (section 4).
const pinTime = 30 * time.Minute

// pin is a PIN in a file of the server's data directory.
type pin struct {
	userID string
	made   time.Time
}

// forgotPassword always answers 200. For callers on the server's own network it writes a PIN into its data directory, and
// saves the whole user that it loaded before (section 4, additions B.1).
func (s *Server) forgotPassword(c *call) answer {
	if !s.local(c.Request) {
		return ok(object{"Action": "InNetworkRequired"})
	}
	u := s.called(c.body.text("EnteredUsername"))
	n, err := rand.Int(rand.Reader, big.NewInt(1_000_000_000))
	if u == nil || err != nil {
		return ok(object{"Action": "ContactAdmin"})
	}
	s.pins[fmt.Sprintf("%09d", n)] = &pin{userID: u.id, made: s.now()}
	s.mu.Unlock()
	s.rewrite(u.id)
	s.mu.Lock()
	return ok(object{
		"Action": "PinCode", "PinFile": dataPath + "/passwordreset.json", "PinExpirationDate": moment(s.now().Add(pinTime)),
	})
}

// redeemPin makes the PIN the password, and ends no session (section 4, additions B.16).
func (s *Server) redeemPin(c *call) answer {
	code := c.body.text("Pin")
	p := s.pins[code]
	if p == nil || s.now().Sub(p.made) > pinTime {
		return failed(http.StatusNotFound)
	}
	delete(s.pins, code)
	u := s.user(p.userID)
	if u == nil {
		return failed(http.StatusNotFound)
	}
	u.password = code
	return ok(object{"Success": true, "UsersReset": []string{u.name}})
}

// Pins are the PINs in the server's data directory, by username, as somebody reads them who has access to it.
func (s *Server) Pins() map[string]string {
	s.mu.Lock()
	defer s.mu.Unlock()
	pins := map[string]string{}
	for code, p := range s.pins {
		if u := s.user(p.userID); u != nil {
			pins[u.name] = code
		}
	}
	return pins
}

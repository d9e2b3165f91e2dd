package alcoves_test

import (
	"net/http"
	"testing"
	"time"

	"github.com/usher-media/usher/internal/media/alcoves/alcovestest"
)

// Every crash in the making of an account leaves it with what was asked for, or less, and no link that outlives it.
func TestRegisteringFailsClosed(t *testing.T) {
	r := start(t)
	c := r.open(r.config())
	movies, shows, secret := c.library("Movies"), c.library("Shows"), c.library("Secret")
	finished := false
	for k := 1; !finished; k++ {
		for _, action := range []alcovestest.Action{alcovestest.Fail, alcovestest.Lose} {
			name := "crash-" + time.Duration(k).String() + "-" + string(rune('a'+int(action)))
			var dead bool // after the fault nothing more is sent, as after a crash
			at := 0
			c.Disturb(alcovestest.Fault{Match: func(r *http.Request) bool {
				if at++; at > k {
					dead = true
				}
				return at > k
			}, Do: alcovestest.Fail, Status: 503})
			c.Disturb(alcovestest.Fault{At: k, Do: action, Status: 503})
			_, err := c.CreateAccount(t.Context(), wanted(name, movies, shows))
			c.Heal()
			finished = err == nil && !dead
			if seen := c.Count(`SELECT 1 FROM library_members m JOIN users u ON u.id = m.user_id WHERE u.email = $1 AND m.library_id = $2`, address(name), string(secret)); seen != 0 {
				t.Errorf("step %d: an undeclared library was given", k)
			}
			if n := c.Count(`SELECT 1 FROM library_members m JOIN users u ON u.id = m.user_id WHERE u.email = $1`, address(name)); n > 2 || (err == nil && n != 2) {
				t.Errorf("step %d: %d libraries, error %v", k, n, err)
			}
		}
		if k > 40 {
			t.Fatal("never finished")
		}
	}
	stale := c.Count(`SELECT 1 FROM library_invites WHERE revoked_at IS NULL AND (max_uses IS DISTINCT FROM 1 OR expires_at IS NULL OR expires_at > now() + interval '16 minutes')`)
	if stale != 0 {
		t.Errorf("%d links were left that do not end by themselves", stale)
	}
}

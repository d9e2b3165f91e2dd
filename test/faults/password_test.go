package faults

import (
	"context"
	"fmt"
	"sync"
	"testing"

	"github.com/usher-media/usher/api/v1alpha1"
	"github.com/usher-media/usher/internal/media"
	"github.com/usher-media/usher/internal/media/memory"
	"github.com/usher-media/usher/test/mortal"
)

// TestThePasswordComesLast: a server adds a library of its own to each new account. Nobody can sign in with a password
// that a person knows until that is taken away again, also when each write fails in turn.
func TestThePasswordComesLast(t *testing.T) {
	t.Parallel()
	modes := []mortal.Mode{mortal.DieAfter}
	if full() {
		modes = mortal.Modes
	}
	for _, mode := range modes {
		for k := 1; k <= 6; k++ {
			t.Run(name(fmt.Sprint(mode, " ", k)), func(t *testing.T) {
				t.Parallel()
				generousServer(t, k, mode)
			})
		}
	}
}

func generousServer(t *testing.T, k int, mode mortal.Mode) {
	const password = "what ann was given 1"
	generous := &generousSystem{memorySystem: memorySystem{store: memory.NewStore(memory.Options{})}}
	h := newHouse(t, generous)
	generous.h = h
	w := &watchedPassword{h: h, password: password}
	generous.store.Hook(func(_ context.Context, _ memory.Moment, call memory.Call) error {
		w.look(string(call.Op))
		return nil
	})
	h.oracle.byHand(func(s system) { s.addLibrary("Default") })
	h.start()
	h.create(h.library("movies"), h.library("default"), h.grant("all", "movies", "*"))
	h.create(h.secret("ann-password", map[string]string{"password": password}))
	h.quiet()
	h.followed()
	h.process.Arm(k, mode)
	user := h.user("ann")
	user.Spec.Password = &v1alpha1.Password{SecretRef: &v1alpha1.SecretKeyReference{Name: "ann-password"}}
	h.create(user)
	h.struck("")
	h.process.Disarm()
	if h.process.Dead() {
		<-h.ended
		h.start()
	}
	h.quiet()
	covered.points.Add(1)
	if !h.system.accepts("ann", password) {
		t.Errorf("the password does not work in the end:\n%s", h.snapshot())
	}
	w.verdict()
	h.rest()
}

// generousSystem gives each new account a library of its own choice before it answers.
type generousSystem struct {
	memorySystem
	h *house
}

func (g *generousSystem) open(p *mortal.Process) media.Open {
	return p.Open(func(config media.Config) (media.Driver, error) {
		inner, err := g.store.Open(config)
		return &generousDriver{Driver: inner, h: g.h}, err
	})
}

type generousDriver struct {
	media.Driver
	h *house
}

func (d *generousDriver) CreateAccount(ctx context.Context, account media.NewAccount) (media.Account, error) {
	made, err := d.Driver.CreateAccount(ctx, account)
	if err != nil {
		return made, err
	}
	d.h.oracle.byHand(func(s system) { s.give(account.Username, "Default") })
	return d.Driver.Account(ctx, made.ID)
}

func (d *generousDriver) Authenticate(ctx context.Context, username, password string) (media.AccountID, error) {
	return d.Driver.(media.Authenticator).Authenticate(ctx, username, password)
}

// watchedPassword looks at every moment whether somebody can sign in who sees too much.
type watchedPassword struct {
	h        *house
	password string
	mu       sync.Mutex
	broken   string
}

func (w *watchedPassword) look(op string) {
	w.mu.Lock()
	defer w.mu.Unlock()
	sees := w.h.system.people()["ann"].Sees
	if len(sees) > 1 && w.h.system.accepts("ann", w.password) {
		w.broken = "after " + op + " ann can sign in while the server's own library is there still"
	}
}

func (w *watchedPassword) verdict() {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.broken != "" {
		w.h.t.Error(w.broken)
	}
}

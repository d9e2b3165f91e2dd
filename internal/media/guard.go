package media

import (
	"context"
	"errors"
	"sync"
	"time"
)

// identityAge is how old the last reading of a server's identity may be when a write goes out. The rest of five seconds
// is for the write's own way.
const identityAge = 4 * time.Second

// readings is how often the identity is read for one write: the reading itself may sign in again, which makes it doubtful.
const readings = 3

// ErrOtherServer is the cause of a call that was refused because another server answers at the address.
var ErrOtherServer = errors.New("another server answers")

// Guard keeps calls from another server than the one that was identified: an address may lead elsewhere from one
// connection to the next, long before the MediaServer is looked at again. Two checks go together:
//
//   - wire asks each new connection who is at its other end before the connection is used;
//   - no write goes out without the identity having been read within identityAge, and since the last event after which
//     somebody else may answer (Doubt): behind a proxy a connection outlives the server.
//
// A nil Guard lets everything pass, for a driver that is used without a Server. Safe for concurrent use.
type Guard struct {
	now func() time.Time
	// read asks the server who it is.
	read func(context.Context) (string, error)
	// turn is held by who reads, so that many writes cost one reading.
	turn chan struct{}

	mu       sync.Mutex
	expected string
	// doubts counts the events; dispelled is their number before the last reading that agreed began, at readAt.
	doubts, dispelled int
	readAt            time.Time
	// fresh and lost are the accounts whose passwords were set since the last reading that agreed, and those of which it
	// turned out that they may have been set on another server.
	fresh, lost map[AccountID]bool
}

func newGuard(now func() time.Time) *Guard {
	return &Guard{now: now, turn: make(chan struct{}, 1), fresh: map[AccountID]bool{}, lost: map[AccountID]bool{}}
}

type anyServerKey struct{}

// ToAnyServer marks the calls that find out who a server is, and so go to any.
func ToAnyServer(ctx context.Context) context.Context {
	return context.WithValue(ctx, anyServerKey{}, true)
}

// Expected is the identity of the only server that a call may go to; empty when it may go to any.
func (g *Guard) Expected(ctx context.Context) string {
	if g == nil || ctx.Value(anyServerKey{}) != nil {
		return ""
	}
	g.mu.Lock()
	defer g.mu.Unlock()
	return g.expected
}

// Unknown says that it is still to be found out which server answers.
func (g *Guard) Unknown() bool {
	if g == nil {
		return false
	}
	g.mu.Lock()
	defer g.mu.Unlock()
	return g.expected == ""
}

// Admit returns an error for a connection at whose other end is another server than expected.
func (g *Guard) Admit(ctx context.Context, identity string) error {
	if expected := g.Expected(ctx); expected == "" || expected == identity {
		return nil
	}
	g.Doubt()
	return otherServer()
}

// Doubt notes an event after which somebody else may answer: a connection that was refused or broke, a sign-in, a 401.
func (g *Guard) Doubt() {
	if g == nil {
		return
	}
	g.mu.Lock()
	defer g.mu.Unlock()
	g.doubts++
}

// Identify asks the server who it is, by a connection that the context may name.
func (g *Guard) Identify(ctx context.Context) (string, error) {
	identity, err := g.read(ToAnyServer(ctx))
	if err == nil && identity == "" {
		err = Errorf(Unavailable, "the server did not say who it is")
	}
	return identity, err
}

// Check comes before each write. It reads the identity where it was not read lately, and fails when it is another one or
// cannot be read: nothing is to be sent then.
func (g *Guard) Check(ctx context.Context) error {
	if g.Expected(ctx) == "" || g.certain() {
		return nil
	}
	select {
	case g.turn <- struct{}{}:
		defer func() { <-g.turn }()
	case <-ctx.Done():
		return Errorf(Unavailable, "no answer in time").WithCause(ctx.Err())
	}
	for range readings {
		if g.certain() {
			return nil
		}
		begun := g.mark()
		identity, err := g.Identify(ctx)
		if err != nil {
			return err
		}
		if !g.learn(begun, identity) {
			return otherServer()
		}
	}
	if g.certain() {
		return nil
	}
	return Errorf(Unavailable, "the connection breaks again and again, so that nobody can say which server answers: nothing is written")
}

func otherServer() *Error {
	e := Errorf(Unavailable, "another server answers at the url: nothing is written to it").WithCause(ErrOtherServer)
	e.Unsent = true
	return e
}

// reading is when one began.
type reading struct {
	at     time.Time
	doubts int
	fresh  map[AccountID]bool
}

func (g *Guard) mark() reading {
	if g == nil {
		return reading{}
	}
	g.mu.Lock()
	defer g.mu.Unlock()
	begun := reading{at: g.now(), doubts: g.doubts, fresh: map[AccountID]bool{}}
	for id := range g.fresh {
		begun.fresh[id] = true
	}
	return begun
}

// expect says which server is the right one, as a reading showed it.
func (g *Guard) expect(begun reading, identity string) {
	if g == nil {
		return
	}
	g.mu.Lock()
	g.expected = identity
	g.mu.Unlock()
	g.learn(begun, identity)
}

// learn takes what a reading showed into account, and says whether it is the server that is expected.
func (g *Guard) learn(begun reading, identity string) bool {
	if g == nil {
		return true
	}
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.expected != "" && identity != g.expected {
		g.readAt = time.Time{}
		for id := range g.fresh {
			g.lost[id] = true
		}
		clear(g.fresh)
		return false
	}
	g.readAt, g.dispelled = begun.at, begun.doubts
	for id := range begun.fresh {
		delete(g.fresh, id)
	}
	return true
}

func (g *Guard) certain() bool {
	g.mu.Lock()
	defer g.mu.Unlock()
	return !g.readAt.IsZero() && g.dispelled == g.doubts && g.now().Sub(g.readAt) <= identityAge
}

// passwordSet notes that an account was given a password: it counts once the server was seen to be the right one since.
func (g *Guard) passwordSet(id AccountID) {
	if g == nil {
		return
	}
	g.mu.Lock()
	defer g.mu.Unlock()
	delete(g.lost, id)
	g.fresh[id] = true
}

func (g *Guard) passwordLost(id AccountID) bool {
	if g == nil {
		return false
	}
	g.mu.Lock()
	defer g.mu.Unlock()
	return g.lost[id]
}

package media

import (
	"context"
	"time"

	"github.com/go-logr/logr"
)

// Observer is told of every finished call to a media server, for metrics; of a call that was retried, twice. It must
// not block.
type Observer func(call Call)

// Call is one finished call.
type Call struct {
	// Operation in CamelCase, for example ListAccounts.
	Operation string
	// Write says whether the call could change the server.
	Write bool
	// Code is the error's class; empty for success.
	Code     Code
	Duration time.Duration
}

// Server is one media server: a Driver with deadlines, bounds, error classes, one retry policy and an Inventory.
// Its writes go through to the Inventory, so that whoever compares next sees them. Safe for concurrent use.
type Server struct {
	driver    Driver
	traits    Traits
	now       func() time.Time
	observe   Observer
	inventory *Inventory
	slots     chan struct{}
	// creating holds one creation of a library at a time, since names are not unique on every server.
	creating chan struct{}
	invites  inviteList
	health   health
	// guard keeps calls from another server; nil for none. probed is when the last Probe began.
	guard  *Guard
	probed reading
}

// OpenServer opens a driver and wraps it. The observer may be nil. Once told by Expect, the Server speaks to no other
// server than that one.
func OpenServer(open Open, config Config, now func() time.Time, observe Observer) (*Server, error) {
	config.Guard = newGuard(now)
	driver, err := open(config)
	if err != nil {
		return nil, err
	}
	server := NewServer(driver, now, observe)
	server.guard = config.Guard
	server.guard.read = server.identity
	return server, nil
}

// NewServer wraps a driver that was opened without a Guard, which speaks to whoever answers. The observer may be nil.
func NewServer(driver Driver, now func() time.Time, observe Observer) *Server {
	if observe == nil {
		observe = func(Call) {}
	}
	traits := driver.Traits()
	return &Server{
		driver: driver, traits: traits, now: now, observe: observe,
		inventory: newInventory(traits),
		slots:     make(chan struct{}, max(1, traits.Concurrency)),
		creating:  make(chan struct{}, 1),
		invites:   inviteList{turn: make(chan struct{}, 1)},
	}
}

// Traits returns the driver's.
func (s *Server) Traits() Traits { return s.traits }

// Inventory returns what the server had when it was last listed, with our own writes on top.
func (s *Server) Inventory() *Inventory { return s.inventory }

// Close ends the connection.
func (s *Server) Close() error { return s.driver.Close() }

// Settled returns the moment before which a call that was announced has been answered or given up: it waits for its
// turn and for its slot as long as a call may take at most each, and then takes as long. A listing begun later shows
// what it did.
func (s *Server) Settled(announced time.Time) time.Time {
	return announced.Add(3 * s.traits.LongestCall)
}

// turn waits for a place, no longer than a call may take.
func (s *Server) turn(ctx context.Context, places chan struct{}, operation string) (leave func(), err error) {
	leave = func() { <-places }
	select {
	case places <- struct{}{}: // also for whom there is no time left: the call itself says so
		return leave, nil
	default:
	}
	patience := time.NewTimer(s.traits.LongestCall)
	defer patience.Stop()
	select {
	case places <- struct{}{}:
		return leave, nil
	case <-patience.C:
	case <-ctx.Done():
	}
	return nil, &Error{Code: Unavailable, Op: operation, Message: "no turn came: too many calls under way", Unsent: true, cause: context.Canceled}
}

// task is one call to the driver.
type task struct {
	operation string
	write     bool
	// target of a write, for the audit log: the name of an account, a library or an invite.
	target string
	// again: a read that the retry policy may repeat.
	again bool
	// secrets of the call, which no error's text may hold.
	secrets []string
}

// write is a call that changes its target.
func (s *Server) write(ctx context.Context, operation, target string, f func(context.Context) error) error {
	return s.do(ctx, task{operation: operation, write: true, target: target}, f)
}

// read is call for a read of one thing, which the retry policy may repeat within the call's deadline.
func (s *Server) read(ctx context.Context, operation string, f func(context.Context) error) error {
	return s.do(ctx, task{operation: operation, again: true}, f)
}

func (s *Server) do(ctx context.Context, t task, f func(context.Context) error) error {
	leave, err := s.turn(ctx, s.slots, t.operation) // not part of the call's own time, and not the server's fault
	if err != nil {
		return err
	}
	defer leave()
	ctx, cancel := context.WithTimeout(ctx, s.traits.LongestCall)
	defer cancel()
	f = s.guarded(t, f)
	if err = s.attempt(ctx, t, 1, f); t.again && s.health.pause(ctx, err) {
		err = s.attempt(ctx, t, 2, f)
	}
	return err
}

// guarded has a write go to the expected server only, and does not believe another one that something is not there.
func (s *Server) guarded(t task, f func(context.Context) error) func(context.Context) error {
	return func(ctx context.Context) error {
		if t.write {
			if err := s.guard.Check(ctx); err != nil {
				return err
			}
		}
		err := f(ctx)
		if !t.write && CodeOf(err) == NotFound {
			if other := s.guard.Check(ctx); other != nil {
				return other
			}
		}
		return err
	}
}

// attempt runs a call once, and tells of it: the Observer for metrics, and the context's logger at V(1), of a write at info
// as well. In a reconcile
// that logger carries controller-runtime's reconcileID, which ties the line to the object and its other calls. That is
// all the tracing there is: a household has no collector of traces, and who wants spans wraps Config.Transport.
func (s *Server) attempt(ctx context.Context, t task, n int, f func(context.Context) error) error {
	start := s.now()
	ctx, wrote := watched(ctx)
	err := classify(t.operation, f(ctx), t.secrets...)
	if e, ok := err.(*Error); ok && wrote.Load() {
		e.Unsent = false
	}
	now := s.now()
	s.health.note(err, now)
	duration := now.Sub(start)
	s.observe(Call{Operation: t.operation, Write: t.write, Code: CodeOf(err), Duration: duration})
	logr.FromContextOrDiscard(ctx).V(1).Info("media server call",
		"operation", t.operation, "write", t.write, "class", CodeOf(err), "duration", duration, "attempt", n)
	audit(ctx, t, err)
	return err
}

// Probe asks the server for its identity, version, abilities and Usher's own account.
func (s *Server) Probe(ctx context.Context) (probe Probe, err error) {
	begun := s.guard.mark()
	ctx = ToAnyServer(ctx)
	err = s.do(ctx, task{operation: "Probe"}, func(ctx context.Context) error {
		probe, err = s.driver.Probe(ctx)
		return err
	})
	if err == nil && probe.Identity == "" {
		err = &Error{Code: Unavailable, Op: "Probe", Message: "the server did not say who it is"}
	}
	if err == nil {
		s.probed = begun
		s.guard.learn(begun, probe.Identity)
	}
	return probe, err
}

// Expect says that the server of the last Probe, whose identity that is, is the right one: from now on nothing goes to
// any other. Who calls Probe calls Expect, and no two do so at once.
func (s *Server) Expect(identity string) { s.guard.expect(s.probed, identity) }

// identity reads it on the way to a call, within that call's slot and time.
func (s *Server) identity(ctx context.Context) (identity string, err error) {
	err = s.attempt(ctx, task{operation: "GetIdentity"}, 1, func(ctx context.Context) error {
		identity, err = s.driver.Identity(ctx)
		return err
	})
	return identity, err
}

// Refresh lists everything into the Inventory. A listing is not believed without Usher's own account, or when it names
// something twice.
func (s *Server) Refresh(ctx context.Context, self AccountID) error {
	ticket := s.inventory.begin(s.now())
	var listing Listing
	err := s.do(ctx, task{operation: "List"}, func(ctx context.Context) (err error) {
		listing, err = s.driver.List(ctx)
		return err
	})
	if err == nil {
		err = s.guard.Check(ctx)
	}
	if err != nil {
		return err
	}
	if why := unbelievable(listing, self); why != "" {
		return &Error{Code: Unavailable, Op: "List", Message: why + ", so the list is not believed"}
	}
	s.inventory.apply(ticket, listing)
	s.invites.forget() // a look at the server is one at its invites too
	return nil
}

// unbelievable says why a listing cannot be all that the server has; empty when it can.
func unbelievable(listing Listing, self AccountID) string {
	accounts := make(map[AccountID]bool, len(listing.Accounts))
	for _, account := range listing.Accounts {
		if account.ID == "" || accounts[account.ID] {
			return "the list of accounts names one twice, or one without an id"
		}
		accounts[account.ID] = true
	}
	libraries := make(map[LibraryID]bool, len(listing.Libraries))
	for _, library := range listing.Libraries {
		if library.ID == "" || libraries[library.ID] {
			return "the list of libraries names one twice, or one without an id"
		}
		libraries[library.ID] = true
	}
	if !accounts[self] {
		return "the list of accounts lacks the account that Usher uses"
	}
	return ""
}

// Bootstrap makes a brand-new server's first account from the credentials.
func (s *Server) Bootstrap(ctx context.Context) error {
	// A server without accounts is nobody's yet: there is none to expect.
	return s.write(ToAnyServer(ctx), "Bootstrap", "the server", func(ctx context.Context) error {
		if able, ok := s.driver.(Bootstrapper); ok {
			return able.Bootstrap(ctx)
		}
		return unsupported("make the first account")
	})
}

// SetRegistration sets who may register.
func (s *Server) SetRegistration(ctx context.Context, mode RegistrationMode) error {
	return s.write(ctx, "SetRegistration", "the server", func(ctx context.Context) error {
		if able, ok := s.driver.(Registrar); ok {
			return able.SetRegistration(ctx, mode)
		}
		return unsupported("set who may register")
	})
}

func unsupported(what string) error {
	return Errorf(Unsupported, "this type of media server cannot %s", what)
}

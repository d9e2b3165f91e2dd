package admission

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"sync"
	"time"

	"github.com/go-logr/logr"
	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/util/wait"
	"sigs.k8s.io/controller-runtime/pkg/client"
)

const (
	// DefaultInterval is how often the proof is renewed.
	DefaultInterval = time.Minute
	// againAfter is how soon it is tried again while there is none.
	againAfter = 5 * time.Second
	// proofTimeout bounds one proof.
	proofTimeout = 20 * time.Second
	// freshFor is how long a proof counts where something is about to be given by it.
	freshFor = 5 * time.Second
	// doubtsBeforeLost is how many tries in a row may fail to tell before an earlier proof counts for nothing.
	doubtsBeforeLost = 3
)

// Guard keeps the proof that the policies bind. Every replica has one, since each says by itself whether it is ready.
type Guard struct {
	// Client asks the API server.
	Client client.Client
	// Namespaces to prove them in.
	Namespaces []string
	// Everywhere: MediaServers are in any namespace.
	Everywhere bool
	// Interval between proofs; zero for the default.
	Interval time.Duration
	// Changed is told when there is a proof at last, or none any more; may be nil.
	Changed func()
	Logger  logr.Logger

	// asking lets one at a time ask for a fresh proof.
	asking sync.Mutex

	mu     sync.RWMutex
	bound  bool
	tried  time.Time
	doubts int
	why    error
}

// Bound says whether the policies were seen to bind. A nil Guard has seen nothing.
func (g *Guard) Bound() bool {
	if g == nil {
		return false
	}
	g.mu.RLock()
	defer g.mu.RUnlock()
	return g.bound
}

// BoundNow says the same of this moment: a proof that is older than a few seconds is renewed. Ask it before something is
// given that the policies guard.
func (g *Guard) BoundNow(ctx context.Context) bool {
	if !g.Bound() {
		return false
	}
	g.asking.Lock()
	defer g.asking.Unlock()
	if g.Bound() && g.age() > freshFor {
		g.Prove(ctx)
	}
	return g.Bound()
}

func (g *Guard) age() time.Duration {
	g.mu.RLock()
	defer g.mu.RUnlock()
	return time.Since(g.tried)
}

// Ready is a check for /readyz.
func (g *Guard) Ready(*http.Request) error {
	g.mu.RLock()
	defer g.mu.RUnlock()
	if g.bound {
		return nil
	}
	return fmt.Errorf("the admission policies are not known to bind: %v", g.why)
}

// Start renews the proof until the context ends.
func (g *Guard) Start(ctx context.Context) error {
	for {
		after := g.Interval
		if after == 0 {
			after = DefaultInterval
		}
		if !g.Bound() {
			after = min(after, againAfter)
		}
		select {
		case <-ctx.Done():
			return nil
		case <-time.After(wait.Jitter(after, 0.1)):
			g.Prove(ctx)
		}
	}
}

// NeedLeaderElection implements manager.LeaderElectionRunnable: a replica that stands by proves them, too.
func (g *Guard) NeedLeaderElection() bool { return false }

// Prove tries once.
func (g *Guard) Prove(ctx context.Context) {
	bounded, cancel := context.WithTimeout(ctx, proofTimeout)
	defer cancel()
	err := g.try(bounded)
	if ctx.Err() != nil {
		return
	}
	changed := g.note(err)
	switch {
	case changed && g.Bound():
		g.Logger.Info("the admission policies bind")
	case !g.Bound():
		g.Logger.Error(err, "the admission policies are not known to bind: nobody is made Owner or Admin, given access to all libraries or taken over. Apply config/crd, which holds them")
	case err != nil:
		g.Logger.Info("cannot tell whether the admission policies still bind", "why", err.Error())
	}
	if changed && g.Changed != nil {
		g.Changed()
	}
}

// note keeps what a try told, and says whether that changes anything.
func (g *Guard) note(err error) (changed bool) {
	g.mu.Lock()
	defer g.mu.Unlock()
	before := g.bound
	g.tried = time.Now()
	var unbound *Unbound
	switch {
	case err == nil:
		g.bound, g.doubts, g.why = true, 0, nil
	case errors.As(err, &unbound):
		g.bound, g.why = false, err
	default:
		g.doubts++
		g.why = err
		g.bound = g.bound && g.doubts < doubtsBeforeLost
	}
	return g.bound != before
}

func (g *Guard) try(ctx context.Context) error {
	proven := false
	for _, namespace := range g.Namespaces {
		err := Prove(ctx, g.Client, namespace)
		if closed(err) {
			continue
		}
		if err != nil {
			return err
		}
		proven = true
	}
	if !proven && !g.Bound() {
		return fmt.Errorf("there is none of the namespaces %v to try them in", g.Namespaces)
	}
	if g.Everywhere {
		if err := proveOfServers(ctx, g.Client, ""); err != nil && !closed(err) {
			return err
		}
	}
	return nil
}

// closed says whether nobody can write anything in a namespace: there is none, or it is being deleted.
func closed(err error) bool {
	return apierrors.IsNotFound(err) || apierrors.HasStatusCause(err, corev1.NamespaceTerminatingCause)
}

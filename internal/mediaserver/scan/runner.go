// Package scan keeps libraries in step with their directories, in the background.
package scan

import (
	"context"
	"errors"
	"log/slog"
	"sync"
	"sync/atomic"
	"time"

	"github.com/usher-media/usher/internal/mediaserver/auth"
	"github.com/usher-media/usher/internal/mediaserver/mediafile"
	"github.com/usher-media/usher/internal/mediaserver/store"
)

// atOnce is how many libraries are scanned at the same time; more would only make a disk seek.
const atOnce = 2

// progressEvery is how often a scan tells how many files it has seen, if there are more.
const progressEvery = time.Second

// ErrStopped says that the runner was closed.
var ErrStopped = errors.New("scanning has stopped")

// Runner scans libraries, each at most once at a time, also among servers that share a database: the one that scans holds
// a lease, which it renews while it works and loses when it falls silent. It is safe for use by many goroutines. Close it before its
// store.
type Runner struct {
	store  *store.Store
	roots  mediafile.Roots
	reader Reader
	log    *slog.Logger
	// id tells this runner from those of other servers.
	id string

	ctx     context.Context
	stop    context.CancelFunc
	slots   chan struct{}
	running sync.WaitGroup

	mu sync.Mutex
	// jobs holds the libraries being scanned, and whether a scan was asked for again meanwhile.
	jobs    map[string]bool
	waiters []chan struct{}
}

// Reader says what the file at rel within a library's directory says about itself. It fails only when ctx ends first, or
// when nothing can be read at all.
type Reader interface {
	Describe(ctx context.Context, dir, rel string) (mediafile.Facts, error)
}

// NewRunner returns a Runner that waits for work.
func NewRunner(s *store.Store, roots mediafile.Roots, reader Reader, log *slog.Logger) *Runner {
	ctx, stop := context.WithCancel(context.Background())
	return &Runner{
		store: s, roots: roots, reader: reader, log: log, id: auth.NewID(), ctx: ctx, stop: stop,
		slots: make(chan struct{}, atOnce), jobs: map[string]bool{},
	}
}

// Start begins a scan of the library and returns as soon as its state says so. While a scan of it runs, here or on
// another server, another one follows right after. Errors: store.ErrLibraryNotFound, ErrStopped.
func (r *Runner) Start(ctx context.Context, libraryID string) error {
	if first, err := r.enlist(libraryID); err != nil || !first {
		return err
	}
	library, err := r.store.BeginScan(ctx, libraryID, r.id)
	if err != nil {
		r.retire(libraryID)
		r.running.Done()
		if errors.Is(err, store.ErrScanElsewhere) {
			return nil
		}
		return err
	}
	go func() {
		defer r.running.Done()
		r.work(library)
	}()
	return nil
}

// enlist notes the wish and reports whether the caller is to fulfil it; then running counts it.
func (r *Runner) enlist(libraryID string) (first bool, err error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.ctx.Err() != nil {
		return false, ErrStopped
	}
	if _, busy := r.jobs[libraryID]; busy {
		r.jobs[libraryID] = true
		return false, nil
	}
	r.jobs[libraryID] = false
	r.running.Add(1)
	return true, nil
}

// retire ends the library's job and wakes who waits for the last one.
func (r *Runner) retire(libraryID string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	delete(r.jobs, libraryID)
	r.wake()
}

// again takes up a wish that came in meanwhile, or ends the job.
func (r *Runner) again(libraryID string, wanted bool) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	if (r.jobs[libraryID] || wanted) && r.ctx.Err() == nil {
		r.jobs[libraryID] = false
		return true
	}
	delete(r.jobs, libraryID)
	r.wake()
	return false
}

// wake runs with mu held.
func (r *Runner) wake() {
	if len(r.jobs) > 0 {
		return
	}
	for _, waiter := range r.waiters {
		close(waiter)
	}
	r.waiters = nil
}

func (r *Runner) work(library *store.Library) {
	for {
		wanted := r.once(library)
		if !r.again(library.ID, wanted) {
			return
		}
		next, err := r.store.BeginScan(r.ctx, library.ID, r.id)
		if err != nil {
			r.report(library.ID, err)
			r.retire(library.ID)
			return
		}
		library = next
	}
}

// once scans the library and reports whether another server was asked for a scan meanwhile.
func (r *Runner) once(library *store.Library) (wanted bool) {
	ctx, lost := context.WithCancel(r.ctx)
	defer lost()
	var beating sync.WaitGroup
	defer beating.Wait()
	done := make(chan struct{})
	defer close(done)
	seen := new(atomic.Int64)
	beating.Go(func() { r.renew(ctx, library.ID, seen, done, lost) })
	select {
	case r.slots <- struct{}{}:
	case <-ctx.Done():
		return false
	}
	defer func() { <-r.slots }()
	result, err := r.look(ctx, library, seen)
	if err == nil {
		wanted, err = r.store.FinishScan(ctx, library.ID, r.id, result)
	}
	r.report(library.ID, err)
	return wanted
}

// renew keeps the lease and tells of the progress until done is closed, and calls lost when the lease is another
// server's.
func (r *Runner) renew(ctx context.Context, libraryID string, seen *atomic.Int64, done <-chan struct{}, lost func()) {
	ticker := time.NewTicker(progressEvery)
	defer ticker.Stop()
	told, at := int64(0), time.Now()
	for {
		select {
		case <-done:
			return
		case <-ctx.Done():
			return
		case <-ticker.C:
		}
		now := seen.Load()
		if now == told && time.Since(at) < store.ScanHeartbeat {
			continue
		}
		told, at = now, time.Now()
		if err := r.store.RenewScan(ctx, libraryID, r.id, int(now)); errors.Is(err, store.ErrScanLost) {
			lost()
			return
		}
	}
}

// report logs what went wrong. A library that was deleted or taken over during its scan, and the end of the server, did
// not.
func (r *Runner) report(libraryID string, err error) {
	lost := errors.Is(err, store.ErrLibraryNotFound) || errors.Is(err, store.ErrScanLost) ||
		errors.Is(err, store.ErrScanElsewhere) || errors.Is(err, context.Canceled)
	if err == nil || lost || r.ctx.Err() != nil {
		return
	}
	r.log.Error("scan failed", "library", libraryID, "error", err)
}

// WaitIdle waits until no scan runs or is asked for. It fails only when ctx ends first.
func (r *Runner) WaitIdle(ctx context.Context) error {
	r.mu.Lock()
	if len(r.jobs) == 0 {
		r.mu.Unlock()
		return nil
	}
	waiter := make(chan struct{})
	r.waiters = append(r.waiters, waiter)
	r.mu.Unlock()
	select {
	case <-waiter:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// Close stops the scans under way and waits for them. What they had found so far is forgotten.
func (r *Runner) Close() {
	r.mu.Lock()
	r.stop()
	r.mu.Unlock()
	r.running.Wait()
}

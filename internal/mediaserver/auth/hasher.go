package auth

import (
	"context"
	"crypto/rand"
	"encoding/base64"
	"errors"
	"fmt"
	"runtime"
	"sync/atomic"

	"github.com/alexedwards/argon2id"
	"golang.org/x/sync/semaphore"
)

// normalParams are Dubby's (Dubby contract, section 3): Argon2id, 64 MiB, 3 passes, 4 lanes, 32 bytes.
var normalParams = argon2id.Params{Memory: 64 * 1024, Iterations: 3, Parallelism: 4, SaltLength: 16, KeyLength: 32}

// cheapParams cost next to nothing and protect nobody: for tests only.
var cheapParams = argon2id.Params{Memory: 8, Iterations: 1, Parallelism: 1, SaltLength: 16, KeyLength: 32}

// ErrBusy says that as many passwords are being hashed, and wait for it, as the server takes at once.
var ErrBusy = errors.New("too many passwords to hash at once")

// The bounds on hashing. A hash keeps as many processors busy as it has lanes, so that more at once take memory and gain
// nothing. Who waits behind maxWaiting others would have given up.
const (
	maxHashes  = 4
	maxWaiting = 16
	// cheapWaiting bounds nothing that tests do.
	cheapWaiting = 1 << 16
	// collectAbove is the memory of a hash, in KiB, from which on the garbage of one is collected before the next begins.
	collectAbove = 1024
)

// Hasher hashes and checks passwords with Argon2id. It is safe for use by many goroutines. The memory of all hashes at
// once is bounded, and so is the queue for it, so that a flood of sign-ins takes neither the memory nor the time.
type Hasher struct {
	params argon2id.Params
	dummy  string
	// memory is a semaphore over capacity KiB.
	memory   *semaphore.Weighted
	capacity int64
	// places are those in the queue and in the semaphore together.
	places chan struct{}
	count  counters
}

// counters are what a Hasher tells of itself.
type counters struct{ running, peak, refused atomic.Int64 }

// Stats says what a Hasher does and did.
type Stats struct {
	// Running are the hashes that are made now, and Peak the most at once so far.
	Running, Peak int64
	// Waiting are those in the queue, roughly.
	Waiting int64
	// Refused counts those that found the queue full.
	Refused int64
}

// NewHasher returns a Hasher with full strength, or one for tests whose hashes cost next to nothing.
func NewHasher(cheap bool) *Hasher {
	params, waiting := normalParams, maxWaiting
	if cheap {
		params, waiting = cheapParams, cheapWaiting
	}
	atOnce := min(max(runtime.GOMAXPROCS(0)/int(params.Parallelism), 1), maxHashes)
	capacity := int64(atOnce) * int64(params.Memory)
	return &Hasher{
		params: params, dummy: dummyHash(params), memory: semaphore.NewWeighted(capacity), capacity: capacity,
		places: make(chan struct{}, atOnce+waiting),
	}
}

// Stats returns what the Hasher does now and has done.
func (h *Hasher) Stats() Stats {
	running := h.count.running.Load()
	return Stats{
		Running: running, Peak: h.count.peak.Load(), Waiting: max(int64(len(h.places))-running, 0), Refused: h.count.refused.Load(),
	}
}

// dummyHash is a hash that no known password has, made without hashing.
func dummyHash(p argon2id.Params) string {
	random := make([]byte, p.SaltLength+p.KeyLength)
	_, _ = rand.Read(random)
	enc := base64.RawStdEncoding
	return fmt.Sprintf("$argon2id$v=19$m=%d,t=%d,p=%d$%s$%s", p.Memory, p.Iterations, p.Parallelism,
		enc.EncodeToString(random[:p.SaltLength]), enc.EncodeToString(random[p.SaltLength:]))
}

// Occupy takes all there is, so that every hash is refused until release is called: for tests of what is said then.
func (h *Hasher) Occupy() (release func()) {
	for range cap(h.places) {
		h.places <- struct{}{}
	}
	return func() {
		for range cap(h.places) {
			<-h.places
		}
	}
}

// Hash returns the password's salted hash in the usual "$argon2id$" form. Errors: ErrBusy, or that of ctx.
func (h *Hasher) Hash(ctx context.Context, password string) (hash string, err error) {
	err = h.within(ctx, h.params.Memory, func() (err error) {
		hash, err = argon2id.CreateHash(password, &h.params)
		return err
	})
	return hash, err
}

// Matches reports whether the password has that hash. An empty hash stands for an account that does not exist: it
// matches nothing and takes as long as any other, so that timing does not tell which accounts there are. Errors: ErrBusy,
// that of ctx, or that the hash is malformed.
func (h *Hasher) Matches(ctx context.Context, password, hash string) (match bool, err error) {
	exists := hash != ""
	if !exists {
		hash = h.dummy
	}
	params, _, _, err := argon2id.DecodeHash(hash)
	if err != nil {
		return false, err
	}
	err = h.within(ctx, params.Memory, func() (err error) {
		match, err = argon2id.ComparePasswordAndHash(password, hash)
		return err
	})
	return match && exists, err
}

// within runs work, which takes that much memory in KiB, when there is room for it. A hash that takes more than all there is
// runs alone.
func (h *Hasher) within(ctx context.Context, memory uint32, work func() error) error {
	select {
	case h.places <- struct{}{}:
		defer func() { <-h.places }()
	default:
		h.count.refused.Add(1)
		return ErrBusy
	}
	weight := min(int64(memory), h.capacity)
	if err := h.memory.Acquire(ctx, weight); err != nil {
		return err
	}
	defer h.memory.Release(weight)
	h.begin()
	defer h.count.running.Add(-1)
	if memory > collectAbove {
		// Else the collector lets as much garbage pile up as there is memory in use.
		defer runtime.GC()
	}
	return work()
}

func (h *Hasher) begin() {
	running := h.count.running.Add(1)
	for peak := h.count.peak.Load(); running > peak && !h.count.peak.CompareAndSwap(peak, running); {
		peak = h.count.peak.Load()
	}
}

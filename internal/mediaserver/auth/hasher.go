package auth

import (
	"context"
	"crypto/rand"
	"encoding/base64"
	"fmt"
	"runtime"

	"github.com/alexedwards/argon2id"
)

// normalParams are Dubby's (Dubby contract, section 3): Argon2id, 64 MiB, 3 passes, 4 lanes, 32 bytes.
var normalParams = argon2id.Params{Memory: 64 * 1024, Iterations: 3, Parallelism: 4, SaltLength: 16, KeyLength: 32}

// cheapParams cost next to nothing and protect nobody: for tests only.
var cheapParams = argon2id.Params{Memory: 8, Iterations: 1, Parallelism: 1, SaltLength: 16, KeyLength: 32}

// Hasher hashes and checks passwords with Argon2id. It is safe for use by many goroutines, and runs no more hashes at
// once than there are processors, so that a flood of sign-ins does not eat the memory.
type Hasher struct {
	params argon2id.Params
	dummy  string
	slots  chan struct{}
}

// NewHasher returns a Hasher with full strength, or one for tests whose hashes cost next to nothing.
func NewHasher(cheap bool) *Hasher {
	params := normalParams
	if cheap {
		params = cheapParams
	}
	return &Hasher{params: params, dummy: dummyHash(params), slots: make(chan struct{}, runtime.GOMAXPROCS(0))}
}

// dummyHash is a hash that no known password has, made without hashing.
func dummyHash(p argon2id.Params) string {
	random := make([]byte, p.SaltLength+p.KeyLength)
	_, _ = rand.Read(random)
	enc := base64.RawStdEncoding
	return fmt.Sprintf("$argon2id$v=19$m=%d,t=%d,p=%d$%s$%s", p.Memory, p.Iterations, p.Parallelism,
		enc.EncodeToString(random[:p.SaltLength]), enc.EncodeToString(random[p.SaltLength:]))
}

// Hash returns the password's salted hash in the usual "$argon2id$" form. It fails only when ctx ends first.
func (h *Hasher) Hash(ctx context.Context, password string) (string, error) {
	if err := h.acquire(ctx); err != nil {
		return "", err
	}
	defer h.release()
	return argon2id.CreateHash(password, &h.params)
}

// Matches reports whether the password has that hash. An empty hash stands for an account that does not exist: it
// matches nothing and takes as long as any other, so that timing does not tell which accounts there are. It fails when
// ctx ends first or the hash is malformed.
func (h *Hasher) Matches(ctx context.Context, password, hash string) (bool, error) {
	if err := h.acquire(ctx); err != nil {
		return false, err
	}
	defer h.release()
	exists := hash != ""
	if !exists {
		hash = h.dummy
	}
	match, err := argon2id.ComparePasswordAndHash(password, hash)
	return match && exists, err
}

func (h *Hasher) acquire(ctx context.Context) error {
	select {
	case h.slots <- struct{}{}:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

func (h *Hasher) release() { <-h.slots }

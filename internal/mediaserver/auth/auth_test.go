package auth_test

import (
	"context"
	"errors"
	"runtime"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/usher-media/usher/internal/mediaserver/auth"
)

func TestIDsHaveTheirShapeAndDiffer(t *testing.T) {
	seen := map[string]bool{}
	for range 2000 {
		id := auth.NewID()
		if !auth.IsID(id) || seen[id] {
			t.Fatalf("id %q", id)
		}
		seen[id] = true
	}
	for _, bad := range []string{"", "short", strings.Repeat("a", 22), strings.Repeat("a", 20) + "\x00", strings.Repeat("a", 20) + "%"} {
		if auth.IsID(bad) {
			t.Errorf("%q is an id", bad)
		}
	}
}

func TestTokensAreLongAndStoredHashed(t *testing.T) {
	token := auth.NewToken()
	if len(token) < 43 || token == auth.NewToken() || strings.Contains(auth.TokenHash(token), token) {
		t.Errorf("token %q", token)
	}
	if first := auth.TokenHash(token); first != auth.TokenHash(token) {
		t.Error("the hash of a token is not stable")
	}
	// 160 bits, in a link; the hash is what `printf %s CODE | sha256sum` prints.
	if code := auth.NewCode(); len(code) != 27 || code == auth.NewCode() || strings.Contains(auth.CodeHash(code), code) {
		t.Errorf("code %q", code)
	}
	if got := auth.CodeHash("abc"); got != "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad" {
		t.Errorf("the hash of abc is %s", got)
	}
}

func TestPasswords(t *testing.T) {
	for _, cheap := range []bool{true, false} {
		h := auth.NewHasher(cheap)
		hash, err := h.Hash(t.Context(), "correct horse")
		if err != nil || !strings.HasPrefix(hash, "$argon2id$") || strings.Contains(hash, "horse") {
			t.Fatalf("hash %q, %v", hash, err)
		}
		for password, want := range map[string]bool{"correct horse": true, "Correct horse": false, "": false} {
			if got, err := h.Matches(t.Context(), password, hash); err != nil || got != want {
				t.Errorf("Matches(%q) = %v, %v", password, got, err)
			}
		}
		// An unknown account is checked like any other, and never matches.
		if got, err := h.Matches(t.Context(), "correct horse", ""); err != nil || got {
			t.Errorf("a missing account matches: %v, %v", got, err)
		}
	}
}

func TestWaitingForAHashEndsWithTheContext(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	h := auth.NewHasher(true)
	// Either a slot is free or the context ends; both may be ready, so ask until the second is seen.
	for range 1000 {
		if _, err := h.Hash(ctx, "whatever it is"); errors.Is(err, context.Canceled) {
			return
		}
	}
	t.Error("the context is never looked at")
}

// However many hashes are wanted at once, so many are made at once as there is memory for; the queue has an end, and who finds
// it full is told at once.
func TestHashesAtOnceAreBounded(t *testing.T) {
	h := auth.NewHasher(false)
	most := max(runtime.GOMAXPROCS(0)/4, 1)
	var made, refused atomic.Int64
	var all sync.WaitGroup
	for range 200 {
		all.Go(func() {
			switch _, err := h.Hash(t.Context(), "correct horse"); {
			case err == nil:
				made.Add(1)
			case errors.Is(err, auth.ErrBusy):
				refused.Add(1)
			default:
				t.Error(err)
			}
		})
	}
	all.Wait()
	stats := h.Stats()
	if stats.Peak < 1 || stats.Peak > int64(most) || stats.Running != 0 || stats.Waiting != 0 {
		t.Errorf("%+v, want at most %d at once", stats, most)
	}
	if refused.Load() == 0 || refused.Load() != stats.Refused || made.Load()+refused.Load() != 200 {
		t.Errorf("%d made, %d refused: %+v", made.Load(), refused.Load(), stats)
	}
}

// A hash from elsewhere, which takes more memory than there is for all, is checked, alone.
func TestAHashThatTakesMoreThanThereIs(t *testing.T) {
	h := auth.NewHasher(true)
	hash, err := auth.NewHasher(false).Hash(t.Context(), "correct horse")
	if err != nil {
		t.Fatal(err)
	}
	if match, err := h.Matches(t.Context(), "correct horse", hash); err != nil || !match {
		t.Errorf("%v, %v", match, err)
	}
}

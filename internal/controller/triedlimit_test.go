package controller

import (
	"testing"
	"time"

	testingclock "k8s.io/utils/clock/testing"

	"github.com/usher-media/usher/api/v1alpha1"
	"github.com/usher-media/usher/internal/media"
	"github.com/usher-media/usher/internal/media/memory"
)

// TestALimitOfSignInsLeavesTheConnectionUp: the User waits alone, at least as long as the server asks for.
func TestALimitOfSignInsLeavesTheConnectionUp(t *testing.T) {
	t.Parallel()
	store := memory.NewStore(memory.Options{})
	server, err := media.OpenServer(store.Open, store.Config(), time.Now, nil)
	if err != nil {
		t.Fatal(err)
	}
	kit := &Kit{Connections: media.NewConnections(), Clock: testingclock.NewFakePassiveClock(time.Now()), Events: NewExternalEvents()}
	s := site{key: "media/home", connection: media.Connection{Server: server, Up: true}}
	kit.Connections.Put(s.key, s.connection)
	store.Fail(memory.Authenticate, 1, &media.Error{Code: media.RateLimited, Message: "too many sign-ins", RetryAfter: time.Minute})
	r := &userReconciler{Kit: kit, restores: newRestores()}
	said, o := r.tryPassword(t.Context(), &userPass{site: s}, media.Account{ID: "ann", Username: "ann"}, "a password of ann")
	if said != unknown || o == nil || o.reason != v1alpha1.ReasonRateLimited || o.after != time.Minute {
		t.Errorf("the try said %v, and %+v", said, o)
	}
	if !kit.Connections.Get(s.key).Up {
		t.Error("the connection is down, and nobody can be shut out")
	}
}

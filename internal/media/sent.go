package media

import (
	"context"
	"errors"
	"sync/atomic"
)

// writeSent is the key of what a call has sent so far.
type writeSent struct{}

// watched returns a context in which NoteWrite is heard, and what tells whether it was.
func watched(ctx context.Context) (context.Context, *atomic.Bool) {
	sent := &atomic.Bool{}
	return context.WithValue(ctx, writeSent{}, sent), sent
}

// NoteWrite is for whoever sends requests for a driver: something was sent, in whole or in part, that may change the
// server. A later request of the same call that was not sent then proves nothing.
func NoteWrite(ctx context.Context) {
	if sent, ok := ctx.Value(writeSent{}).(*atomic.Bool); ok {
		sent.Store(true)
	}
}

// NothingSent says whether an error proves that its call changed nothing, since nothing that may change the server was
// sent: no connection was made, for one.
func NothingSent(err error) bool {
	e, ok := errors.AsType[*Error](err)
	return ok && e.Code == Unavailable && e.Unsent
}

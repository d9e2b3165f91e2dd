package httpapi

import (
	"context"
	"errors"
	"math"
	"net/http"
	"net/netip"
	"strconv"

	"github.com/usher-media/usher/internal/mediaserver/store"
)

// Limits bounds how often passwords can be tried, per minute; as many may come at once. 0 means no limit.
type Limits struct {
	// PerClient counts sign-ins and registrations from one network address, and apart from them, as many again, looks
	// at invites.
	PerClient int
	// PerAccount counts sign-ins to one account, whether or not it exists, from one network; ten times as many from all those
	// together that nobody signed in to it from before.
	PerAccount int
}

// fromEverywhere is how many times more tries at an account all strange networks have together.
const fromEverywhere = 10

// limiter keeps a bucket for each client and each account, in the database.
type limiter struct {
	limits Limits
	store  *store.Store
}

// allow takes one try from the client's bucket. The error is a *Problem that says when to come back.
func (l *limiter) allow(ctx context.Context) error {
	return l.take(ctx, "client "+network(clientOf(ctx)), l.limits.PerClient)
}

// allowAccount takes one try at the account from the client's network and, unless somebody signed in to it from there before, one
// from all networks together: what strangers try elsewhere keeps nobody out of their own account.
func (l *limiter) allowAccount(ctx context.Context, account string) error {
	near := network(clientOf(ctx))
	if err := l.take(ctx, "account "+account+" from "+near, l.limits.PerAccount); err != nil {
		return manyTries(err)
	}
	known, err := l.store.KnowsNetwork(ctx, account, near)
	if err != nil || known {
		return err
	}
	return manyTries(l.take(ctx, "account "+account, l.limits.PerAccount*fromEverywhere))
}

// allowSession takes one try by somebody who is signed in, which nobody else's tries count against.
func (l *limiter) allowSession(ctx context.Context, session string) error {
	if err := l.allow(ctx); err != nil {
		return err
	}
	return l.take(ctx, "session "+session, l.limits.PerAccount)
}

// manyTries says of a refusal what an innocent person can do.
func manyTries(err error) error {
	var problem *Problem
	if errors.As(err, &problem) {
		return &Problem{status: problem.status, headers: problem.headers, Text: textManyTries}
	}
	return err
}

// allowLook takes one look at an invite from the client's bucket for that, so that opening links keeps nobody from
// signing in.
func (l *limiter) allowLook(ctx context.Context) error {
	return l.take(ctx, "look "+network(clientOf(ctx)), l.limits.PerClient)
}

func (l *limiter) take(ctx context.Context, key string, perMinute int) error {
	if perMinute <= 0 {
		return nil
	}
	wait, err := l.store.Take(ctx, key, perMinute)
	if err != nil || wait == 0 {
		return err
	}
	seconds := strconv.Itoa(int(math.Ceil(wait.Seconds())))
	return &Problem{status: http.StatusTooManyRequests, Text: "Too many requests",
		headers: http.Header{"Retry-After": {seconds}}}
}

// ipv6Household is how much of an IPv6 address names one household, which has all the addresses below it.
const ipv6Household = 64

// network returns what of an address counts as one client.
func network(client string) string {
	address, err := netip.ParseAddr(client)
	if err != nil || address.Is4() || address.Is4In6() {
		return client
	}
	prefix, err := address.WithZone("").Prefix(ipv6Household)
	if err != nil {
		return client
	}
	return prefix.String()
}

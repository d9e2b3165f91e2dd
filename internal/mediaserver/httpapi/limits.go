package httpapi

import (
	"context"
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
	// PerAccount counts sign-ins to one account, from anywhere, whether or not it exists.
	PerAccount int
}

// limiter keeps a bucket for each client and each account, in the database.
type limiter struct {
	limits Limits
	store  *store.Store
}

// allow takes one try from the client's bucket and, unless account is empty, from the account's. The error is a
// *Problem that says when to come back.
func (l *limiter) allow(ctx context.Context, account string) error {
	if err := l.take(ctx, "client "+network(clientOf(ctx)), l.limits.PerClient); err != nil || account == "" {
		return err
	}
	return l.take(ctx, "account "+account, l.limits.PerAccount)
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

package httpapi

import (
	"math"
	"net/http"
	"strconv"
	"sync"
	"time"

	"golang.org/x/time/rate"
)

// maxBuckets bounds the memory that the limits take. When it is reached, buckets that are full again are forgotten,
// which changes nothing for their clients.
const maxBuckets = 10_000

// Limits bounds how often passwords can be tried, per minute; as many may come at once. 0 means no limit.
type Limits struct {
	// PerClient counts sign-ins and registrations from one network address, and apart from them, as many again, looks
	// at invites.
	PerClient int
	// PerAccount counts sign-ins to one account, from anywhere, whether or not it exists.
	PerAccount int
}

// limiter keeps a bucket for each client and each account.
type limiter struct {
	limits Limits
	now    func() time.Time

	mu      sync.Mutex
	buckets map[string]*rate.Limiter
}

func newLimiter(limits Limits, now func() time.Time) *limiter {
	return &limiter{limits: limits, now: now, buckets: map[string]*rate.Limiter{}}
}

// allow takes one try from the client's bucket and, unless account is empty, from the account's. The error is a
// *Problem that says when to come back.
func (l *limiter) allow(client, account string) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	if err := l.take("client "+client, l.limits.PerClient); err != nil || account == "" {
		return err
	}
	return l.take("account "+account, l.limits.PerAccount)
}

// allowLook takes one look at an invite from the client's bucket for that, so that opening links keeps nobody from
// signing in.
func (l *limiter) allowLook(client string) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.take("look "+client, l.limits.PerClient)
}

func (l *limiter) take(key string, perMinute int) error {
	if perMinute <= 0 {
		return nil
	}
	now := l.now()
	bucket := l.bucket(key, perMinute, now)
	reservation := bucket.ReserveN(now, 1)
	wait := reservation.DelayFrom(now)
	if wait == 0 {
		return nil
	}
	reservation.CancelAt(now)
	seconds := strconv.Itoa(int(math.Ceil(wait.Seconds())))
	return &Problem{status: http.StatusTooManyRequests, Text: "Too many requests",
		headers: http.Header{"Retry-After": {seconds}}}
}

func (l *limiter) bucket(key string, perMinute int, now time.Time) *rate.Limiter {
	if bucket, known := l.buckets[key]; known {
		return bucket
	}
	if len(l.buckets) >= maxBuckets {
		l.forget(now)
	}
	bucket := rate.NewLimiter(rate.Limit(float64(perMinute)/60), perMinute)
	l.buckets[key] = bucket
	return bucket
}

// forget drops the buckets that are full; if a flood left none of them, all go, since a bound that gives way is none.
func (l *limiter) forget(now time.Time) {
	for key, bucket := range l.buckets {
		if bucket.TokensAt(now) >= float64(bucket.Burst()) {
			delete(l.buckets, key)
		}
	}
	if len(l.buckets) >= maxBuckets {
		clear(l.buckets)
	}
}

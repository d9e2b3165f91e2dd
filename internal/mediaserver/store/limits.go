package store

import (
	"context"
	"crypto/sha256"
	"encoding/base64"
	"time"
)

// forgetAfter is how often, at most, full buckets are swept out: once in so many tries.
const forgetAfter = 64

// Take takes one try from the bucket of that key, which holds perMinute tries and fills again within a minute. It
// returns how long to wait when there is none; 0 means that the try was taken. All servers of one database share the
// buckets, and a restart does not fill them. Of the key only a hash is stored.
func (s *Store) Take(ctx context.Context, key string, perMinute int) (time.Duration, error) {
	now, each := s.now().UnixMicro(), time.Minute.Microseconds()/int64(perMinute)
	latest := now + each*int64(perMinute) - each
	sum := sha256.Sum256([]byte(key))
	hash := base64.RawURLEncoding.EncodeToString(sum[:])
	if sum[0]%forgetAfter == byte(now%forgetAfter) {
		if _, err := s.write.NewDelete().Table("rate_limits").Where("full_at < ?", now).Exec(ctx); err != nil {
			return 0, err
		}
	}
	// One statement decides, so that tries that race on several servers do not pass together.
	taken, err := affected(s.write.NewRaw(`INSERT INTO rate_limits AS r (key_hash, full_at) VALUES (?, ?)
		ON CONFLICT (key_hash) DO UPDATE SET full_at = (CASE WHEN r.full_at > ? THEN r.full_at ELSE ? END) + ?
		WHERE r.full_at <= ?`, hash, now+each, now, now, each, latest).Exec(ctx))
	if err != nil || taken {
		return 0, err
	}
	var fullAt int64
	err = s.read.NewSelect().Table("rate_limits").Column("full_at").Where("key_hash = ?", hash).Scan(ctx, &fullAt)
	if err != nil {
		return time.Second, notFound(err, nil)
	}
	return time.Duration(max(fullAt-latest, 1)) * time.Microsecond, nil
}

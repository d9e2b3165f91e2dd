package store

import (
	"context"
	"time"

	"github.com/uptrace/bun"
)

// networkLife is how long after a sign-in its network is known.
const networkLife = 90 * 24 * time.Hour

// knownNetwork is a network that somebody has signed in from.
type knownNetwork struct {
	bun.BaseModel `bun:"table:known_networks"`

	AccountID string  `bun:"account_id,pk"`
	Network   string  `bun:"network,pk"`
	SeenAt    Instant `bun:"seen_at"`
}

// KnowsNetwork reports whether the account was signed in to from the network within the last 90 days.
func (s *Store) KnowsNetwork(ctx context.Context, accountID, network string) (bool, error) {
	return s.read.NewSelect().Table("known_networks").Where("account_id = ?", lookup(accountID)).Where("network = ?", network).
		Where("seen_at > ?", At(s.now().Add(-networkLife))).Exists(ctx)
}

// noteNetwork keeps where a sign-in came from, and forgets for that account what is long ago.
func (s *Store) noteNetwork(ctx context.Context, tx bun.Tx, accountID, network string) error {
	_, err := tx.NewDelete().Table("known_networks").Where("account_id = ?", accountID).
		Where("seen_at <= ?", At(s.now().Add(-networkLife))).Exec(ctx)
	if err != nil || network == "" {
		return err
	}
	_, err = tx.NewInsert().Model(&knownNetwork{AccountID: accountID, Network: network, SeenAt: At(s.now())}).
		On("CONFLICT (account_id, network) DO UPDATE").Set("seen_at = EXCLUDED.seen_at").Exec(ctx)
	return err
}

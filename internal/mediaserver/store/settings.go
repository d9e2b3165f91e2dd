package store

import (
	"context"
	"fmt"

	"github.com/uptrace/bun"

	"github.com/usher-media/usher/internal/mediaserver/auth"
	"github.com/usher-media/usher/internal/mediaserver/rules"
)

// DefaultServerName is the name of a server that nobody has named yet.
const DefaultServerName = "Media server"

// Settings is what the server knows about itself.
type Settings struct {
	bun.BaseModel `bun:"table:server"`

	Singleton int `bun:"singleton,pk"`
	// ID is made with the database and never changes: it tells this server from any other.
	ID           string             `bun:"id"`
	Name         string             `bun:"name"`
	Registration rules.Registration `bun:"registration"`
	CreatedAt    Instant            `bun:"created_at"`
}

func (s *Store) ensureSettings(ctx context.Context, tx bun.Tx) error {
	_, err := tx.NewInsert().Model(&Settings{
		Singleton: 1, ID: auth.NewID(), Name: DefaultServerName, Registration: rules.RegistrationInviteOnly,
		CreatedAt: At(s.now()),
	}).On("CONFLICT (singleton) DO NOTHING").Exec(ctx)
	if err != nil {
		return fmt.Errorf("name the server: %w", err)
	}
	return nil
}

// Settings returns the server's settings, and whether it still waits for its first account.
func (s *Store) Settings(ctx context.Context) (settings Settings, setupRequired bool, err error) {
	return readSettings(ctx, s.read)
}

func readSettings(ctx context.Context, db bun.IDB) (settings Settings, first bool, err error) {
	if err := db.NewSelect().Model(&settings).Where("singleton = 1").Scan(ctx); err != nil {
		return Settings{}, false, err
	}
	anybody, err := db.NewSelect().Table("accounts").Exists(ctx)
	return settings, !anybody, err
}

func (s *Settings) facts() map[string]any {
	return map[string]any{"name": s.Name, "registration": string(s.Registration)}
}

// UpdateSettings lets change edit the settings, in one transaction, and returns what is stored then.
func (s *Store) UpdateSettings(ctx context.Context, change func(*Settings)) (settings Settings, err error) {
	err = s.tx(ctx, func(ctx context.Context, tx bun.Tx) error {
		if settings, _, err = readSettings(ctx, tx); err != nil {
			return err
		}
		before := settings.facts()
		change(&settings)
		_, err = tx.NewUpdate().Model(&settings).Column("name", "registration").WherePK().Exec(ctx)
		if err != nil {
			return err
		}
		return s.recordChange(ctx, tx, "server.update", settings.target(), before, settings.facts())
	})
	return settings, err
}

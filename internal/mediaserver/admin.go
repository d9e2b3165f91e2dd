package mediaserver

import (
	"context"
	"errors"
	"os"

	"github.com/usher-media/usher/internal/mediaserver/store"
)

// Backup writes a consistent copy of the configured SQLite database into a new file, while a server may be running. With
// PostgreSQL it says what to use instead. Media, and the files in personal libraries, are not in it.
func Backup(ctx context.Context, config Config, file string) error {
	return store.Backup(ctx, config.Location(), file)
}

// CopyTo copies the configured SQLite database into an empty PostgreSQL database. No server may run on either meanwhile.
func CopyTo(ctx context.Context, config Config, target string) (err error) {
	config = config.withDefaults()
	if !store.IsURL(target) || store.IsURL(config.Location()) {
		return errors.New("copy-to moves from a SQLite file to a postgres:// URL, and nothing else")
	}
	// Opening would make a database where there is none.
	if _, err := os.Stat(config.Location()); err != nil {
		return err
	}
	personal, err := config.personalRoot()
	if err != nil {
		return err
	}
	from, err := store.Open(ctx, store.Config{Location: config.Location(), PersonalRoot: personal, Clock: config.Clock})
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, from.Close()) }()
	to, err := store.Open(ctx, store.Config{Location: target, PersonalRoot: personal, Clock: config.Clock})
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, to.Close()) }()
	return store.Copy(ctx, from, to)
}

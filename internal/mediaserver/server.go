// Package mediaserver is the embedded media server: libraries over real directories, accounts, and who sees what. It
// runs as a program of its own (cmd/mediaserver) and inside tests, where many may live in one process and share
// nothing.
package mediaserver

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"os"
	"path/filepath"
	"time"

	"github.com/usher-media/usher/internal/mediaserver/auth"
	"github.com/usher-media/usher/internal/mediaserver/httpapi"
	"github.com/usher-media/usher/internal/mediaserver/media"
	"github.com/usher-media/usher/internal/mediaserver/scan"
	"github.com/usher-media/usher/internal/mediaserver/store"
)

// databaseName is the database's file within the data directory.
const databaseName = "mediaserver.db"

// Config says how a server runs. One of DataDir and DatabasePath is required; every other zero value is usable.
type Config struct {
	// DataDir is the directory for the server's own files. It is made, for this user alone, when it is missing.
	DataDir string
	// DatabasePath is the SQLite file, if it is to be another than mediaserver.db in DataDir. Its directory must exist.
	DatabasePath string
	// MediaRoots are the folders, as absolute paths, below which libraries may lie. With none, no library can be made.
	MediaRoots []string
	// CheapPasswordHashing makes passwords cost next to nothing to check, and to guess: for tests only.
	CheapPasswordHashing bool
	// SignInsPerClient is how many sign-ins and registrations one network address may try a minute, and, counted apart,
	// how many invites it may look at; SignInsPerAccount is how many sign-ins one account may see. 0 means no limit.
	SignInsPerClient, SignInsPerAccount int
	// Version is told to everybody who asks. Empty: "dev".
	Version string
	// Clock tells the time. Nil: time.Now.
	Clock func() time.Time
	// Logger gets what happens, without passwords, tokens, invite codes or hashes. Nil: nobody does.
	Logger *slog.Logger
}

func (c Config) withDefaults() Config {
	if c.Clock == nil {
		c.Clock = time.Now
	}
	if c.Logger == nil {
		c.Logger = slog.New(slog.DiscardHandler)
	}
	if c.Version == "" {
		c.Version = "dev"
	}
	return c
}

// database returns the path of the database, in a directory that exists.
func (c Config) database() (string, error) {
	switch {
	case c.DatabasePath != "":
		return c.DatabasePath, nil
	case c.DataDir == "":
		return "", errors.New("neither a data directory nor a database path is given")
	}
	if err := os.MkdirAll(c.DataDir, 0o700); err != nil {
		return "", fmt.Errorf("make data directory: %w", err)
	}
	return filepath.Join(c.DataDir, databaseName), nil
}

// Server is a running media server. It listens nowhere by itself: serve its Handler.
type Server struct {
	store   *store.Store
	scans   *scan.Runner
	handler http.Handler
}

// New opens or makes the database, brings it up to date, and returns a server that is ready to serve. The context
// bounds the start only. Close the server.
func New(ctx context.Context, config Config) (*Server, error) {
	config = config.withDefaults()
	roots, err := media.NewRoots(config.MediaRoots)
	if err != nil {
		return nil, err
	}
	path, err := config.database()
	if err != nil {
		return nil, err
	}
	database, err := store.Open(ctx, path, config.Clock)
	if err != nil {
		return nil, err
	}
	if config.CheapPasswordHashing {
		config.Logger.Warn("passwords are hashed cheaply: whoever reads the database can guess them; for tests only")
	}
	scans := scan.NewRunner(database, roots, config.Logger)
	return &Server{store: database, scans: scans, handler: httpapi.New(httpapi.Config{
		Store: database, Hasher: auth.NewHasher(config.CheapPasswordHashing), Scans: scans, Roots: roots,
		Logger: config.Logger, Clock: config.Clock, Version: config.Version,
		Limits: httpapi.Limits{PerClient: config.SignInsPerClient, PerAccount: config.SignInsPerAccount},
	})}, nil
}

// Handler serves the server's whole HTTP interface. It answers with errors once the server is closed.
func (s *Server) Handler() http.Handler { return s.handler }

// WaitForScans waits until no library is being scanned. It fails only when ctx ends first.
func (s *Server) WaitForScans(ctx context.Context) error { return s.scans.WaitIdle(ctx) }

// Close stops scanning and closes the database. Stop serving first.
func (s *Server) Close() error {
	s.scans.Close()
	return s.store.Close()
}

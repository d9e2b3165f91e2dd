// Package mediaserver is the embedded media server: libraries over real directories, accounts, and who sees what. It
// runs as a program of its own (cmd/mediaserver) and inside tests, where many may live in one process and share
// nothing.
package mediaserver

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/netip"
	"os"
	"path/filepath"
	"time"

	"github.com/usher-media/usher/internal/mediaserver/auth"
	"github.com/usher-media/usher/internal/mediaserver/httpapi"
	"github.com/usher-media/usher/internal/mediaserver/mediafile"
	"github.com/usher-media/usher/internal/mediaserver/reader"
	"github.com/usher-media/usher/internal/mediaserver/scan"
	"github.com/usher-media/usher/internal/mediaserver/store"
)

// databaseName is the database's file within the data directory.
const databaseName = "mediaserver.db"

// bodyTimeout is how long the body of a request may take. Every one is small: nothing is uploaded to this server.
const bodyTimeout = 10 * time.Second

// Config says how a server runs. One of DataDir and Database is required; every other zero value is usable.
type Config struct {
	// DataDir is the directory for the server's own files. It is made, for this user alone, when it is missing.
	DataDir string
	// Database is a SQLite file, if it is to be another than mediaserver.db in DataDir, whose directory must exist; or a
	// postgres:// URL, which several servers may share.
	Database string
	// PersonalRoot is the folder of the personal libraries. Empty: "personal" in DataDir; without that, they hold nothing.
	PersonalRoot string
	// MediaRoots are the folders, as absolute paths, below which libraries may lie. With none, no library can be made.
	MediaRoots []string
	// MetadataReader is the command that reads metadata of media files in a process of its own, and calls ReadMetadata. Empty:
	// files are read within this process, where a hostile one can take all memory and time.
	MetadataReader []string
	// CheapPasswordHashing makes passwords cost next to nothing to check, and to guess: for tests only.
	CheapPasswordHashing bool
	// Hasher hashes the passwords. Nil: one of this server's own, as CheapPasswordHashing says.
	Hasher *auth.Hasher
	// SignInsPerClient is how many sign-ins and registrations one network address may try a minute, and, counted apart,
	// how many invites it may look at; SignInsPerAccount is how many sign-ins one account may see. 0 means no limit.
	SignInsPerClient, SignInsPerAccount int
	// TrustedProxies are the networks of proxies in front, whose X-Forwarded-For says who the client is.
	TrustedProxies []netip.Prefix
	// BodyTimeout is how long the body of one request may take to arrive. 0: 10 seconds.
	BodyTimeout time.Duration
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
	if c.BodyTimeout == 0 {
		c.BodyTimeout = bodyTimeout
	}
	if c.Hasher == nil {
		c.Hasher = auth.NewHasher(c.CheapPasswordHashing)
	}
	if c.Version == "" {
		c.Version = "dev"
	}
	return c
}

// database returns the location of the database, in a directory that exists.
func (c Config) database() (string, error) {
	switch {
	case c.Database == "" && c.DataDir == "":
		return "", errors.New("neither a data directory nor a database is given")
	case c.DataDir != "":
		if err := os.MkdirAll(c.DataDir, 0o700); err != nil {
			return "", fmt.Errorf("make data directory: %w", err)
		}
	}
	return c.Location(), nil
}

// Location returns the database's file or URL.
func (c Config) Location() string {
	if c.Database != "" {
		return c.Database
	}
	return filepath.Join(c.DataDir, databaseName)
}

// personalRoot returns the folder of the personal libraries as an absolute path, or "".
func (c Config) personalRoot() (string, error) {
	switch {
	case c.PersonalRoot != "":
		return filepath.Abs(c.PersonalRoot)
	case c.DataDir != "":
		return filepath.Abs(filepath.Join(c.DataDir, "personal"))
	}
	return "", nil
}

// Server is a running media server. It listens nowhere by itself: serve its Handler.
type Server struct {
	store   *store.Store
	scans   *scan.Runner
	reader  *reader.Reader
	handler http.Handler
	metrics http.Handler
}

// New opens or makes the database, brings it up to date, and returns a server that is ready to serve. The context
// bounds the start only. Close the server.
func New(ctx context.Context, config Config) (*Server, error) {
	config = config.withDefaults()
	roots, personal, err := config.roots()
	if err != nil {
		return nil, err
	}
	location, err := config.database()
	if err != nil {
		return nil, err
	}
	database, err := store.Open(ctx, store.Config{Location: location, PersonalRoot: personal, Clock: config.Clock})
	if err != nil {
		return nil, err
	}
	if config.CheapPasswordHashing {
		config.Logger.Warn("passwords are hashed cheaply: whoever reads the database can guess them; for tests only")
	}
	processes, files := config.reader(roots)
	scans := scan.NewRunner(database, roots, files, config.Logger)
	server := &Server{store: database, scans: scans, reader: processes}
	server.handler, server.metrics = httpapi.New(httpapi.Config{
		Store: database, Hasher: config.Hasher, Scans: scans, Roots: roots,
		Logger: config.Logger, Clock: config.Clock, Version: config.Version,
		Limits:  httpapi.Limits{PerClient: config.SignInsPerClient, PerAccount: config.SignInsPerAccount},
		Proxies: config.TrustedProxies, BodyTimeout: config.BodyTimeout,
	})
	return server, nil
}

// roots returns the folders below which media may lie, and that of the personal libraries as an absolute path, or "".
func (c Config) roots() (roots mediafile.Roots, personal string, err error) {
	if roots, err = mediafile.NewRoots(c.MediaRoots); err != nil {
		return roots, "", err
	}
	if personal, err = c.personalRoot(); err != nil || personal == "" {
		return roots, "", err
	}
	return roots.WithPrivate(personal), personal, nil
}

// reader returns what reads metadata, and the processes to be ended with the server; nil for none.
func (c Config) reader(roots mediafile.Roots) (*reader.Reader, scan.Reader) {
	if len(c.MetadataReader) == 0 {
		return nil, reader.InProcess{Roots: roots}
	}
	processes := reader.New(c.MetadataReader)
	return processes, processes
}

// ReadMetadata is what a process does that Config.MetadataReader started, with the same folders: it answers on out what it
// is asked on in, until that ends.
func ReadMetadata(config Config, in io.Reader, out io.Writer) error {
	roots, _, err := config.roots()
	if err != nil {
		return err
	}
	return reader.Serve(in, out, roots)
}

// Handler serves the server's whole HTTP interface. It answers with errors once the server is closed.
func (s *Server) Handler() http.Handler { return s.handler }

// Metrics serves Prometheus metrics, at any path. It is for whoever runs the server: serve it where guests do not reach it.
func (s *Server) Metrics() http.Handler { return s.metrics }

// WaitForScans waits until no library is being scanned. It fails only when ctx ends first.
func (s *Server) WaitForScans(ctx context.Context) error { return s.scans.WaitIdle(ctx) }

// Close stops scanning and closes the database. Stop serving first.
func (s *Server) Close() error {
	s.scans.Close()
	if s.reader != nil {
		s.reader.Close()
	}
	return s.store.Close()
}

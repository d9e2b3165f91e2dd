package connect

import (
	"context"
	"errors"
	"fmt"
	"net"
	"time"

	"github.com/usher-media/usher/internal/cli/importer"
	"github.com/usher-media/usher/internal/media"
)

// Target is a media server to be listed.
type Target struct {
	Open        media.Open
	URL         string
	Credentials media.Credentials
	// DatabaseURL for a type that needs SQL.
	DatabaseURL string
	// CA holds certificates to trust instead of the system's; nil for the system's.
	CA []byte
	// AllowPlain sends credentials in the clear to any address.
	AllowPlain bool
	// Lookup resolves names; nil for the system's.
	Lookup Lookup
	// Progress is told in words what was reached; nil for nobody.
	Progress func(format string, args ...any)
}

// List reads what a server has. It changes nothing there: it signs in, and reads.
func List(ctx context.Context, t Target) (found importer.Server, err error) {
	if t.Lookup == nil {
		t.Lookup = net.DefaultResolver.LookupNetIP
	}
	if t.Progress == nil {
		t.Progress = func(string, ...any) {}
	}
	config := media.Config{URL: t.URL, Credentials: t.Credentials, DatabaseURL: t.DatabaseURL, CA: t.CA, Allowed: media.Loopback()}
	if !t.AllowPlain {
		if config.Transport, err = keepPrivate(ctx, t.URL, t.Lookup); err != nil {
			return found, err
		}
	}
	began := time.Now()
	calls := &countingTransport{}
	config.Transport = calls.around(config.Transport)
	server, err := media.OpenServer(t.Open, config, time.Now, nil)
	if err != nil {
		return found, explain(err)
	}
	defer func() { err = errors.Join(err, server.Close()) }()
	if found.Probe, err = server.Probe(ctx); err != nil {
		return found, explain(err)
	}
	if found.Probe.SetupRequired {
		return found, errors.New("the server has no account yet: there is nothing to import. Set it up, or let Usher do that (spec.bootstrap)")
	}
	t.Progress("Connected as %s to a server of version %s", found.Probe.SelfName, found.Probe.Version)
	if err = server.Refresh(ctx, found.Probe.Self); err != nil {
		return found, explain(err)
	}
	found.Traits, found.Accounts, found.Libraries = server.Traits(), server.Inventory().Accounts(), server.Inventory().Libraries()
	t.Progress("Read %d accounts and %d libraries (%d requests, %s)", len(found.Accounts), len(found.Libraries), calls.count(), time.Since(began).Round(100*time.Millisecond))
	return found, nil
}

// explain adds to an error of a server what to do about it.
func explain(err error) error {
	switch media.CodeOf(err) {
	case media.Unauthenticated:
		return fmt.Errorf("%w: check username and password; a second factor needs a token instead", err)
	case media.PermissionDenied:
		return fmt.Errorf("%w: use an administrator's account", err)
	case media.Unavailable:
		return fmt.Errorf("%w: check --url and --type, and that the server runs", err)
	}
	return err
}

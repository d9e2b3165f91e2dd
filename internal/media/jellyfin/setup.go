package jellyfin

import (
	"bytes"
	"context"
	"net/http"

	"github.com/usher-media/usher/internal/media"
	"github.com/usher-media/usher/internal/media/wire"
)

const (
	healthPath        = "/health"
	configurationPath = "/Startup/Configuration"
	startupUserPath   = "/Startup/User"
	remotePath        = "/Startup/RemoteAccess"
	completePath      = "/Startup/Complete"
)

// pending says whether the start-up wizard waits. While the real server starts, another answers in its place, and says so of every
// server (section 2): so it must be healthy, show its wizard to whoever asks, and never have been seen set up. GET /Startup/User
// is not asked: it makes an account.
func (d *Driver) pending(ctx context.Context, info public) error {
	d.mu.Lock()
	setUp := d.setUp[info.ID]
	d.mu.Unlock()
	if setUp {
		return media.Errorf(media.Unavailable, "the server says that it was never set up, and it was: it is still starting, or has lost its settings. It is not set up again")
	}
	var health []byte
	_, err := d.client.Do(ctx, wire.Call{Method: http.MethodGet, Path: healthPath, Anonymous: true, Into: &health, Codes: wrongServer})
	switch {
	case err != nil:
		return err
	case string(bytes.TrimSpace(health)) != "Healthy":
		return starting()
	}
	_, err = d.wizard(ctx)
	return err
}

func starting() error { return media.Errorf(media.Unavailable, "the server is still starting") }

// wizard reads the wizard's first page, which answers nobody without a token once the server is set up.
func (d *Driver) wizard(ctx context.Context) (document, error) {
	var page document
	_, err := d.client.Do(ctx, wire.Call{
		Method: http.MethodGet, Path: configurationPath, Anonymous: true, Into: &page,
		Codes: map[int]media.Code{
			http.StatusUnauthorized: media.Unavailable, http.StatusForbidden: media.Unavailable, http.StatusNotFound: media.Unavailable,
		},
	})
	if _, whole := page["UICulture"]; err == nil && !whole {
		err = media.Errorf(media.Unavailable, "GET %s: %s", configurationPath, wrongURL)
	}
	return page, err
}

// Bootstrap goes through the start-up wizard with the credentials for its first account. Each of its steps can be made again: since
// 12.0 the server refuses to name the first account once it has a password (section 3), and then signing in says whose it is.
func (d *Driver) Bootstrap(ctx context.Context) error {
	info, err := d.public(ctx)
	switch {
	case err != nil:
		return err
	case *info.Completed:
		return setUpAlready()
	}
	if err := d.pending(ctx, info); err != nil {
		return err
	}
	c := d.credentials
	if c.Username == "" || c.Password == "" {
		return media.Errorf(media.Invalid, "to set the server up, the credentials need username and password of its first administrator: its start-up wizard makes no API key")
	}
	if err := checkName(c.Username, parseVersion(info.Version)); err != nil {
		return err
	}
	if err := d.walk(ctx, parseVersion(info.Version)); err != nil {
		return d.setupFailed(ctx, err)
	}
	in, err := d.enter(ctx, c.Username, c.Password, d.device)
	if err != nil {
		return err
	}
	d.become(in.User.ID, in.User.Name, false)
	d.session.Adopt(wire.Token{Value: in.Token})
	return nil
}

// walk makes the wizard's steps, in its order (section 3).
func (d *Driver) walk(ctx context.Context, on version) error {
	page, err := d.wizard(ctx) // what a page leaves out is written as empty
	if err != nil {
		return err
	}
	if err := d.step(ctx, configurationPath, page, nil); err != nil {
		return err
	}
	// This call makes the account that the next one names.
	if _, err := d.client.Do(ctx, wire.Call{Method: http.MethodGet, Path: startupUserPath, Anonymous: true, Codes: wrongServer}); err != nil {
		return err
	}
	named := map[int]media.Code{http.StatusForbidden: media.Conflict}
	err = d.step(ctx, startupUserPath, map[string]string{"Name": d.credentials.Username, "Password": d.credentials.Password}, named)
	if err != nil && media.CodeOf(err) != media.Conflict {
		return err
	}
	remote := map[string]bool{"EnableRemoteAccess": true}
	if on.before(plusInNames) {
		remote["EnableAutomaticPortMapping"] = false
	}
	if err := d.step(ctx, remotePath, remote, nil); err != nil {
		return err
	}
	return d.step(ctx, completePath, nil, nil)
}

func (d *Driver) step(ctx context.Context, path string, body any, codes map[int]media.Code) error {
	_, err := d.client.Do(ctx, wire.Call{
		Method: http.MethodPost, Path: path, Anonymous: true, Body: body, Want: http.StatusNoContent, Codes: codes,
	})
	return err
}

// setupFailed finds out whether the wizard is over by now: others end it at the same moment, or an answer was lost.
func (d *Driver) setupFailed(ctx context.Context, err error) error {
	if info, failed := d.public(ctx); failed == nil && *info.Completed {
		return setUpAlready()
	}
	return err
}

func setUpAlready() error {
	return media.Errorf(media.AlreadyExists, "the server was set up already")
}

package shisho

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/usher-media/usher/internal/media"
	"github.com/usher-media/usher/internal/media/fold"
	"github.com/usher-media/usher/internal/media/wire"
)

const (
	// unborn is the identity of every server without accounts: nothing tells two of them apart.
	unborn = "shisho-without-accounts"
	// unknownVersion: the server does not tell its version (contract, section 0).
	unknownVersion = "unknown"
)

// needed are the permissions that Usher's account must have (contract, section 2).
var needed = []string{"users:read", "users:write", "libraries:read", "libraries:write"}

// status is whether the server has accounts.
type status struct {
	NeedsSetup *bool `json:"needs_setup"`
}

// Check implements wire.Checker.
func (s *status) Check() error { return form(s.NeedsSetup != nil) }

// Probe asks whether the server has accounts, who we are and what we may do. PermissionDenied names what is missing.
func (d *Driver) Probe(ctx context.Context) (media.Probe, error) {
	setup, err := d.needsSetup(ctx)
	if err != nil {
		return media.Probe{}, err
	}
	if setup {
		return media.Probe{
			Identity: unborn, Version: unknownVersion, SetupRequired: true, Capabilities: capabilities(seededRoles(), true, true),
		}, nil
	}
	if err := d.tryOwnPassword(ctx); err != nil {
		return media.Probe{}, err
	}
	me, err := d.me(ctx)
	if err != nil {
		return media.Probe{}, err
	}
	if err := me.suffices(); err != nil {
		return media.Probe{}, err
	}
	roles, err := d.roles(ctx)
	if err != nil {
		return media.Probe{}, err
	}
	identity, err := fingerprint(roles)
	if err != nil {
		return media.Probe{}, err
	}
	zero, err := d.hasPlaceholder(ctx)
	if err != nil {
		return media.Probe{}, err
	}
	return media.Probe{
		Identity: identity, Version: unknownVersion, Self: accountID(me.ID), SelfName: me.Username,
		Capabilities: capabilities(roleInfos(roles), slices.Contains(me.Permissions, "books:read"), zero),
		Warnings:     append(widened(roles), d.shelves.get().spoiledWords()...),
	}, nil
}

// tryOwnPassword signs in anew where the last sign-in is a while ago. A session lasts for weeks, also when the password
// was changed by hand since (contract, section 2): without this, nobody would notice until it ends, or Usher starts again.
func (d *Driver) tryOwnPassword(ctx context.Context) error {
	d.mu.Lock()
	since := time.Since(d.signedIn)
	d.mu.Unlock()
	if since < ownPasswordTriedAfter {
		return nil
	}
	token, err := d.signIn(ctx)
	switch media.CodeOf(err) {
	case "":
		d.session.Adopt(token)
		return nil
	case media.Unauthenticated:
		d.session.Forget()
		return media.Errorf(media.Unauthenticated, "the server refuses the username or password of the credentials (a session from before still holds): was the password changed there?")
	}
	return err
}

// widened says which of the server's own roles may do more than they were made for.
func widened(roles []role) []string {
	var words []string
	for _, r := range roles {
		given, own := builtInPermissions[fold.ASCII(r.Name)]
		if !own || !r.IsSystem {
			continue
		}
		var more []string
		for _, p := range r.Permissions {
			if !slices.Contains(given, p.Resource+":"+p.Operation) {
				more = append(more, p.Resource+":"+p.Operation)
			}
		}
		if len(more) > 0 {
			slices.Sort(more)
			words = append(words, "somebody gave the server's role "+r.Name+" more than it comes with: "+strings.Join(more, ", "))
		}
	}
	return words
}

func (d *Driver) needsSetup(ctx context.Context) (bool, error) {
	var s status
	_, err := d.client.Do(ctx, wire.Call{Method: http.MethodGet, Path: statusPath, Anonymous: true, Into: &s})
	return err == nil && *s.NeedsSetup, err
}

func (d *Driver) me(ctx context.Context) (person, error) {
	var me person
	err := d.get(ctx, mePath, &me)
	return me, err
}

// hasPlaceholder says whether the placeholder library is there or can be made.
func (d *Driver) hasPlaceholder(ctx context.Context) (bool, error) {
	s, err := d.fresh(ctx)
	if err != nil || s.floor() != 0 {
		return err == nil, err
	}
	_, err = d.placeholderPath(ctx)
	if media.CodeOf(err) == media.Unsupported {
		return false, nil
	}
	return err == nil, err
}

// suffices says whether the account may do what Usher needs.
func (p person) suffices() error {
	var missing []string
	for _, permission := range needed {
		if !slices.Contains(p.Permissions, permission) {
			missing = append(missing, permission)
		}
	}
	if !p.LibraryAccess.null() {
		missing = append(missing, "access to all libraries")
	}
	switch {
	case p.MustChangePassword:
		return media.Errorf(media.PermissionDenied, "the account that Usher uses must choose another password first")
	case len(missing) > 0:
		return media.Errorf(media.PermissionDenied, "the account that Usher uses lacks: %s", strings.Join(missing, ", "))
	}
	return nil
}

// seesAll fails unless Usher's account is granted all libraries at this moment.
func (d *Driver) seesAll(ctx context.Context) error {
	me, err := d.me(ctx)
	if err != nil {
		return err
	}
	return me.suffices()
}

// fingerprint tells two servers apart by when their database was made, to the second: the moment when the role admin
// was seeded, which no call changes. The server has no id of its own. So a copy of a database has the identity of the
// original, and so have two servers whose databases were made within the same second.
func fingerprint(roles []role) (string, error) {
	for _, r := range roles {
		if r.IsSystem && fold.ASCII(r.Name) == "admin" && r.CreatedAt.Year() > 1 {
			sum := sha256.Sum256([]byte(strconv.Itoa(r.ID) + " " + r.CreatedAt.UTC().Format(time.RFC3339Nano)))
			return "shisho-" + hex.EncodeToString(sum[:8]), nil
		}
	}
	return "", media.Errorf(media.Unavailable, "GET %s: the server does not say when its role admin was made, by which it is recognised", rolesPath)
}

// Identity reads when the server's database was made.
func (d *Driver) Identity(ctx context.Context) (string, error) {
	roles, err := d.roles(ctx)
	if err != nil {
		return "", err
	}
	return fingerprint(roles)
}

// Bootstrap sets the server up with the account of the credentials, and looks whether it is the only one then: setups
// that come at the same moment all succeed (contract, section 2).
func (d *Driver) Bootstrap(ctx context.Context) error {
	if err := acceptable(d.credentials.Username, d.credentials.Password); err != nil {
		return err
	}
	switch setup, err := d.needsSetup(ctx); {
	case err != nil:
		return err
	case !setup:
		return taken()
	}
	var in person
	token, err := d.enter(ctx, setupPath, d.credentials, &in)
	if err != nil {
		return d.setupFailed(ctx, err)
	}
	d.become(in.ID)
	d.session.Adopt(token)
	users, err := d.users(ctx)
	switch {
	case err != nil:
		return err
	case len(users) != 1:
		return media.Errorf(media.Conflict, "%d accounts were made at the same moment, each of them an administrator: deactivate on the server those that are not yours", len(users))
	}
	return nil
}

// setupFailed finds out whether the server has an account by now: somebody else's, or ours whose answer was lost.
func (d *Driver) setupFailed(ctx context.Context, err error) error {
	if code := media.CodeOf(err); code != media.PermissionDenied && code != media.Ambiguous {
		return err
	}
	if setup, failed := d.needsSetup(ctx); failed != nil || setup {
		return err
	}
	return taken()
}

func taken() error {
	return media.Errorf(media.AlreadyExists, "the server has an account already")
}

// Authenticate signs in. The session that it makes cannot be ended, and is forgotten.
func (d *Driver) Authenticate(ctx context.Context, username, password string) (media.AccountID, error) {
	var in person
	if _, err := d.enter(ctx, loginPath, media.Credentials{Username: username, Password: password}, &in); err != nil {
		return "", err
	}
	if fold.ASCII(in.Username) != fold.ASCII(username) {
		return "", media.Errorf(media.Unauthenticated, "the server refuses the credentials")
	}
	return accountID(in.ID), nil
}

package audiobookshelf

import (
	"cmp"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"net/http"
	"slices"
	"strconv"
	"strings"

	"github.com/usher-media/usher/internal/media"
	"github.com/usher-media/usher/internal/media/wire"
)

const (
	// unborn is the identity of every server without accounts: nothing tells two of them apart.
	unborn = "audiobookshelf-without-accounts"
	// oldest is the first version with access tokens and API keys (contract, section 3).
	oldestMajor, oldestMinor = 2, 26
)

// openID are the settings of signing in by OpenID Connect that matter here.
type openID struct {
	AutoRegister *bool  `json:"authOpenIDAutoRegister"`
	Advanced     string `json:"authOpenIDAdvancedPermsClaim"`
	Group        string `json:"authOpenIDGroupClaim"`
}

// Check implements wire.Checker.
func (o *openID) Check() error { return form(o.AutoRegister != nil) }

// Probe asks whether the server has accounts, who we are and what we may do. PermissionDenied names what is missing.
func (d *Driver) Probe(ctx context.Context) (media.Probe, error) {
	s, err := d.status(ctx)
	if err != nil {
		return media.Probe{}, err
	}
	local := slices.Contains(s.AuthMethods, "local")
	switch {
	case !current(s.Version):
		return media.Probe{}, media.Errorf(media.Unsupported, "the server is older than %d.%d, and so has neither API keys nor tokens that end: update it", oldestMajor, oldestMinor)
	case !*s.IsInit:
		return media.Probe{Identity: unborn, Version: s.Version, SetupRequired: true, Capabilities: capabilities(true, true)}, nil
	case !local && d.credentials.Token == "":
		return media.Probe{}, media.Errorf(media.PermissionDenied, "signing in by password is switched off on the server: make an API key there, and give it as token")
	}
	me, err := d.me(ctx)
	if err != nil {
		return media.Probe{}, err
	}
	if err := me.suffices(); err != nil {
		return media.Probe{}, err
	}
	all, err := d.users(ctx)
	if err != nil {
		return media.Probe{}, err
	}
	identity, err := fingerprint(all)
	if err != nil {
		return media.Probe{}, err
	}
	warnings := append(twins(all), unwritable(all)...)
	if slices.Contains(s.AuthMethods, "openid") {
		more, err := d.byOpenID(ctx)
		if err != nil {
			return media.Probe{}, err
		}
		warnings = append(warnings, more...)
	}
	return media.Probe{
		Identity: identity, Version: s.Version, Self: media.AccountID(me.ID), SelfName: me.Username,
		Capabilities: capabilities(local, me.seesItems()), Warnings: warnings,
	}, nil
}

func (d *Driver) status(ctx context.Context) (status, error) {
	var s status
	_, err := d.client.Do(ctx, wire.Call{Method: http.MethodGet, Path: statusPath, Anonymous: true, Into: &s})
	return s, err
}

// current says whether a version has what the driver uses. One that cannot be read is given the benefit.
func current(version string) bool {
	major, rest, _ := strings.Cut(version, ".")
	minor, _, _ := strings.Cut(rest, ".")
	m, err := strconv.Atoi(major)
	n, failed := strconv.Atoi(minor)
	return err != nil || failed != nil || m > oldestMajor || m == oldestMajor && n >= oldestMinor
}

// byOpenID warns of what the server does by itself when somebody signs in by OpenID Connect (contract, section 5 and the
// additions of November 2026).
func (d *Driver) byOpenID(ctx context.Context) ([]string, error) {
	var o openID
	if err := d.get(ctx, openIDPath, &o); err != nil {
		return nil, err
	}
	var words []string
	if *o.AutoRegister {
		words = append(words, "the server makes an account for everybody who signs in by OpenID Connect, which sees all libraries, also under a name that is taken: switch auto registration off")
	}
	if o.Advanced != "" || o.Group != "" {
		words = append(words, "the server overwrites roles and access at each sign-in by OpenID Connect: take the group claim and the permission claim out")
	}
	return words, nil
}

// fingerprint tells two servers apart by the id of the account that each was set up with, which is random, is never deleted
// and never changes. The server has no id of its own. So a copy of a database has the identity of the original.
func fingerprint(all []user) (string, error) {
	var roots []user
	for _, u := range all {
		if u.Type == typeRoot {
			roots = append(roots, u)
		}
	}
	if len(roots) == 0 {
		return "", media.Errorf(media.Unavailable, "GET %s: the server does not list the account that it was set up with, by which it is recognised", usersPath)
	}
	first := slices.MinFunc(roots, func(a, b user) int {
		return cmp.Or(a.CreatedAt.Compare(b.CreatedAt.Time), cmp.Compare(a.ID, b.ID))
	})
	sum := sha256.Sum256([]byte(first.ID))
	return "audiobookshelf-" + hex.EncodeToString(sum[:8]), nil
}

// Identity reads which account the server was set up with.
func (d *Driver) Identity(ctx context.Context) (string, error) {
	all, err := d.users(ctx)
	if err != nil {
		return "", err
	}
	return fingerprint(all)
}

// Bootstrap sets the server up with the account of the credentials, and looks whether it is the only one then: set-ups at
// the same moment all succeed (contract, section 2).
func (d *Driver) Bootstrap(ctx context.Context) error {
	if d.credentials.Username == "" || d.credentials.Password == "" {
		return media.Errorf(media.Invalid, "the first account of a new server needs a username and a password")
	}
	switch s, err := d.status(ctx); {
	case err != nil:
		return err
	case *s.IsInit:
		return taken()
	}
	var answer []byte
	_, err := d.send(ctx, wire.Call{Method: http.MethodPost, Path: initPath, Anonymous: true, Into: &answer, Want: http.StatusOK},
		firstAccount{login{d.credentials.Username, d.credentials.Password}})
	if err != nil {
		return d.setupFailed(ctx, err)
	}
	all, err := d.users(ctx)
	switch {
	case err != nil:
		return err
	case len(all) != 1:
		return media.Errorf(media.Conflict, "%d accounts were made at the same moment, each of them the server's root, which nobody can delete: set the server up anew", len(all))
	}
	return nil
}

// setupFailed finds out whether the server has an account by now: that it has one it says by failing.
func (d *Driver) setupFailed(ctx context.Context, err error) error {
	if media.CodeOf(err) != media.Ambiguous {
		return err
	}
	if s, failed := d.status(ctx); failed != nil || !*s.IsInit {
		return err
	}
	if _, signedIn := d.session.Token(ctx); signedIn == nil {
		return err // it may be ours
	}
	return taken()
}

func taken() error {
	return media.Errorf(media.AlreadyExists, "the server has an account already")
}

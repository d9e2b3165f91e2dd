package jellyfin

import (
	"context"
	"net/http"
	"slices"

	"github.com/usher-media/usher/internal/media"
	"github.com/usher-media/usher/internal/media/wire"
)

const (
	publicPath = "/System/Info/Public"
	keysPath   = "/Auth/Keys"
)

// Probe asks who the server is, and proves that Usher administers it: by a route that nobody else may use, since members may
// read what the server says of itself, and the list of accounts (A.4).
func (d *Driver) Probe(ctx context.Context) (media.Probe, error) {
	info, err := d.public(ctx)
	if err != nil {
		return media.Probe{}, err
	}
	probe := media.Probe{Identity: info.ID, Version: info.Version, Capabilities: capabilities()}
	if !*info.Completed {
		if err := d.pending(ctx, info); err != nil {
			return media.Probe{}, err
		}
		probe.SetupRequired = true
		return probe, nil
	}
	if err := d.introduce(ctx); err != nil {
		return media.Probe{}, err
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	d.setUp[info.ID] = true
	probe.Self, probe.SelfName = media.AccountID(d.self), d.selfName
	if d.keyed {
		probe.Self, probe.SelfName = apiKeyID, apiKeyName
	}
	probe.Warnings = slices.Clone(d.blocked)
	if !d.version.before(newer) {
		probe.Warnings = append(probe.Warnings, "Usher does not know this version of Jellyfin, and takes it for 12")
	}
	return probe, nil
}

// Identity is the server's own id, which is told to everybody.
func (d *Driver) Identity(ctx context.Context) (string, error) {
	info, err := d.public(ctx)
	return info.ID, err
}

// public reads what the server says of itself to everybody, and refuses what is no Jellyfin that Usher knows.
func (d *Driver) public(ctx context.Context) (public, error) {
	var info public
	_, err := d.client.Do(ctx, wire.Call{Method: http.MethodGet, Path: publicPath, Anonymous: true, Into: &info, Codes: wrongServer})
	if err != nil {
		return public{}, err
	}
	v := parseVersion(info.Version)
	if v.before(oldest) {
		return public{}, media.Errorf(media.Unsupported, "the server says that it is Jellyfin %d.%d.%d, and Usher needs 10.10 or newer. If it is Navidrome, which says so of itself at its Jellyfin address, it is no Jellyfin", v.major, v.minor, v.patch)
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	d.version = v
	return info, nil
}

// introduce finds out whose the credentials are, by the list of API keys: only administrators may read it. It holds all keys
// in clear, and nothing of it is kept.
func (d *Driver) introduce(ctx context.Context) error {
	var keys list[key]
	if err := d.read(ctx, keysPath, &keys); err != nil {
		return err
	}
	token := d.credentials.Token
	if token == "" {
		return nil // whoever signed in is known
	}
	if slices.ContainsFunc(keys.Items, func(k key) bool { return k.Token == token }) {
		d.become("", "", true)
		return nil
	}
	var me person
	if err := d.get(ctx, "/Users/Me", &me); err != nil {
		return err
	}
	d.become(me.ID, me.Name, false)
	return nil
}

// capabilities are the same for all versions that Usher knows.
func capabilities() media.Capabilities {
	return media.Capabilities{
		Bootstrap: true, Disable: true, DeleteAccount: true, DeleteLibrary: true, Authenticate: true, AccessAll: true, ZeroAccess: true,
		Roles: map[media.Role]media.RoleInfo{
			// An administrator's list counts as anybody's, though nothing keeps them from changing it (section 5).
			media.RoleAdmin: {Administers: true, Assignable: true}, media.RoleMember: {Assignable: true},
		},
		LibraryRoles: []media.LibraryRole{media.LibraryViewer}, MediaTypes: slices.Clone(mediaTypes),
	}
}

package alcoves

import (
	"context"
	"errors"
	"net/http"
	"strings"

	"github.com/usher-media/usher/internal/media"
	"github.com/usher-media/usher/internal/media/wire"
)

// Probe asks who the server is, and who we are. An instance has no id of its own: it is told by its oldest account,
// which the API cannot delete, and which a restored database has again.
func (d *Driver) Probe(ctx context.Context) (media.Probe, error) {
	var about version
	if err := d.anonymously(ctx, "/api/version", &about); err != nil {
		return media.Probe{}, err
	}
	self, err := d.administrator(ctx)
	if err != nil {
		return media.Probe{}, err
	}
	everybody, err := d.everybody(ctx)
	if err != nil {
		return media.Probe{}, err
	}
	var registration mode
	if err := d.anonymously(ctx, "/api/_meta/registration-mode", &registration); err != nil {
		return media.Probe{}, err
	}
	sql, err := d.knowsDatabase(ctx, self)
	if err != nil {
		return media.Probe{}, err
	}
	return media.Probe{
		Identity: identity(everybody), Version: about.Version, Self: media.AccountID(self.ID), SelfName: self.Email,
		Registration: registrations[registration.Mode], Capabilities: capabilities(sql),
	}, nil
}

// Identity reads which account is the oldest.
func (d *Driver) Identity(ctx context.Context) (string, error) {
	everybody, err := d.everybody(ctx)
	if err != nil {
		return "", err
	}
	return identity(everybody), nil
}

func identity(everybody accounts) string {
	oldest := everybody[0]
	for _, one := range everybody {
		if one.CreatedAt.Before(oldest.CreatedAt) || (one.CreatedAt.Equal(oldest.CreatedAt) && one.ID < oldest.ID) {
			oldest = one
		}
	}
	return "alcoves-" + oldest.ID
}

// capabilities with a database that may be written to, and without.
func capabilities(sql bool) media.Capabilities {
	return media.Capabilities{
		Registration: true, Disable: sql, DeleteLibrary: true, Authenticate: true, ZeroAccess: true, Email: true,
		DisplayName: sql, WeakInvites: true, GrantsFixed: !sql, PasswordsFixed: !sql, Pathless: true,
		Roles: map[media.Role]media.RoleInfo{
			media.RoleOwner:  {Administers: true},
			media.RoleMember: {Assignable: true},
		},
		LibraryRoles:    []media.LibraryRole{media.LibraryViewer, media.LibraryAdmin},
		MediaTypes:      []media.MediaType{onlyType},
		LibrarySettings: []string{settingEmoji, settingFaces, settingObjects, settingSharing},
	}
}

// knowsDatabase says whether there is a database whose schema is known. One that cannot be reached is an error.
func (d *Driver) knowsDatabase(ctx context.Context, self account) (bool, error) {
	if d.database == nil {
		return false, nil
	}
	err := d.database.read(ctx, self.ID, func(context.Context, *session) error { return nil })
	if errors.Is(err, errSchema) {
		return false, nil
	}
	return err == nil, err
}

func (d *Driver) anonymously(ctx context.Context, path string, into any) error {
	_, err := d.client.Do(ctx, wire.Call{Method: http.MethodGet, Path: path, Anonymous: true, Into: into})
	return err
}

// administrator returns the account that Usher uses, which must own the instance. It is asked before every act on the
// database: whoever may not do something on the server does not do it behind its back.
func (d *Driver) administrator(ctx context.Context) (account, error) {
	var self account
	if err := d.get(ctx, "/api/auth/me", &self); err != nil {
		return account{}, err
	}
	if self.Role != wordOwner {
		return account{}, media.Errorf(media.PermissionDenied, "the account that Usher uses is no owner of the instance: make it one on the server's own pages")
	}
	return self, nil
}

// everybody lists all accounts. The server answers with a shorter list when its database fails (section 9), so that the
// number of accounts that it counts is asked first: it only grows.
func (d *Driver) everybody(ctx context.Context) (accounts, error) {
	var counted stats
	if err := d.get(ctx, "/api/admin/stats", &counted); err != nil {
		return nil, err
	}
	var list accounts
	if err := d.get(ctx, "/api/admin/users", &list); err != nil {
		return nil, err
	}
	if len(list) < *counted.Users {
		return nil, media.Errorf(media.Unavailable, "GET /api/admin/users: the list is shorter than the number of accounts, so it is not believed")
	}
	return list, nil
}

// SetRegistration sets who may register. Each process of the server keeps its own copy of the setting (section 7): that
// others follow shows only once they are restarted.
func (d *Driver) SetRegistration(ctx context.Context, want media.RegistrationMode) error {
	for word, known := range registrations {
		if known != want {
			continue
		}
		var after settings
		_, err := d.client.Do(ctx, wire.Call{
			Method: http.MethodPatch, Path: "/api/admin/settings", Body: map[string]string{"registration_mode": word}, Into: &after,
		})
		if err == nil && after.Registration != word {
			return media.Errorf(media.Ambiguous, "PATCH /api/admin/settings: the server answered with another registration mode")
		}
		return err
	}
	return media.Errorf(media.Invalid, "there is no such registration mode")
}

// Authenticate signs in and out again.
func (d *Driver) Authenticate(ctx context.Context, username, password string) (media.AccountID, error) {
	if !strings.Contains(username, "@") {
		return "", media.Errorf(media.Unauthenticated, "nobody signs in with anything but an email address")
	}
	who, session, err := d.trySignIn(ctx, username, password)
	if err != nil {
		return "", err
	}
	d.signOut(ctx, session)
	return media.AccountID(who.ID), nil
}

package embedded

import (
	"context"
	"net/http"

	"github.com/usher-media/usher/internal/media"
	"github.com/usher-media/usher/internal/media/fold"
	"github.com/usher-media/usher/internal/media/wire"
)

// wrongServer: where these paths lead nowhere, something else answers at the URL.
var wrongServer = map[int]media.Code{http.StatusNotFound: media.Unavailable, http.StatusGone: media.Unavailable}

// Probe asks who the server is, and who we are.
func (d *Driver) Probe(ctx context.Context) (media.Probe, error) {
	about, err := d.about(ctx)
	if err != nil {
		return media.Probe{}, err
	}
	probe := media.Probe{
		Identity: about.ID, Version: about.Version, SetupRequired: about.SetupRequired,
		Registration: registrations[about.Registration],
	}
	if about.SetupRequired {
		// Whoever makes the first account is the owner.
		probe.Capabilities = capabilities(media.RoleOwner)
		return probe, nil
	}
	var session session
	_, err = d.client.Do(ctx, wire.Call{Method: http.MethodGet, Path: "/v1/auth/session", Into: &session, Codes: wrongServer})
	if err != nil {
		return media.Probe{}, err
	}
	probe.OpenLinks = session.OpenReferencedInvites
	probe.Self, probe.SelfName = media.AccountID(session.User.ID), session.User.Username
	probe.Capabilities = capabilities(roleOf(session.User.Role))
	probe.Capabilities.ChosenIDs = about.ChosenUserIDs
	own, err := pages[ownRole](ctx, d, rolesPath, nil)
	// Who may not see the roles may not see the accounts either: that is for the listing to say.
	if err != nil && media.CodeOf(err) != media.PermissionDenied {
		return media.Probe{}, err
	}
	for _, role := range own {
		probe.Capabilities.Roles[media.Role(role.Name)] = media.RoleInfo{Administers: role.administers(), Assignable: true, NotByInvite: true}
	}
	return probe, nil
}

// Identity reads it without signing in.
func (d *Driver) Identity(ctx context.Context) (string, error) {
	about, err := d.about(ctx)
	return about.ID, err
}

func (d *Driver) about(ctx context.Context) (server, error) {
	var about server
	_, err := d.client.Do(ctx, wire.Call{
		Method: http.MethodGet, Path: "/v1/server", Anonymous: true, Into: &about, Codes: wrongServer,
	})
	return about, err
}

// capabilities are everything; only the owner makes admins, and nobody makes an owner.
func capabilities(self media.Role) media.Capabilities {
	c := media.Capabilities{
		Bootstrap: true, Registration: true, Disable: true, LockOut: true, DeleteAccount: true, DeleteLibrary: true, Authenticate: true,
		RequirePasswordChange: true, AccessAll: true, ZeroAccess: true, Email: true, DisplayName: true, Invites: true,
		Roles: map[media.Role]media.RoleInfo{
			media.RoleOwner:  {SeesAll: true, Administers: true},
			media.RoleAdmin:  {SeesAll: true, Administers: true, Assignable: self == media.RoleOwner},
			media.RoleEditor: {Assignable: true},
			media.RoleMember: {Assignable: true},
			media.RoleGuest:  {Assignable: true},
		},
		LibraryRoles:    []media.LibraryRole{media.LibraryViewer, media.LibraryAdmin},
		LibrarySettings: []string{settingEmoji, settingSharing},
	}
	for _, word := range mediaTypeWords {
		c.MediaTypes = append(c.MediaTypes, mediaTypes[word])
	}
	return c
}

// Bootstrap registers the first account from the credentials. It looks first: on a server that has accounts and open
// registration, registering would make one more.
func (d *Driver) Bootstrap(ctx context.Context) error {
	if d.credentials.Username == "" || d.credentials.Password == "" {
		return media.Errorf(media.Invalid, "the first account needs a username and a password in the credentials")
	}
	about, err := d.about(ctx)
	switch {
	case err != nil:
		return err
	case !about.SetupRequired:
		return media.Errorf(media.AlreadyExists, "the server has an account already")
	}
	body := map[string]string{"username": d.credentials.Username, "password": d.credentials.Password}
	if d.credentials.Email != "" {
		body["email"] = d.credentials.Email
	}
	var in signedIn
	_, err = d.client.Do(ctx, wire.Call{
		Method: http.MethodPost, Path: "/v1/auth/register", Anonymous: true, Body: body, Into: &in,
		// Somebody else was first, a moment ago.
		Codes: map[int]media.Code{http.StatusForbidden: media.AlreadyExists, http.StatusConflict: media.AlreadyExists},
	})
	switch {
	case err != nil:
		return err
	case in.User.Role != wordOwner:
		return media.Errorf(media.Conflict, "somebody else became the server's owner at the same moment")
	}
	d.session.Adopt(in.token())
	return nil
}

// SetRegistration sets who may register.
func (d *Driver) SetRegistration(ctx context.Context, mode media.RegistrationMode) error {
	for word, known := range registrations {
		if known == mode {
			var about server
			_, err := d.client.Do(ctx, wire.Call{
				Method: http.MethodPatch, Path: "/v1/server", Body: map[string]string{"registration": word}, Into: &about,
			})
			return err
		}
	}
	return media.Errorf(media.Invalid, "there is no such registration mode")
}

// Authenticate signs in and out again. The login field takes mail addresses, too: an account that was found by one
// does not have that username.
func (d *Driver) Authenticate(ctx context.Context, username, password string) (media.AccountID, error) {
	var in signedIn
	if err := d.trySignIn(ctx, username, password, &in); err != nil {
		return "", err
	}
	// Failing to sign out changes nothing about the answer; the session ends by itself.
	_, _ = d.client.DoAs(ctx, in.Token, wire.Call{Method: http.MethodPost, Path: "/v1/auth/sign-out"})
	if fold.Unicode(in.User.Username) != fold.Unicode(username) {
		return "", media.Errorf(media.Unauthenticated, "the server refuses the credentials")
	}
	return media.AccountID(in.User.ID), nil
}

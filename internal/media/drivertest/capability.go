package drivertest

import (
	"cmp"
	"slices"

	"github.com/usher-media/usher/internal/media"
)

// capabilityCases: R11, capabilities are true both ways. What each ability does is proven by its own cases; these look
// at roles, media types, settings and interfaces.
var capabilityCases = []testCase{
	{"interfaces", capabilityInterfaces},
	{"roles", capabilityRoles},
	{"roles_see_all", capabilitySeesAll},
	{"unknown_role", capabilityUnknownRole},
	{"library_roles", capabilityLibraryRoles},
	{"media_types", capabilityMediaTypes},
	{"settings", capabilitySettings},
	{"registration", capabilityRegistration},
	{"account_fields", capabilityFields},
}

func capabilityInterfaces(f *fixture) {
	_, bootstraps := f.driver.(media.Bootstrapper)
	_, registers := f.driver.(media.Registrar)
	_, authenticates := f.driver.(media.Authenticator)
	_, disables := f.driver.(media.Disabler)
	_, deletesAccounts := f.driver.(media.AccountDeleter)
	_, deletesLibraries := f.driver.(media.LibraryDeleter)
	for name, pair := range map[string][2]bool{
		"Bootstrap": {f.can.Bootstrap, bootstraps}, "Registration": {f.can.Registration, registers},
		"Authenticate": {f.can.Authenticate, authenticates}, "Disable": {f.can.Disable, disables},
		"DeleteAccount": {f.can.DeleteAccount, deletesAccounts}, "DeleteLibrary": {f.can.DeleteLibrary, deletesLibraries},
	} {
		if pair[0] && !pair[1] {
			f.Errorf("%s is claimed, but there is no method for it", name)
		}
	}
}

// capabilityRoles gives every assignable role at a create and by a change, and is refused every other.
func capabilityRoles(f *fixture) {
	library := f.library("Movies")
	for role, info := range f.can.Roles {
		want := f.wanted("made-"+string(role), access(library.ID))
		want.Role = role
		made, err := f.driver.CreateAccount(f.ctx(), want)
		changed := f.account("changed-"+string(role), access(library.ID))
		after, failed := f.driver.UpdateAccount(f.ctx(), changed.ID, media.AccountChange{Role: &role})
		if !info.Assignable {
			f.wantCode(err, media.Invalid, media.PermissionDenied, media.Conflict, media.Unsupported)
			f.wantCode(failed, media.Invalid, media.PermissionDenied, media.Conflict, media.Unsupported)
			continue
		}
		f.must(err)
		f.must(failed)
		if made.Role != role || after.Role != role {
			f.Errorf("%s: made %s, changed to %s", role, made.Role, after.Role)
		}
	}
	if f.can.Roles[media.RoleOwner].Assignable {
		f.Error("Owner is never assignable")
	}
}

func capabilitySeesAll(f *fixture) {
	ids := f.libraries("Movies", "Shows")
	for role, info := range f.can.Roles {
		if !info.Assignable {
			continue
		}
		want := f.wanted("person-"+string(role), access(ids[0]))
		want.Role = role
		_, err := f.driver.CreateAccount(f.ctx(), want)
		f.must(err)
		if info.SeesAll {
			f.wantSees(want.Username, ids...)
		} else {
			f.wantSees(want.Username, ids[0])
		}
	}
}

// accessBesideRole: the list of an account that sees everything by its role is set and read like any other, and is all that
// it sees once its role is another. So nothing of an earlier list shows at a demotion.
func accessBesideRole(f *fixture) {
	ids := f.libraries("Movies", "Shows", "Music")
	var roles []media.Role
	for role, info := range f.can.Roles {
		if info.Assignable && info.SeesAll {
			roles = append(roles, role)
		}
	}
	if len(roles) == 0 {
		f.lacks("a role that sees all and can be given")
	}
	for _, role := range roles {
		name, member := "person-"+string(role), media.RoleMember
		account := f.account(name, access(ids[0]))
		promoted := f.update(account.ID, media.AccountChange{Role: &role})
		f.wantAccess(promoted.Access, access(ids[0]))
		f.wantSees(name, ids...)
		f.setAccess(promoted, access(ids[1]))
		f.wantAccess(f.read(account.ID).Access, access(ids[1]))
		accounts, _ := f.listing()
		f.wantAccess(accounts[account.ID].Access, access(ids[1]))
		f.wantSees(name, ids...)
		f.wantAccess(f.update(account.ID, media.AccountChange{Role: &member}).Access, access(ids[1]))
		f.wantSees(name, ids[1])
	}
}

func capabilityUnknownRole(f *fixture) {
	account := f.anybody("mia")
	check := f.unchanged()
	role := media.Role("Emperor")
	_, err := f.driver.UpdateAccount(f.ctx(), account.ID, media.AccountChange{Role: &role})
	f.wantCode(err, media.Unsupported)
	want := f.wanted("ben", account.Access)
	want.Role = role
	_, err = f.driver.CreateAccount(f.ctx(), want)
	f.wantCode(err, media.Unsupported)
	check()
}

func capabilityLibraryRoles(f *fixture) {
	if len(f.can.LibraryRoles) == 0 || f.can.LibraryRoles[0] != media.LibraryViewer {
		f.Fatalf("library roles %q: Viewer comes first", f.can.LibraryRoles)
	}
	library := f.library("Movies")
	for _, role := range []media.LibraryRole{media.LibraryViewer, media.LibraryAdmin, "Emperor"} {
		want := f.wanted("person-"+string(role), access(library.ID))
		want.Access.Libraries[library.ID] = role
		made, err := f.driver.CreateAccount(f.ctx(), want)
		if !f.can.HasLibraryRole(role) {
			f.wantCode(err, media.Unsupported)
			continue
		}
		f.must(err)
		f.wantAccess(made.Access, want.Access)
	}
}

func capabilityMediaTypes(f *fixture) {
	for _, mediaType := range f.can.MediaTypes {
		want := f.newLibrary("Library of " + string(mediaType))
		want.MediaType = mediaType
		made, err := f.driver.CreateLibrary(f.ctx(), want)
		f.must(err)
		if made.MediaType != mediaType {
			f.Errorf("asked for %s, got %s", mediaType, made.MediaType)
		}
	}
}

func capabilitySettings(f *fixture) {
	library := f.library("Movies")
	for _, name := range f.can.LibrarySettings {
		if _, known := f.h.Settings[name]; !known {
			f.Errorf("the harness has no value for the setting %s", name)
		}
		if _, there := library.Settings[name]; !there {
			f.Errorf("the setting %s is not read", name)
		}
	}
	for name := range library.Settings {
		if !slices.Contains(f.can.LibrarySettings, name) {
			f.Errorf("the setting %s is read, but not claimed", name)
		}
	}
	change := media.LibraryChange{Settings: map[string]string{"noSuchSetting": "true"}}
	_, err := f.driver.UpdateLibrary(f.ctx(), library.ID, change)
	f.wantCode(err, media.Unsupported)
}

func capabilityRegistration(f *fixture) {
	registrar, able := f.driver.(media.Registrar)
	if !f.can.Registration {
		f.lacks("Registration")
		if able {
			f.wantCode(registrar.SetRegistration(f.ctx(), media.RegistrationOpen), media.Unsupported)
		}
		if f.probe.Registration != "" {
			f.Errorf("a registration mode that is not claimed: %s", f.probe.Registration)
		}
		return
	}
	modes := []media.RegistrationMode{media.RegistrationOpen, media.RegistrationClosed, media.RegistrationInviteOnly}
	for _, mode := range modes {
		f.must(registrar.SetRegistration(f.ctx(), mode))
		if f.reprobe(); f.probe.Registration != mode {
			f.Errorf("set %s, got %s", mode, f.probe.Registration)
		}
	}
	f.wantCode(registrar.SetRegistration(f.ctx(), "Sometimes"), media.Invalid, media.Unsupported)
}

func capabilityFields(f *fixture) {
	library := f.library("Movies")
	for name, c := range map[string]struct {
		able bool
		set  func(*media.NewAccount)
	}{
		"email": {f.can.Email, func(a *media.NewAccount) {
			if a.Email = "someone@example.org"; f.driver.Traits().NamedByEmail {
				a.Username = a.Email
			}
		}},
		"displayname": {f.can.DisplayName, func(a *media.NewAccount) { a.DisplayName = "Somebody" }},
		"mustchange":  {f.can.RequirePasswordChange, func(a *media.NewAccount) { a.MustChangePassword = true }},
		"chosenid":    {f.can.ChosenIDs, func(a *media.NewAccount) { a.ID = media.NewAccountID() }},
		"disabled":    {f.can.Disable, func(a *media.NewAccount) { a.Disabled = true }},
		"accessall":   {f.can.AccessAll, func(a *media.NewAccount) { a.Access = media.Access{All: true} }},
	} {
		want := f.wanted(name, access(library.ID))
		c.set(&want)
		made, err := f.driver.CreateAccount(f.ctx(), want)
		if !c.able {
			f.wantCode(err, media.Unsupported)
			continue
		}
		f.must(err)
		if want.DisplayName == "" {
			want.DisplayName = made.DisplayName
		}
		expected := media.Account{
			ID: cmp.Or(want.ID, made.ID), Username: want.Username, Email: want.Email, DisplayName: want.DisplayName, Role: want.Role,
			Access: want.Access, Disabled: want.Disabled, MustChangePassword: want.MustChangePassword,
		}
		if !sameAccount(made, expected) {
			f.Errorf("%s: made %v, want %v", name, made, expected)
		}
	}
}

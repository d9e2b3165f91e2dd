package httpapi

import (
	"cmp"
	"context"
	"errors"
	"net/http"
	"slices"

	"github.com/usher-media/usher/internal/mediaserver/auth"
	"github.com/usher-media/usher/internal/mediaserver/rules"
	"github.com/usher-media/usher/internal/mediaserver/store"
)

type (
	newUser struct {
		Body struct {
			ID                 string       `json:"id,omitempty" pattern:"^[A-Za-z0-9_-]{21}$" doc:"An id that no user has; absent: the server makes one"`
			Username           string       `json:"username" minLength:"1" maxLength:"64"`
			Email              OptionalText `json:"email,omitempty"`
			DisplayName        OptionalText `json:"displayName,omitempty" doc:"Absent: the username"`
			Role               string       `json:"role,omitempty" maxLength:"64" default:"member" doc:"A built-in role, or the name of one of the server's own"`
			Password           string       `json:"password" minLength:"8" maxLength:"128"`
			MustChangePassword bool         `json:"mustChangePassword,omitempty"`
			Disabled           bool         `json:"disabled,omitempty"`
			Access             *Access      `json:"access,omitempty" doc:"Absent: no library"`
		}
	}
	accessChange struct {
		ID   string `path:"id"`
		Body Access
	}
	passwordReset struct {
		ID   string `path:"id"`
		Body struct {
			Password           string `json:"password" minLength:"8" maxLength:"128"`
			MustChangePassword bool   `json:"mustChangePassword,omitempty"`
		}
	}
)

func (a *api) userRoutes() {
	r := route{path: "/v1/users", tag: "users", needs: rules.ManageUsers}
	one, look := r, r
	one.path += "/{id}"
	look.needs = rules.ViewUsers
	add(a, look.with(http.MethodGet, "list-users", "List users with their access", 0), a.listUsers)
	add(a, r.with(http.MethodPost, "create-user", "Create a user with role and access", http.StatusCreated), a.createUser)
	look.path = one.path
	add(a, look.with(http.MethodGet, "get-user", "One user", 0), a.getUser)
	add(a, one.with(http.MethodPatch, "update-user", "Change a user", 0), a.patchUser)
	add(a, one.with(http.MethodDelete, "delete-user", "Delete a user", http.StatusNoContent), a.deleteUser)
	access, password := one, one
	access.path += "/access"
	password.path += "/password"
	add(a, access.with(http.MethodPut, "set-user-access", "Replace a user's whole access", 0), a.putAccess)
	add(a, password.with(http.MethodPut, "set-user-password", "Set a user's password and end their sessions",
		http.StatusNoContent), a.putPassword)
}

// with returns the route for one method.
func (r route) with(method, id, summary string, status int) route {
	r.method, r.id, r.summary, r.status = method, id, summary, status
	return r
}

func newAccount(username, email, displayName string) *store.Account {
	if displayName == "" {
		displayName = username
	}
	return &store.Account{ID: auth.NewID(), Username: username, Email: email, DisplayName: displayName}
}

func checkAccount(account *store.Account, password string) *rules.Check {
	check := new(rules.Check)
	check.Field("username", rules.CheckUsername(account.Username))
	checkProfile(check, account)
	check.Field("password", rules.CheckPassword(password))
	return check
}

func checkProfile(check *rules.Check, account *store.Account) {
	if account.Email != "" {
		check.Field("email", rules.CheckEmail(account.Email))
	}
	check.Field("displayName", rules.CheckDisplayName(account.DisplayName))
}

func (a *api) listUsers(ctx context.Context, in *PageQuery) (*body[Page[User]], error) {
	view, err := a.userViewFor(ctx)
	if err != nil {
		return nil, err
	}
	list, err := a.store.Accounts(ctx, in.page())
	return pageOf(list, view), err
}

func (a *api) getUser(ctx context.Context, in *byID) (*body[User], error) {
	return a.userBody(ctx)(a.store.Account(ctx, in.ID))
}

// ownBody shows an account to its holder.
func (a *api) ownBody(account *store.Account, err error) (*body[User], error) {
	if err != nil {
		return nil, err
	}
	return &body[User]{Body: userView(account)}, nil
}

// userBody shows an account to the caller.
func (a *api) userBody(ctx context.Context) func(*store.Account, error) (*body[User], error) {
	return func(account *store.Account, err error) (*body[User], error) {
		if err != nil {
			return nil, err
		}
		view, err := a.userViewFor(ctx)
		if err != nil {
			return nil, err
		}
		return &body[User]{Body: view(account)}, nil
	}
}

// userViewFor returns how accounts look to the caller: of their libraries, it shows those that the caller sees, too.
func (a *api) userViewFor(ctx context.Context) (func(*store.Account) User, error) {
	hidden, err := a.hiddenFrom(ctx)
	return func(account *store.Account) User {
		view := userView(account)
		view.Access.Libraries = slices.DeleteFunc(view.Access.Libraries, func(e AccessEntry) bool { return hidden(e.LibraryID) })
		return view
	}, err
}

// hiddenFrom returns which libraries do not exist for the caller.
func (a *api) hiddenFrom(ctx context.Context) (func(libraryID string) bool, error) {
	holding, err := a.holding(ctx)
	return func(id string) bool { return !holding.Sees(id) }, err
}

func (a *api) createUser(ctx context.Context, in *newUser) (*body[User], error) {
	role, custom, err := a.roleNamed(ctx, in.Body.Role)
	if err != nil {
		return nil, err
	}
	if role == "" {
		role = rules.Member
	}
	giver, err := a.holding(ctx)
	if err != nil {
		return nil, err
	}
	account := newAccount(in.Body.Username, in.Body.Email.Value, in.Body.DisplayName.Value)
	account.ID = cmp.Or(in.Body.ID, account.ID)
	account.Role, account.Custom = role, custom
	account.Disabled, account.MustChangePassword = in.Body.Disabled, in.Body.MustChangePassword
	check := checkAccount(account, in.Body.Password)
	if in.Body.Access != nil {
		account.AccessAll = in.Body.Access.All
		account.Libraries = permissionsOf(check, "access.", in.Body.Access.Libraries)
	}
	if err := nameHidden(rules.CheckNewAccount(giver, account.Holding()), check, "access.", libraryIDs(account.Libraries)); err != nil {
		return nil, err
	}
	if err := check.Err(); err != nil {
		return nil, err
	}
	hash, err := a.hasher.Hash(ctx, in.Body.Password)
	if err != nil {
		return nil, err
	}
	account.PasswordHash = hash
	return a.userBody(ctx)(account, nameUnknown(a.store.CreateAccount(ctx, account), "access."))
}

func libraryIDs(permissions []store.Permission) []string {
	ids := make([]string, 0, len(permissions))
	for _, permission := range permissions {
		ids = append(ids, permission.LibraryID)
	}
	return ids
}

// roleNamed returns the built-in role of that name, or the server's own; none for an empty name.
func (a *api) roleNamed(ctx context.Context, name string) (rules.Role, *rules.Custom, error) {
	if role := rules.Role(name); name == "" || role.Valid() {
		return role, nil, nil
	}
	own, err := a.store.RoleByName(ctx, name)
	if errors.Is(err, store.ErrRoleNotFound) {
		return "", nil, invalidField("role", "must be owner, admin, editor, member, guest, or the name of one of the server's own roles")
	}
	if err != nil {
		return "", nil, err
	}
	return rules.Guest, own.Custom(), nil
}

// putAccess replaces the access as far as the caller sees it.
func (a *api) putAccess(ctx context.Context, in *accessChange) (*body[User], error) {
	giver, err := a.holding(ctx)
	if err != nil {
		return nil, err
	}
	account, err := a.store.SetAccess(ctx, in.ID, in.Body.All, func(account *store.Account) ([]store.Permission, error) {
		check := new(rules.Check)
		libraries := permissionsOf(check, "", in.Body.Libraries)
		named := libraryIDs(libraries)
		for _, permission := range account.Libraries {
			if !giver.Sees(permission.LibraryID) {
				// One that is hidden from the caller stays, and is unknown where the caller names it.
				libraries = slices.DeleteFunc(libraries, func(p store.Permission) bool { return p.LibraryID == permission.LibraryID })
				libraries = append(libraries, permission)
			}
		}
		for i, id := range named {
			if !giver.Sees(id) {
				check.Field(libraryField("", i), textUnknownLibrary)
			}
		}
		wanted := store.Account{ID: account.ID, AccessAll: in.Body.All, Libraries: libraries}
		err := rules.CheckAccessChange(giver, account.Holding(), wanted.Holding())
		if err := nameHidden(err, new(rules.Check), "", nil); err != nil {
			return nil, err
		}
		return libraries, check.Err()
	})
	return a.userBody(ctx)(account, nameUnknown(err, ""))
}

func (a *api) putPassword(ctx context.Context, in *passwordReset) (*none, error) {
	actor, err := a.holding(ctx)
	if err != nil {
		return nil, err
	}
	allowed := func(account *store.Account) error {
		return rules.CheckAccountChange(actor, account.Subject(), rules.AccountChange{SetPassword: true})
	}
	if err := invalidField("password", rules.CheckPassword(in.Body.Password)); err != nil {
		return nil, err
	}
	hash, err := a.hasher.Hash(ctx, in.Body.Password)
	if err != nil {
		return nil, err
	}
	return nil, a.store.SetPassword(ctx, in.ID, hash, in.Body.MustChangePassword, "", allowed)
}

func (a *api) deleteUser(ctx context.Context, in *byID) (*none, error) {
	actor, err := a.holding(ctx)
	if err != nil {
		return nil, err
	}
	return nil, a.store.DeleteAccount(ctx, in.ID, func(account *store.Account) error {
		return rules.CheckAccountChange(actor, account.Subject(), rules.AccountChange{Delete: true})
	})
}

package httpapi

import (
	"context"
	"net/http"

	"github.com/usher-media/usher/internal/mediaserver/auth"
	"github.com/usher-media/usher/internal/mediaserver/rules"
	"github.com/usher-media/usher/internal/mediaserver/store"
)

type (
	newUser struct {
		Body struct {
			Username           string       `json:"username" minLength:"1" maxLength:"64"`
			Email              OptionalText `json:"email,omitempty"`
			DisplayName        OptionalText `json:"displayName,omitempty" doc:"Absent: the username"`
			Role               rules.Role   `json:"role,omitempty" enum:"owner,admin,editor,member,guest" default:"member"`
			Password           string       `json:"password" minLength:"8" maxLength:"128"`
			MustChangePassword bool         `json:"mustChangePassword,omitempty"`
			Disabled           bool         `json:"disabled,omitempty"`
			Access             *Access      `json:"access,omitempty" doc:"Absent: no library"`
		}
	}
	userChange struct {
		ID   string `path:"id"`
		Body struct {
			Email       OptionalText `json:"email,omitempty" doc:"Null or empty clears it"`
			DisplayName *string      `json:"displayName,omitempty" minLength:"1" maxLength:"200"`
			Role        rules.Role   `json:"role,omitempty" enum:"owner,admin,editor,member,guest"`
			Disabled    *bool        `json:"disabled,omitempty" doc:"True ends the user's sessions at once"`
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
	one := r
	one.path += "/{id}"
	add(a, r.with(http.MethodGet, "list-users", "List users with their access", 0), a.listUsers)
	add(a, r.with(http.MethodPost, "create-user", "Create a user with role and access", http.StatusCreated), a.createUser)
	add(a, one.with(http.MethodGet, "get-user", "One user", 0), a.getUser)
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
	list, err := a.store.Accounts(ctx, in.page())
	return pageOf(list, userView), err
}

func (a *api) getUser(ctx context.Context, in *byID) (*body[User], error) {
	return userBody(a.store.Account(ctx, in.ID))
}

func userBody(account *store.Account, err error) (*body[User], error) {
	if err != nil {
		return nil, err
	}
	return &body[User]{Body: userView(account)}, nil
}

func (a *api) createUser(ctx context.Context, in *newUser) (*body[User], error) {
	role := in.Body.Role
	if err := rules.CheckNewAccount(callerOf(ctx).account.Actor(), role); err != nil {
		return nil, err
	}
	account := newAccount(in.Body.Username, in.Body.Email.Value, in.Body.DisplayName.Value)
	account.Role, account.Disabled, account.MustChangePassword = role, in.Body.Disabled, in.Body.MustChangePassword
	check := checkAccount(account, in.Body.Password)
	if in.Body.Access != nil {
		account.AccessAll = in.Body.Access.All
		account.Libraries = permissionsOf(check, "access.", in.Body.Access.Libraries)
	}
	if err := check.Err(); err != nil {
		return nil, err
	}
	hash, err := a.hasher.Hash(ctx, in.Body.Password)
	if err != nil {
		return nil, err
	}
	account.PasswordHash = hash
	if err := a.store.CreateAccount(ctx, account); err != nil {
		return nil, nameUnknown(err, "access.")
	}
	return userBody(account, nil)
}

func (a *api) patchUser(ctx context.Context, in *userChange) (*body[User], error) {
	actor := callerOf(ctx).account.Actor()
	return userBody(a.store.UpdateAccount(ctx, in.ID, func(account *store.Account) error {
		change := rules.AccountChange{Role: in.Body.Role, Disabled: in.Body.Disabled}
		if err := rules.CheckAccountChange(actor, account.Subject(), change); err != nil {
			return err
		}
		in.Body.Email.apply(&account.Email)
		set(&account.DisplayName, in.Body.DisplayName)
		set(&account.Disabled, in.Body.Disabled)
		if in.Body.Role != "" {
			account.Role = in.Body.Role
		}
		check := new(rules.Check)
		checkProfile(check, account)
		return check.Err()
	}))
}

func (a *api) putAccess(ctx context.Context, in *accessChange) (*body[User], error) {
	check := new(rules.Check)
	libraries := permissionsOf(check, "", in.Body.Libraries)
	account, err := a.store.SetAccess(ctx, in.ID, in.Body.All, libraries, func(*store.Account) error { return check.Err() })
	return userBody(account, nameUnknown(err, ""))
}

func (a *api) putPassword(ctx context.Context, in *passwordReset) (*none, error) {
	actor := callerOf(ctx).account.Actor()
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
	actor := callerOf(ctx).account.Actor()
	return nil, a.store.DeleteAccount(ctx, in.ID, func(account *store.Account) error {
		return rules.CheckAccountChange(actor, account.Subject(), rules.AccountChange{Delete: true})
	})
}

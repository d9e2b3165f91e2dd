package httpapi

import (
	"context"

	"github.com/usher-media/usher/internal/mediaserver/rules"
	"github.com/usher-media/usher/internal/mediaserver/store"
)

type userChange struct {
	ID   string `path:"id"`
	Body struct {
		Email       OptionalText `json:"email,omitempty" doc:"Null or empty clears it"`
		DisplayName *string      `json:"displayName,omitempty" minLength:"1" maxLength:"200"`
		Role        string       `json:"role,omitempty" maxLength:"64" doc:"A built-in role, or the name of one of the server's own"`
		Disabled    *bool        `json:"disabled,omitempty" doc:"True ends the user's sessions at once"`
		IsActive    *bool        `json:"isActive,omitempty" doc:"The opposite of disabled, in Dubby's word; give one of them"`
	}
}

// disabled returns what the change says of that in either word; nil if nothing.
func (c *userChange) disabled() (*bool, error) {
	disabled, active := c.Body.Disabled, c.Body.IsActive
	switch {
	case active == nil:
		return disabled, nil
	case disabled != nil && *disabled == *active:
		return nil, invalidField("isActive", "must be the opposite of disabled")
	}
	opposite := !*active
	return &opposite, nil
}

func (a *api) patchUser(ctx context.Context, in *userChange) (*body[User], error) {
	role, custom, err := a.roleNamed(ctx, in.Body.Role)
	if err != nil {
		return nil, err
	}
	disabled, err := in.disabled()
	if err != nil {
		return nil, err
	}
	actor, err := a.holding(ctx)
	if err != nil {
		return nil, err
	}
	return a.userBody(ctx)(a.store.UpdateAccount(ctx, in.ID, func(account *store.Account) error {
		subject, email, name := account.Subject(), account.Email, account.DisplayName
		in.Body.Email.apply(&account.Email)
		set(&account.DisplayName, in.Body.DisplayName)
		if in.Body.Email.Set {
			account.EmailChosen = account.ID == actor.ID
		}
		change := rules.AccountChange{
			Role: role, Custom: custom, Disabled: disabled, Edit: account.Email != email || account.DisplayName != name,
		}
		if err := rules.CheckAccountChange(actor, subject, change); err != nil {
			return err
		}
		set(&account.Disabled, disabled)
		if role != "" {
			account.Role, account.Custom = role, custom
		}
		check := new(rules.Check)
		checkProfile(check, account)
		return check.Err()
	}))
}

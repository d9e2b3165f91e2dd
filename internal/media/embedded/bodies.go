package embedded

import (
	"context"

	"github.com/usher-media/usher/internal/media"
)

// The forms of requests. What is left out is left alone by the server.
type (
	newUser struct {
		ID                 string     `json:"id,omitempty"`
		Username           string     `json:"username"`
		Email              string     `json:"email,omitempty"`
		DisplayName        string     `json:"displayName,omitempty"`
		Role               string     `json:"role"`
		Password           string     `json:"password"`
		MustChangePassword bool       `json:"mustChangePassword"`
		Disabled           bool       `json:"disabled"`
		Access             wantAccess `json:"access"`
	}
	userChange struct {
		Email       *string `json:"email,omitempty"`
		DisplayName *string `json:"displayName,omitempty"`
		Role        string  `json:"role,omitempty"`
		Disabled    *bool   `json:"disabled,omitempty"`
	}
	wantAccess struct {
		All       bool          `json:"all"`
		Libraries []accessEntry `json:"libraries"`
	}
	passwordBody struct {
		Password           string `json:"password"`
		MustChangePassword bool   `json:"mustChangePassword"`
	}
	libraryBody struct {
		Name           *string  `json:"name,omitempty"`
		Type           string   `json:"type,omitempty"`
		Paths          []string `json:"paths,omitempty"`
		Emoji          *string  `json:"emoji,omitempty"`
		SharingEnabled *bool    `json:"sharingEnabled,omitempty"`
	}
)

func (d *Driver) newUserBody(ctx context.Context, want media.NewAccount) (newUser, error) {
	role, err := d.roleWord(ctx, want.Role)
	if err != nil {
		return newUser{}, err
	}
	list, err := accessBody(want.Access)
	if err != nil {
		return newUser{}, err
	}
	return newUser{
		ID: string(want.ID), Username: want.Username, Email: want.Email, DisplayName: want.DisplayName, Role: role,
		Password: want.Password, MustChangePassword: want.MustChangePassword, Disabled: want.Disabled, Access: list,
	}, nil
}

// accessBody writes an access in order of ids, so that equal ones are equal on the wire.
func accessBody(want media.Access) (wantAccess, error) {
	body := wantAccess{All: want.All, Libraries: make([]accessEntry, 0, len(want.Libraries))}
	for _, id := range want.IDs() {
		word, known := libraryRoleWords[want.Libraries[id]]
		if !known {
			return wantAccess{}, media.Errorf(media.Unsupported, "the server knows no such role in a library")
		}
		body.Libraries = append(body.Libraries, accessEntry{LibraryID: string(id), Role: word})
	}
	return body, nil
}

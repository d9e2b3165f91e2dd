package embedded

import (
	"context"

	"github.com/usher-media/usher/internal/media"
)

const rolesPath = "/v1/roles"

// ownRole is a role that the server's people made: a set of pairs of resource and operation.
type ownRole struct {
	ID          string `json:"id"`
	Name        string `json:"name"`
	Permissions []struct {
		Resource  string `json:"resource"`
		Operation string `json:"operation"`
	} `json:"permissions"`
}

func (r ownRole) id() string   { return r.ID }
func (r ownRole) check() error { return form(r.ID != "" && r.Name != "" && r.Permissions != nil) }

// administers says whether who has the role manages other people, or the settings of the server: who may register.
func (r ownRole) administers() bool {
	for _, p := range r.Permissions {
		if p.Operation == "write" && (p.Resource == "users" || p.Resource == "config") {
			return true
		}
	}
	return false
}

// roleOf returns the role behind the server's word; a role of its own is called as the server calls it.
func roleOf(word string) media.Role {
	if role, known := roles[word]; known {
		return role
	}
	return media.Role(word)
}

// roleWord returns the server's word for a role: a built-in one, or one of its own that it has at this moment.
func (d *Driver) roleWord(ctx context.Context, role media.Role) (string, error) {
	word, unknown := builtIn(role)
	if unknown == nil {
		return word, nil
	}
	own, err := pages[ownRole](ctx, d, rolesPath, nil)
	if err != nil {
		return "", err
	}
	for _, known := range own {
		if known.Name == string(role) {
			return known.Name, nil
		}
	}
	return "", unknown
}

package shishotest

import (
	"net/http"
	"net/mail"
	"time"
	"unicode/utf8"

	"github.com/usher-media/usher/internal/media/fold"
)

// userForm is an account as the server shows it. Lists leave out the permissions of its role.
func userForm(a *account, listed bool) object {
	form := object{
		"id": a.id, "created_at": time.Time{}, "updated_at": time.Time{}, "username": a.username, "role_id": a.role.id,
		"is_active": a.active, "must_change_password": a.mustChange, "role": roleForm(a.role, !listed),
	}
	if a.email != "" {
		form["email"] = a.email
	}
	if len(a.grants) > 0 {
		rows := []object{}
		for _, g := range a.grants {
			row := object{"id": g.id, "user_id": a.id, "library_id": g.library}
			if g.library == 0 {
				row["library_id"] = nil
			}
			rows = append(rows, row)
		}
		form["library_access"] = rows
	}
	return form
}

func (s *Server) listUsers(c *call) (int, any, error) {
	query, err := c.query("limit", "offset")
	if err != nil {
		return 0, nil, err
	}
	return list(s.accounts, long, query, func(a *account) object { return userForm(a, true) })
}

func (s *Server) getUser(c *call) (int, any, error) {
	if a := s.account(c.id()); a != nil {
		return http.StatusOK, userForm(a, false), nil
	}
	return 0, nil, missing("User")
}

type newUserForm struct {
	Username string  `json:"username"`
	Password string  `json:"password"`
	Email    *string `json:"email"`
	RoleID   int     `json:"role_id"`
	All      bool    `json:"all_library_access"`
	IDs      []int   `json:"library_ids"`
	Force    bool    `json:"require_password_reset"`
}

func (f newUserForm) check() error {
	if err := (loginForm{Username: f.Username, Password: f.Password}).check(); err != nil {
		return err
	}
	if f.RoleID == 0 {
		return invalid(`"role_id" is required`)
	}
	return checkEmail(f.Email)
}

func checkEmail(email *string) error {
	if email == nil {
		return nil
	}
	if address, err := mail.ParseAddress(*email); err != nil || address.Address != *email {
		return invalid(`"email" is not a valid email`)
	}
	return nil
}

// createUser makes every account active. What goes wrong with the grants leaves the account behind.
func (s *Server) createUser(c *call) (int, any, error) {
	var form newUserForm
	if err := c.read(&form); err != nil {
		return 0, nil, err
	}
	if err := form.check(); err != nil {
		return 0, nil, err
	}
	email := ""
	if form.Email != nil {
		email = *form.Email
	}
	role := s.role(form.RoleID)
	switch {
	case s.named(form.Username) != nil:
		return 0, nil, invalid("Username already exists")
	case s.mailed(email) != nil:
		return 0, nil, invalid("Email already exists")
	case role == nil:
		return 0, nil, invalid("Invalid role ID")
	case len(form.Password) > longestPassword:
		return 0, nil, failure()
	}
	a := &account{
		id: s.next("user"), username: form.Username, email: email, password: form.Password, role: role, active: true, mustChange: form.Force,
	}
	s.accounts = append(s.accounts, a)
	if err := s.grant(a, form.All, form.IDs); err != nil {
		return 0, nil, err
	}
	return http.StatusCreated, userForm(a, false), nil
}

type userChangeForm struct {
	Username *string `json:"username"`
	Email    *string `json:"email"`
	RoleID   *int    `json:"role_id"`
	Active   *bool   `json:"is_active"`
	IDs      *[]int  `json:"library_ids"`
	All      *bool   `json:"all_library_access"`
}

// updateUser applies the fields first, all or none, and then the grants, one by one.
func (s *Server) updateUser(c *call) (int, any, error) {
	var form userChangeForm
	if err := c.read(&form); err != nil {
		return 0, nil, err
	}
	if err := checkEmail(form.Email); err != nil {
		return 0, nil, err
	}
	a := s.account(c.id())
	if a == nil {
		return 0, nil, missing("User")
	}
	changed := *a
	if form.Username != nil {
		if n := utf8.RuneCountInString(*form.Username); n < 3 || n > 50 {
			return 0, nil, invalid(`"username" length must be greater than or equal to 3 characters`)
		}
		changed.username = *form.Username
	}
	if form.Email != nil {
		changed.email = *form.Email
	}
	if form.RoleID != nil {
		changed.role = s.role(*form.RoleID)
	}
	if form.Active != nil {
		changed.active = *form.Active
	}
	if changed.role == nil || s.clashes(a, changed) {
		return 0, nil, failure() // no check is made beforehand: the database refuses
	}
	*a = changed
	if form.IDs != nil || form.All != nil {
		var ids []int
		if form.IDs != nil {
			ids = *form.IDs
		}
		if err := s.grant(a, form.All != nil && *form.All, ids); err != nil {
			return 0, nil, err
		}
	}
	return http.StatusOK, userForm(a, false), nil
}

func (s *Server) clashes(a *account, changed account) bool {
	for _, other := range s.accounts {
		sameName := fold.ASCII(other.username) == fold.ASCII(changed.username)
		sameMail := changed.email != "" && fold.ASCII(other.email) == fold.ASCII(changed.email)
		if other != a && (sameName || sameMail) {
			return true
		}
	}
	return false
}

// deactivateUser answers the same for an account that there is not.
func (s *Server) deactivateUser(c *call) (int, any, error) {
	if c.id() == 0 {
		return 0, nil, missing("User")
	}
	if c.id() == c.user.id {
		return 0, nil, invalid("You cannot deactivate your own account")
	}
	if a := s.account(c.id()); a != nil {
		a.active = false
	}
	return http.StatusNoContent, nil, nil
}

// resetPassword answers the same for an account that there is not, and ends no session.
func (s *Server) resetPassword(c *call) (int, any, error) {
	var form struct {
		Current *string `json:"current_password"`
		New     string  `json:"new_password"`
		Force   bool    `json:"require_password_reset"`
	}
	if err := c.read(&form); err != nil {
		return 0, nil, err
	}
	if utf8.RuneCountInString(form.New) < 8 {
		return 0, nil, invalid(`"new_password" length must be greater than or equal to 8 characters`)
	}
	self := c.id() == c.user.id
	switch {
	case self && !c.user.mustChange && (form.Current == nil || *form.Current == ""):
		return 0, nil, invalid("Current password is required when resetting your own password")
	case self && !c.user.mustChange && *form.Current != c.user.password:
		return 0, nil, invalid("Current password is incorrect")
	case !self && c.user.mustChange:
		return 0, nil, refuse(http.StatusForbidden, "password_reset_required", "You must reset your password before accessing this resource.")
	case !self && !c.user.role.may("users:write"):
		return 0, nil, refuse(http.StatusForbidden, "forbidden", "You don't have permission to reset other users' passwords is not allowed.")
	case len(form.New) > longestPassword:
		return 0, nil, failure()
	}
	if a := s.account(c.id()); a != nil {
		a.password, a.mustChange = form.New, form.Force && !self
	}
	return http.StatusNoContent, nil, nil
}

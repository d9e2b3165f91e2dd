package plan

import (
	"fmt"

	"github.com/usher-media/usher/api/v1alpha1"
	"github.com/usher-media/usher/internal/access"
	"github.com/usher-media/usher/internal/media"
)

// draft is a plan under way: the account as it will be once the steps so far are taken.
type draft struct {
	Plan
	account media.Account
}

// sync makes the account what the manifest asks for, in an order in which nobody ever has more than before or after:
// disable, take or give access, role and profile, enable.
func sync(s Snapshot) Plan {
	d := draft{Plan: Plan{Of: s}}
	if !s.Blocked {
		if d.Problem = s.CheckRole(); d.Problem == nil {
			d.Problem = d.settleOwed()
		}
		d.Of.Blocked = d.Problem != nil
	}
	d.Of = d.Of.given()
	action, _ := access.Switch(d.Of.Want, d.Of.WantDisabled, d.Of.Disabled(), d.Of.Record.Disabled)
	disables := action == access.SwitchDisable && d.Of.Method() != ""
	// One that is to be disabled and cannot be is given nothing.
	d.Of.Narrowing = d.Of.Narrowing || (action == access.SwitchDisable && !disables)
	s, d.account = d.Of, d.Of.Account
	d.Target = s.Target(s.Account)
	switch {
	case disables && s.Protected != "":
		d.Steps, d.Target, d.Problem = nil, s.Account.Access, s.protected()
		return d.Plan
	case disables:
		d.disable()
	}
	d.roleAndAccess()
	switch {
	case s.Blocked:
	case action == access.SwitchEnable:
		d.add(Step{Action: Enable, Method: s.Method(), Reason: []string{"enable the account"}})
	case action == access.SwitchNothing && s.Record.Disabled && !s.WantDisabled && !s.Account.Disabled:
		d.add(Step{Action: ForgetDisabled})
	}
	return d.Plan
}

func (d *draft) add(step Step) { d.Steps = append(d.Steps, step) }

func (d *draft) disable() {
	step := Step{Action: Disable, Method: d.Of.Method(), Reason: []string{"disable the account"}}
	if step.Method == v1alpha1.DisableNoAccess {
		step.Access = d.Of.Target
		step.Reason = append(step.Reason, d.accessReasons(d.Target)...)
		d.account.Access, d.account.Exposed = d.Target, false
	}
	d.add(step)
}

// roleAndAccess makes role, access list and the rest of the profile what they are to be. What an account sees comes of
// its role and of its list together, so both are written in an order in which it never sees more than before or after.
func (d *draft) roleAndAccess() {
	s := d.Of
	var change media.AccountChange
	var reasons []string
	if !s.Blocked {
		change, reasons = s.profile()
	}
	update := func() {
		if !change.IsZero() {
			d.account.Role = s.Role()
			d.add(Step{Action: Update, Change: change, Reason: reasons})
		}
	}
	switch {
	case change.Role == nil:
		d.setAccess(s.Target)
		update()
	case s.Server.Can.Roles[s.Account.Role].SeesAll && !s.seesAll():
		// The list, which gave nothing, is made right before the role goes: what it holds from an earlier time would show at
		// once. A server that keeps no list for such an account gets the role first.
		d.add(Step{Action: SetAccess, Access: s.Target, Optional: true, Reason: d.accessReasons(d.Target)})
		update()
		d.add(Step{Action: SetAccess, Access: s.Target})
	default:
		// With the old role or with the new one, the account sees no more than what it sees with both.
		common := s.common
		if !s.Server.Can.ZeroAccess && s.Seen(media.Account{Access: common(s.Account)}) == 0 {
			common = s.Target
		}
		d.setAccess(common)
		update()
		d.setAccess(s.Target)
	}
}

// setAccess adds a step where something differs.
func (d *draft) setAccess(want func(media.Account) media.Access) {
	target := want(d.account)
	if d.account.Access.Equal(target) && !d.account.Exposed {
		return
	}
	d.add(Step{Action: SetAccess, Access: want, Reason: d.accessReasons(target)})
	d.account.Access, d.account.Exposed = target, false
}

func (d *draft) accessReasons(target media.Access) []string {
	var reasons []string
	if !d.account.Access.Equal(target) {
		reasons = d.Of.AccessReasons(d.account.Access, target)
	}
	if d.account.Exposed {
		reasons = append(reasons, "lists of the server closed, which showed or could show more than was given")
	}
	return reasons
}

// profile is what differs besides access, and says it.
func (s Snapshot) profile() (change media.AccountChange, reasons []string) {
	spec, account := s.User.Spec, s.Account
	if role := media.Role(spec.Role); account.Role != role {
		change.Role = &role
		reasons = append(reasons, fmt.Sprintf("role from %s to %s", account.Role, role))
	}
	if fold := s.Server.Traits.FoldEmail; spec.Email != "" && fold(account.Email) != fold(spec.Email) {
		change.Email = &spec.Email
		reasons = append(reasons, "email to "+spec.Email)
	}
	if spec.DisplayName != "" && s.Server.Can.DisplayName && account.DisplayName != spec.DisplayName {
		change.DisplayName = &spec.DisplayName
		reasons = append(reasons, fmt.Sprintf("display name to %q", spec.DisplayName))
	}
	return change, reasons
}

// CheckRole refuses what would demote a protected account or make an owner.
func (s Snapshot) CheckRole() *Problem {
	want, name := media.Role(s.User.Spec.Role), s.User.Spec.Username
	switch {
	case s.Account.Role == want:
		return nil
	case want == media.RoleOwner:
		return problem(v1alpha1.ReasonInvalidSpec, "account %q is not the server's owner (it is %s), and an owner is never made: choose another role", name, s.Account.Role)
	case s.Protected != "":
		return problem(v1alpha1.ReasonProtected, "account %q keeps its role %s: %s; set spec.role to %s", name, s.Account.Role, s.Protected, s.Account.Role)
	case !s.Server.Can.Roles[want].Assignable:
		return notAssignable(s, want)
	}
	return nil
}

func (s Snapshot) protected() *Problem {
	return problem(v1alpha1.ReasonProtected, "account %q is never disabled: %s", s.User.Spec.Username, s.Protected)
}

func problem(reason, format string, args ...any) *Problem {
	return &Problem{Reason: reason, Message: fmt.Sprintf(format, args...)}
}

// settleOwed is for an account that was disabled when it was adopted: its former holder may know its password, so it gets the
// manifest's before it is enabled. One that Usher may give no password stays disabled until a person enables it, who thereby
// says that whoever knows its password may come in.
func (d *draft) settleOwed() *Problem {
	s := &d.Of
	byHolder := s.User.Spec.Password != nil && s.User.Spec.Password.ChosenByHolder
	switch {
	case !s.Record.OwesPassword:
		return nil
	case !byHolder && !s.Server.Can.PasswordsFixed:
		if !s.Record.Disabled || s.Method() != v1alpha1.DisableLockOut { // that one is unlocked with the password
			d.add(Step{Action: SetOwedPassword, Reason: []string{"set its password, since it was disabled when it was adopted"}})
			s.Record.OwesPassword = false
		}
		return nil
	case s.WantDisabled:
		return nil
	}
	disabled, enabling := s.Account.Disabled, "enable the account on the server"
	if s.Record.Disabled && !disabled {
		switch s.Method() {
		case v1alpha1.DisableLockOut:
			disabled, enabling = s.PasswordUnchanged, "give the account another password on the server"
		case v1alpha1.DisableNoAccess:
			disabled, enabling = !s.Opens(s.Account), "give the account a library on the server"
		}
	}
	name := s.User.Spec.Username
	switch {
	case !disabled:
		d.add(Step{Action: ForgetDisabled})
		s.Record.Disabled, s.Record.Method, s.Record.Locked, s.Record.OwesPassword = false, "", false, false
		return nil
	case byHolder:
		return problem(v1alpha1.ReasonPasswordUnknown, "account %q was disabled when it was adopted, and whoever had it before may know its password: remove spec.password.chosenByHolder, so that it gets another one before it is enabled; or %s yourself, if it is to be used with the password that it has", name, enabling)
	}
	return problem(v1alpha1.ReasonPasswordUnknown, "account %q was disabled when it was adopted, whoever had it before may know its password, and this server sets no other: delete the account on the server, so that a new one is made; or %s yourself, if it is to be used with the password that it has", name, enabling)
}

// withdraw is all that is done to an account that was renamed on the server: what can be undone is taken, by the same manifests
// as ever, and nothing is given. It is not deleted, and gets no password, role or name.
func withdraw(s Snapshot) Plan {
	d := draft{Plan: Plan{Of: s, Target: s.Takable(s.Account)}, account: s.Account}
	disables := s.WantDisabled && !s.Account.Disabled && s.Server.Can.Disable && s.Protected == ""
	if disables {
		d.add(Step{Action: Disable, Method: v1alpha1.DisableSwitch, Reason: []string{"disable the account"}})
	}
	if disables || !s.Account.Access.Equal(d.Target) {
		d.setAccess(s.Takable)
	}
	return d.Plan
}

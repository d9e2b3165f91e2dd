package drivertest

import (
	"time"

	"github.com/usher-media/usher/internal/media"
)

// accountCases: disabling and deleting.
var accountCases = []testCase{
	{"disable", disable},
	{"disabled_by_hand", disabledByHand},
	{"delete", deleteAccount},
	{"deleted_by_hand", deletedByHand},
	{"owner_never", ownerNever},
	{"when_made", whenMade},
}

func disable(f *fixture) {
	library := f.library("Movies")
	account := f.account("mia", access(library.ID))
	switcher, able := f.driver.(media.Disabler)
	if !f.can.Disable {
		f.lacks("Disable")
		if able {
			_, err := switcher.SetDisabled(f.ctx(), account.ID, true)
			f.wantCode(err, media.Unsupported)
		}
		return
	}
	person := f.signIn("mia", password)
	for range 2 {
		after, err := switcher.SetDisabled(f.ctx(), account.ID, true)
		f.must(err)
		if !after.Disabled || !after.Access.Equal(account.Access) || !f.read(account.ID).Disabled {
			f.Errorf("after disabling: %v", after)
		}
	}
	if _, err := person.Libraries(f.ctx()); err == nil {
		f.Error("an open session goes on")
	}
	f.refusedSignIn("mia", password)
	after, err := switcher.SetDisabled(f.ctx(), account.ID, false)
	f.must(err)
	if !sameAccount(after, account) {
		f.Errorf("after enabling: %v, want %v", after, account)
	}
	f.wantSees("mia", library.ID)
	_, err = switcher.SetDisabled(f.ctx(), "there-is-no-such-account", true)
	f.wantCode(err, media.NotFound)
}

func disabledByHand(f *fixture) {
	if !f.can.Disable {
		f.lacks("Disable")
		return
	}
	account := f.anybody("mia")
	f.server.Hand.SetDisabled("mia", true)
	accounts, _ := f.listing()
	if !accounts[account.ID].Disabled || !f.read(account.ID).Disabled {
		f.Error("what was disabled by hand does not show")
	}
	// R8: no other change enables it again.
	role := media.RoleMember
	if after := f.update(account.ID, media.AccountChange{Role: &role}); !after.Disabled {
		f.Error("an update enabled the account")
	}
	if after := f.setAccess(f.read(account.ID), access(f.library("Movies").ID)); !after.Disabled {
		f.Error("a change of access enabled the account")
	}
}

func deleteAccount(f *fixture) {
	library := f.library("Movies")
	account := f.account("mia", access(library.ID))
	deleter, able := f.driver.(media.AccountDeleter)
	if !f.can.DeleteAccount {
		f.lacks("DeleteAccount")
		if able {
			f.wantCode(deleter.DeleteAccount(f.ctx(), account.ID), media.Unsupported)
		}
		return
	}
	person := f.signIn("mia", password)
	f.must(deleter.DeleteAccount(f.ctx(), account.ID))
	f.wantCode(deleter.DeleteAccount(f.ctx(), account.ID), media.NotFound)
	_, err := f.driver.Account(f.ctx(), account.ID)
	f.wantCode(err, media.NotFound)
	if accounts, _ := f.listing(); len(accounts) != len(f.early) {
		f.Errorf("listed after deleting: %v", accounts)
	}
	if _, err := person.Libraries(f.ctx()); err == nil {
		f.Error("an open session goes on")
	}
	f.refusedSignIn("mia", password)
	again := f.account("mia", access(library.ID))
	if again.ID == account.ID {
		f.Error("a new account has the old one's id")
	}
	if _, err := person.Libraries(f.ctx()); err == nil {
		f.Error("the old account's session is good for the new one")
	}
}

func deletedByHand(f *fixture) {
	if !f.can.DeleteAccount {
		f.lacks("DeleteAccount")
		return
	}
	account := f.anybody("mia")
	f.server.Hand.DeleteAccount("mia")
	_, err := f.driver.Account(f.ctx(), account.ID)
	f.wantCode(err, media.NotFound)
	f.wantCode(f.driver.SetPassword(f.ctx(), account.ID, media.NewPassword{Password: "Another password 2"}), media.NotFound)
}

// ownerNever: nobody is made owner, and Usher's own account is neither disabled, demoted nor deleted by mistake.
func ownerNever(f *fixture) {
	account := f.anybody("mia")
	check := f.unchanged()
	owner, member := media.RoleOwner, media.RoleMember
	refuse := func(err error) {
		f.Helper()
		f.wantCode(err, media.Invalid, media.PermissionDenied, media.Conflict, media.Unsupported)
	}
	_, err := f.driver.UpdateAccount(f.ctx(), account.ID, media.AccountChange{Role: &owner})
	refuse(err)
	want := f.wanted("ben", account.Access)
	want.Role = owner
	_, err = f.driver.CreateAccount(f.ctx(), want)
	refuse(err)
	if f.read(f.probe.Self).Role == media.RoleOwner {
		_, err = f.driver.UpdateAccount(f.ctx(), f.probe.Self, media.AccountChange{Role: &member})
		refuse(err)
		if f.can.Disable {
			_, err = f.driver.(media.Disabler).SetDisabled(f.ctx(), f.probe.Self, true)
			refuse(err)
		}
		if f.can.DeleteAccount {
			refuse(f.driver.(media.AccountDeleter).DeleteAccount(f.ctx(), f.probe.Self))
		}
	}
	check()
}

// whenMade: when an account or a library was made is told alike by every call, but that a creation may not tell yet, and
// by none of them where the server does not tell. A later write does not change it.
func whenMade(f *fixture) {
	library := f.library("Movies")
	account := f.account("mia", access(library.ID))
	role := f.anotherRole()
	updated := f.update(account.ID, media.AccountChange{Role: &role})
	read, err := f.driver.Library(f.ctx(), library.ID)
	f.must(err)
	accounts, libraries := f.listing()
	for what, made := range map[string]time.Time{
		"the account changed": updated.Created, "the account read": f.read(account.ID).Created,
	} {
		f.wantMoment(what, made, accounts[account.ID].Created)
	}
	f.wantMoment("the library read", read.Created, libraries[library.ID].Created)
	if !account.Created.IsZero() {
		f.wantMoment("the account", account.Created, accounts[account.ID].Created)
	}
	if !library.Created.IsZero() {
		f.wantMoment("the library", library.Created, libraries[library.ID].Created)
	}
}

func (f *fixture) wantMoment(what string, got, listed time.Time) {
	f.Helper()
	if got.IsZero() != listed.IsZero() || (!got.IsZero() && !media.SameMoment(got, listed)) || !got.Equal(media.Moment(got)) {
		f.Errorf("%s was made at %v, in the list at %v", what, got, listed)
	}
}

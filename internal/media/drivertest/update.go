package drivertest

import (
	"sync"

	"github.com/usher-media/usher/internal/media"
)

// updateCases: R8, a change leaves alone what it does not name.
var updateCases = []testCase{
	{"one_field_of_an_account", updateOneField},
	{"nothing", updateNothing},
	{"clear_email", updateClearEmail},
	{"email_taken", updateEmailTaken},
	{"beside_access", updateBesideAccess},
	{"unknown_account", updateUnknown},
	{"one_field_of_a_library", updateLibraryField},
}

func (f *fixture) update(id media.AccountID, change media.AccountChange) media.Account {
	f.Helper()
	account, err := f.driver.UpdateAccount(f.ctx(), id, change)
	f.must(err)
	return account
}

func updateOneField(f *fixture) {
	account := f.account("mia", access(f.library("Movies").ID))
	email, name, role := "new@example.org", "Another name", media.RoleGuest
	for what, step := range map[string]struct {
		able   bool
		change media.AccountChange
		apply  func(*media.Account)
	}{
		"email":       {f.can.Email && !f.driver.Traits().NamedByEmail, media.AccountChange{Email: &email}, func(a *media.Account) { a.Email = email }},
		"displayName": {f.can.DisplayName, media.AccountChange{DisplayName: &name}, func(a *media.Account) { a.DisplayName = name }},
		"role":        {f.can.Roles[role].Assignable, media.AccountChange{Role: &role}, func(a *media.Account) { a.Role = role }},
	} {
		if !step.able {
			_, err := f.driver.UpdateAccount(f.ctx(), account.ID, step.change)
			f.wantCode(err, media.Unsupported)
			continue
		}
		step.apply(&account)
		if got := f.update(account.ID, step.change); !sameAccount(got, account) {
			f.Errorf("%s: got %v, want %v", what, got, account)
		}
	}
	if read := f.read(account.ID); !sameAccount(read, account) {
		f.Errorf("read %v, want %v", read, account)
	}
	f.signIn("mia", password)
}

func updateNothing(f *fixture) {
	account := f.anybody("mia")
	check := f.unchanged()
	if got := f.update(account.ID, media.AccountChange{}); !sameAccount(got, account) {
		f.Errorf("got %v, want %v", got, account)
	}
	check()
}

func updateClearEmail(f *fixture) {
	if !f.can.Email || f.driver.Traits().KeyedByEmail {
		f.lacks("Email that may be missing")
		return
	}
	account, none := f.anybody("mia"), ""
	_, err := f.driver.UpdateAccount(f.ctx(), account.ID, media.AccountChange{Email: &none})
	f.wantCode(err, "", media.Unsupported)
	if err == nil && f.read(account.ID).Email != "" {
		f.Error("the email address is still there")
	}
}

func updateEmailTaken(f *fixture) {
	if !f.can.Email {
		f.lacks("Email")
		return
	}
	if f.driver.Traits().NamedByEmail {
		return
	}
	f.anybody("mia")
	ben, taken := f.anybody("ben"), f.email("mia")
	check := f.unchanged()
	_, err := f.driver.UpdateAccount(f.ctx(), ben.ID, media.AccountChange{Email: &taken})
	f.wantCode(err, media.AlreadyExists)
	check()
}

// updateBesideAccess changes a field from one process and the access from another: neither undoes the other.
func updateBesideAccess(f *fixture) {
	ids := f.libraries("Movies", "Shows")
	account, other, role := f.account("mia", access(ids...)), f.open(), f.anotherRole()
	var both sync.WaitGroup
	var failed error
	both.Go(func() { _, failed = other.UpdateAccount(f.ctx(), account.ID, media.AccountChange{Role: &role}) })
	f.setAccess(account, access(ids[1]))
	both.Wait()
	f.must(failed)
	if read := f.read(account.ID); read.Role != role || !read.Access.Equal(access(ids[1])) {
		f.Errorf("one change undid the other: %v", read)
	}
}

func updateUnknown(f *fixture) {
	role := media.RoleMember
	_, err := f.driver.UpdateAccount(f.ctx(), "there-is-no-such-account", media.AccountChange{Role: &role})
	f.wantCode(err, media.NotFound)
}

func updateLibraryField(f *fixture) {
	library, name := f.library("Movies"), "Films"
	update := func(change media.LibraryChange) {
		f.Helper()
		got, err := f.driver.UpdateLibrary(f.ctx(), library.ID, change)
		f.must(err)
		if !sameLibrary(got, library) {
			f.Errorf("got %v, want %v", got, library)
		}
	}
	update(media.LibraryChange{})
	library.Name = name
	update(media.LibraryChange{Name: &name})
	if !f.can.Pathless {
		library.Paths = f.paths("Movies", "More movies")
		update(media.LibraryChange{Paths: library.Paths})
	}
	for setting, value := range f.h.Settings {
		library.Settings[setting] = value
		update(media.LibraryChange{Settings: map[string]string{setting: value}})
	}
	_, libraries := f.listing()
	if !sameLibrary(libraries[library.ID], library) {
		f.Errorf("listed %v, want %v", libraries[library.ID], library)
	}
}

package drivertest

import (
	"slices"
	"sync"

	"github.com/usher-media/usher/internal/media"
)

// createCases: R5, final role and access before anybody can sign in.
var createCases = []testCase{
	{"final_access_at_once", createFinalAccess},
	{"never_more_meanwhile", createNeverMore},
	{"every_field_kept", createEveryField},
	{"disabled_from_the_start", createDisabled},
	{"refused_leaves_nothing", createRefused},
	{"bootstrap", bootstrap},
	{"bootstrap_twice_at_once", bootstrapRace},
}

// takenCases: R10, the natural key is taken.
var takenCases = []testCase{
	{"username", takenUsername},
	{"username_many_at_once", takenRace},
	{"email", takenEmail},
}

// lostCases: R12, the answer is lost.
var lostCases = []testCase{
	{"create_then_again", lostCreate},
	{"every_write_is_ambiguous", lostWrites},
}

func createFinalAccess(f *fixture) {
	ids := f.libraries("Movies", "Shows", "Music")
	created := f.account("mia", access(ids[0], ids[2]))
	f.wantAccess(created.Access, access(ids[0], ids[2]))
	f.wantSees("mia", ids[0], ids[2])
	if read := f.read(created.ID); !sameAccount(created, read) {
		f.Errorf("created %v, read back %v", created, read)
	}
}

func createNeverMore(f *fixture) {
	ids := f.libraries("Movies", "Shows")
	want := f.wanted("mia", access(ids[0]))
	f.faults.watch(func() { f.neverMore(ids[0]) })
	_, err := f.driver.CreateAccount(f.ctx(), want)
	f.faults.watch(nil)
	f.must(err)
	f.wantSees("mia", ids[0])
}

// neverMore looks at mia's view in the middle of a call: whoever can sign in sees nothing besides those.
func (f *fixture) neverMore(most ...media.LibraryID) {
	person, err := f.server.SignIn(f.ctx(), "mia", password)
	if err != nil {
		return
	}
	seen, err := person.Libraries(f.ctx())
	for _, id := range seen {
		if err == nil && !slices.Contains(most, id) {
			f.Errorf("for a moment the person sees %q", id)
		}
	}
}

func createEveryField(f *fixture) {
	library := f.library("Movies")
	want := f.wanted("Mia", access(library.ID))
	if f.can.DisplayName {
		want.DisplayName = "Mia of the movies"
	}
	want.MustChangePassword = f.can.RequirePasswordChange
	created, err := f.driver.CreateAccount(f.ctx(), want)
	f.must(err)
	expected := media.Account{
		ID: created.ID, Username: want.Username, Email: want.Email, DisplayName: want.DisplayName, Role: want.Role,
		Access: want.Access, MustChangePassword: want.MustChangePassword,
	}
	if !f.can.DisplayName {
		expected.DisplayName = created.DisplayName
	}
	if created.ID == "" || !sameAccount(created, expected) {
		f.Errorf("created %v, want %v", created, expected)
	}
}

func createDisabled(f *fixture) {
	want := f.wanted("mia", access(f.library("Movies").ID))
	want.Disabled = true
	created, err := f.driver.CreateAccount(f.ctx(), want)
	if !f.can.Disable {
		f.lacks("Disable")
		f.wantCode(err, media.Unsupported)
		return
	}
	f.must(err)
	if !created.Disabled {
		f.Error("the account is not disabled")
	}
	f.refusedSignIn("mia", password)
}

func createRefused(f *fixture) {
	library := f.library("Movies")
	check := f.unchanged()
	for name, spoil := range map[string]func(*media.NewAccount){
		"unknown library": func(a *media.NewAccount) { a.Access = access(library.ID, "there-is-no-such-library") },
		"no username":     func(a *media.NewAccount) { a.Username = "" },
		"no password":     func(a *media.NewAccount) { a.Password = "" },
	} {
		want := f.wanted("mia", access(library.ID))
		spoil(&want)
		if _, err := f.driver.CreateAccount(f.ctx(), want); err == nil {
			f.Errorf("%s: not refused", name)
		} else {
			f.wantCode(err, media.Invalid)
		}
	}
	check()
	f.refusedSignIn("mia", password)
}

func bootstrap(f *fixture) {
	maker, able := f.driver.(media.Bootstrapper)
	if !f.can.Bootstrap {
		f.lacks("Bootstrap")
		if able {
			f.wantCode(maker.Bootstrap(f.ctx()), media.Unsupported)
		}
		return
	}
	if f.can.Registration {
		// Where strangers may register, a second "first account" would be one of them.
		f.must(f.driver.(media.Registrar).SetRegistration(f.ctx(), media.RegistrationOpen))
	}
	check := f.unchanged()
	config := f.server.Config
	config.Credentials.Username, config.Credentials.Email = "somebody", f.email("somebody")
	stranger, err := f.server.Open(config)
	f.must(err)
	f.Cleanup(func() { _ = stranger.Close() })
	for _, again := range []media.Bootstrapper{maker, stranger.(media.Bootstrapper)} {
		f.wantCode(again.Bootstrap(f.ctx()), media.AlreadyExists)
	}
	check()
	f.firstAccount()
}

// firstAccount makes the first account of an empty server.
func (f *fixture) firstAccount() {
	f.Helper()
	empty := f.h.fixture(f.TB, f.h.StartEmpty)
	if !empty.probe.SetupRequired || empty.probe.Self != "" || empty.probe.Identity == "" {
		f.Errorf("an empty server's probe: %v", empty.probe)
	}
	empty.must(empty.driver.(media.Bootstrapper).Bootstrap(f.ctx()))
	empty.reprobe()
	if empty.probe.SetupRequired || empty.probe.Self == "" {
		f.Errorf("the probe after the first account: %v", empty.probe)
	}
	// It owns the server, where there is an owner.
	first := media.RoleAdmin
	if _, owned := empty.can.Roles[media.RoleOwner]; owned {
		first = media.RoleOwner
	}
	if accounts, _ := empty.listing(); len(accounts) != 1 || accounts[empty.probe.Self].Role != first {
		f.Errorf("the accounts after the first one was made: %v", accounts)
	}
}

func bootstrapRace(f *fixture) {
	if !f.can.Bootstrap {
		f.lacks("Bootstrap")
		return
	}
	empty := f.h.fixture(f.TB, f.h.StartEmpty)
	var all sync.WaitGroup
	for range 4 {
		driver := empty.open()
		all.Go(func() { _ = driver.(media.Bootstrapper).Bootstrap(f.ctx()) })
	}
	all.Wait()
	empty.reprobe()
	if accounts, _ := empty.listing(); len(accounts) != 1 {
		f.Errorf("the accounts after four first ones: %v", accounts)
	}
}

func takenUsername(f *fixture) {
	library := f.library("Movies")
	f.account("mia", access(library.ID))
	check := f.unchanged()
	again := f.wanted("mia", access(library.ID))
	again.Password, again.Role = "Another password 2", f.anotherRole()
	_, err := f.driver.CreateAccount(f.ctx(), again)
	f.wantCode(err, media.AlreadyExists)
	check()
	f.wantSees("mia", library.ID)
	f.refusedSignIn("mia", "Another password 2")
}

func takenRace(f *fixture) {
	library, other := f.library("Movies"), f.open()
	codes := make([]media.Code, 6)
	var all sync.WaitGroup
	for i := range codes {
		driver := []media.Driver{f.driver, other}[i%2]
		all.Go(func() {
			_, err := driver.CreateAccount(f.ctx(), f.wanted("mia", access(library.ID)))
			codes[i] = media.CodeOf(err)
		})
	}
	all.Wait()
	slices.Sort(codes)
	if codes[0] != "" || codes[1] != media.AlreadyExists || codes[5] != media.AlreadyExists {
		f.Errorf("six creates of one name: %q", codes)
	}
	f.wantSees("mia", library.ID)
}

func takenEmail(f *fixture) {
	if !f.can.Email {
		f.lacks("Email")
		return
	}
	if f.driver.Traits().NamedByEmail {
		return
	}
	library := f.library("Movies")
	f.account("mia", access(library.ID))
	check := f.unchanged()
	want := f.wanted("ben", access(library.ID))
	want.Email = f.email("mia")
	_, err := f.driver.CreateAccount(f.ctx(), want)
	f.wantCode(err, media.AlreadyExists)
	check()
	f.refusedSignIn("ben", password)
}

func lostCreate(f *fixture) {
	ids := f.libraries("Movies", "Shows")
	want := f.wanted("mia", access(ids[0]))
	stop := f.lose()
	_, err := f.driver.CreateAccount(f.ctx(), want)
	stop()
	f.wantCode(err, media.Ambiguous)
	accounts, _ := f.listing()
	made := len(accounts) - len(f.early)
	if made != 1 && (made != 0 || !f.h.CreatesInSteps) {
		f.Errorf("accounts after a lost answer: %v", accounts)
	}
	_, err = f.driver.CreateAccount(f.ctx(), want)
	if made == 0 {
		f.must(err)
	} else {
		f.wantCode(err, media.AlreadyExists)
	}
	f.wantSees("mia", ids[0])
}

func lostWrites(f *fixture) {
	operations := f.operations(f.driver)
	stop := f.lose()
	for _, op := range operations {
		if op.write {
			f.Logf("%s", op.name)
			f.wantCode(op.run(f.ctx()), media.Ambiguous)
		}
	}
	stop()
	f.reprobe()
}

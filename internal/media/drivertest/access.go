package drivertest

import (
	"fmt"
	"slices"
	"sync"

	"github.com/usher-media/usher/internal/media"
)

// accessCases: R6, exactly the wanted access.
var accessCases = []testCase{
	{"whole_set", grants(accessWholeSet)},
	{"library_roles", accessRoles},
	{"all", accessAll},
	{"unknown_library", accessUnknownLibrary},
	{"unknown_account", accessUnknownAccount},
	{"idempotent", accessIdempotent},
	{"fifty_libraries", grants(accessFifty)},
	{"never_more_meanwhile", grants(accessNeverMore)},
	{"lost_answer", grants(accessLost)},
	{"concurrent_accounts", grants(accessConcurrent)},
	{"concurrent_writers", grants(accessWriters)},
	{"changed_by_hand", grants(accessByHand)},
	{"beside_a_role_that_sees_all", accessBesideRole},
}

// zeroCases: R7, no library at all.
var zeroCases = []testCase{
	{"from_the_start", zeroAtCreate},
	{"last_one_taken", zeroAfter},
	{"last_library_deleted", zeroByDelete},
}

func (f *fixture) setAccess(account media.Account, want media.Access) media.Account {
	f.Helper()
	after, err := f.driver.SetAccess(f.ctx(), account, want)
	f.must(err)
	f.wantAccess(after.Access, want)
	return after
}

// grants is for cases that give a library to an account that exists. Where that is not possible, the driver must say so,
// give nothing, and take what is to be taken nevertheless.
func grants(run func(*fixture)) func(*fixture) {
	return func(f *fixture) {
		if !f.can.GrantsFixed {
			run(f)
			return
		}
		ids := f.libraries("Movies", "Shows", "Music")
		account := f.account("mia", access(ids[0], ids[1]))
		person := f.signIn("mia", password)
		_, err := f.driver.SetAccess(f.ctx(), account, access(ids[1], ids[2]))
		f.wantCode(err, media.Unsupported)
		f.wantView(person, ids[1])
		f.wantAccess(f.read(account.ID).Access, access(ids[1]))
		f.server.Hand.SetAccess("mia", access(ids[2]))
		f.wantAccess(f.read(account.ID).Access, access(ids[2]))
		f.setAccess(f.read(account.ID), access())
		f.wantView(person)
	}
}

func accessWholeSet(f *fixture) {
	ids := f.libraries("Movies", "Shows", "Music")
	account := f.account("mia", access(ids[0]))
	person := f.signIn("mia", password)
	for _, want := range [][]media.LibraryID{{ids[0], ids[1]}, {ids[2]}, {ids[1], ids[2], ids[0]}, {ids[1]}} {
		revokes := !access(want...).Includes(account.Access)
		account = f.setAccess(account, access(want...))
		if revokes && f.h.RevocationSignsOut {
			if _, err := person.Libraries(f.ctx()); err == nil {
				f.Error("the person lost a library and is signed in still")
			}
			person = f.signIn("mia", password)
		}
		f.wantView(person, want...)
		f.wantAccess(f.read(account.ID).Access, access(want...))
	}
	if account.Username != f.name("mia") || account.Role != media.RoleMember {
		f.Errorf("R8: the account changed: %v", account)
	}
}

func accessRoles(f *fixture) {
	ids := f.libraries("Movies", "Shows")
	account := f.account("mia", access(ids...))
	for _, role := range []media.LibraryRole{media.LibraryAdmin, media.LibraryViewer} {
		want := access(ids...)
		want.Libraries[ids[0]] = role
		if f.can.HasLibraryRole(role) {
			account = f.setAccess(account, want)
			f.wantSees("mia", ids...)
			continue
		}
		_, err := f.driver.SetAccess(f.ctx(), account, want)
		f.wantCode(err, media.Unsupported)
	}
	want := access(ids[0])
	want.Libraries[ids[1]] = "Emperor"
	_, err := f.driver.SetAccess(f.ctx(), account, want)
	f.wantCode(err, media.Unsupported)
	f.wantAccess(f.read(account.ID).Access, account.Access)
}

func accessAll(f *fixture) {
	ids := f.libraries("Movies", "Shows")
	account := f.account("mia", access(ids[0]))
	_, err := f.driver.SetAccess(f.ctx(), account, media.Access{All: true})
	if !f.can.AccessAll {
		f.lacks("AccessAll")
		f.wantCode(err, media.Unsupported)
		f.wantSees("mia", ids[0])
		return
	}
	f.must(err)
	later := f.library("Later")
	f.wantSees("mia", ids[0], ids[1], later.ID)
	f.setAccess(f.read(account.ID), access(ids[1]))
	f.wantSees("mia", ids[1])
}

func accessUnknownLibrary(f *fixture) {
	ids := f.libraries("Movies", "Shows")
	account := f.account("mia", access(ids[0]))
	_, err := f.driver.SetAccess(f.ctx(), account, access(ids[1], "there-is-no-such-library"))
	// Not NotFound: that would say that the account is gone.
	f.wantCode(err, media.Invalid)
	seen, err := f.signIn("mia", password).Libraries(f.ctx())
	f.must(err)
	for _, id := range seen {
		if !slices.Contains(ids, id) {
			f.Errorf("the person sees %q", id)
		}
	}
}

func accessUnknownAccount(f *fixture) {
	library := f.library("Movies")
	account := f.account("mia", access(library.ID))
	account.ID = "there-is-no-such-account"
	_, err := f.driver.SetAccess(f.ctx(), account, access(library.ID))
	f.wantCode(err, media.NotFound)
}

func accessIdempotent(f *fixture) {
	ids := f.libraries("Movies", "Shows")
	account := f.account("mia", access(ids...))
	account = f.setAccess(account, access(ids...))
	f.setAccess(account, access(ids...))
	f.wantSees("mia", ids...)
}

func accessFifty(f *fixture) {
	names := make([]string, 50)
	for i := range names {
		names[i] = fmt.Sprintf("Library %02d", i)
	}
	ids := f.libraries(names...)
	account := f.account("mia", access(ids[0]))
	before := f.writes()
	f.setAccess(account, access(ids...))
	if writes := f.writes() - before; f.h.OneAccessWrite && writes != 1 {
		f.Errorf("fifty libraries cost %d writes", writes)
	}
	f.wantSees("mia", ids...)
}

func accessNeverMore(f *fixture) {
	ids := f.libraries("Movies", "Shows", "Music")
	account := f.account("mia", access(ids[0]))
	f.faults.watch(func() { f.neverMore(ids[0], ids[1]) })
	_, err := f.driver.SetAccess(f.ctx(), account, access(ids[1]))
	f.must(err)
	f.faults.watch(nil)
	f.wantSees("mia", ids[1])
}

func accessLost(f *fixture) {
	ids := f.libraries("Movies", "Shows", "Music")
	account := f.account("mia", access(ids[0]))
	stop := f.lose()
	_, err := f.driver.SetAccess(f.ctx(), account, access(ids[1]))
	stop()
	f.wantCode(err, media.Ambiguous)
	f.neverMore(ids[0], ids[1])
	f.setAccess(f.read(account.ID), access(ids[1]))
	f.wantSees("mia", ids[1])
}

func accessConcurrent(f *fixture) {
	ids := f.libraries("Movies", "Shows", "Music")
	drivers := []media.Driver{f.driver, f.open()}
	accounts := make([]media.Account, 8)
	for i := range accounts {
		accounts[i] = f.account(fmt.Sprintf("person%d", i), access(ids[i%3]))
	}
	var all sync.WaitGroup
	for i, account := range accounts {
		all.Go(func() {
			for round := range 3 {
				if _, err := drivers[(i+round)%2].SetAccess(f.ctx(), account, access(ids[(i+round)%3], ids[(i+round+1)%3])); err != nil {
					f.Errorf("%s: %v", account.Username, err)
				}
			}
		})
	}
	all.Wait()
	for i, account := range accounts {
		f.wantSees(account.Username, ids[(i+2)%3], ids[i%3])
	}
}

// accessWriters sets one account's access from two processes at once: nobody sees more than the two wanted together,
// and the next write alone is exact.
func accessWriters(f *fixture) {
	ids := f.libraries("Movies", "Shows", "Music")
	account := f.account("mia", access(ids[0]))
	var both sync.WaitGroup
	for i, driver := range []media.Driver{f.driver, f.open()} {
		both.Go(func() {
			for range 5 {
				_, err := driver.SetAccess(f.ctx(), account, access(ids[i]))
				f.wantCode(err, "", media.Ambiguous, media.Conflict)
			}
		})
	}
	both.Wait()
	f.noMoreThan(f.signIn("mia", password), "after two writers", ids[0], ids[1])
	f.setAccess(f.read(account.ID), access(ids[1]))
	f.wantSees("mia", ids[1])
}

func accessByHand(f *fixture) {
	ids := f.libraries("Movies", "Shows")
	account := f.account("mia", access(ids[0]))
	f.server.Hand.SetAccess("mia", access(ids[1]))
	f.wantAccess(f.read(account.ID).Access, access(ids[1]))
	accounts, _ := f.listing()
	f.wantAccess(accounts[account.ID].Access, access(ids[1]))
	f.setAccess(f.read(account.ID), access(ids[0]))
	f.wantSees("mia", ids[0])
}

func zeroAtCreate(f *fixture) {
	f.library("Movies")
	_, err := f.driver.CreateAccount(f.ctx(), f.wanted("mia", access()))
	if !f.can.ZeroAccess {
		f.lacks("ZeroAccess")
		f.wantCode(err, media.Unsupported)
		f.refusedSignIn("mia", password)
		return
	}
	f.must(err)
	f.wantSees("mia")
}

func zeroAfter(f *fixture) {
	ids := f.libraries("Movies", "Shows")
	account := f.account("mia", access(ids[0]))
	person := f.signIn("mia", password)
	_, err := f.driver.SetAccess(f.ctx(), account, access())
	if !f.can.ZeroAccess {
		f.lacks("ZeroAccess")
		f.wantCode(err, media.Unsupported)
		f.wantSees("mia", ids[0])
		return
	}
	f.must(err)
	if seen, err := person.Libraries(f.ctx()); err == nil && len(seen) > 0 {
		f.Errorf("an open session sees %q", seen)
	}
	f.wantSees("mia")
	f.wantAccess(f.read(account.ID).Access, access())
}

func zeroByDelete(f *fixture) {
	if !f.can.ZeroAccess || !f.can.DeleteLibrary {
		f.lacks("ZeroAccess or no DeleteLibrary")
		return
	}
	ids := f.libraries("Movies", "Shows")
	account := f.account("mia", access(ids[0]))
	f.must(f.driver.(media.LibraryDeleter).DeleteLibrary(f.ctx(), ids[0]))
	f.wantSees("mia")
	f.wantAccess(f.read(account.ID).Access, access())
}

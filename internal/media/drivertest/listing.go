package drivertest

import (
	"fmt"
	"maps"
	"sync"

	"github.com/usher-media/usher/internal/media"
)

// listCases: R4, everything or an error.
var listCases = []testCase{
	{"paging", listPaging},
	{"while_others_write", listWhileWriting},
	{"empty", listEmpty},
}

const (
	// manyAccounts is more than two pages of a hundred.
	manyAccounts  = 204
	manyLibraries = 104
	// makers is how many make them at once.
	makers = 4
)

// many runs something for each number below n, some at once.
func many(n int, run func(i int)) {
	var all sync.WaitGroup
	for maker := range makers {
		all.Go(func() {
			for i := maker; i < n; i += makers {
				run(i)
			}
		})
	}
	all.Wait()
}

// listPaging makes the accounts while there are few libraries, since there are drivers that look at all of them for each.
func listPaging(f *fixture) {
	var mu sync.Mutex
	first := f.library("Library")
	libraries, accounts := map[media.LibraryID]bool{first.ID: true}, maps.Clone(f.early)
	some := access(first.ID)
	many(manyAccounts, func(i int) {
		made, err := f.driver.CreateAccount(f.ctx(), f.wanted(fmt.Sprintf("person%03d", i), some))
		if err != nil {
			f.Errorf("account %d: %v", i, err)
		}
		mu.Lock()
		defer mu.Unlock()
		accounts[made.ID] = true
	})
	many(manyLibraries-1, func(i int) {
		made, err := f.driver.CreateLibrary(f.ctx(), f.newLibrary(fmt.Sprintf("Library %03d", i)))
		if err != nil {
			f.Errorf("library %d: %v", i, err)
		}
		mu.Lock()
		defer mu.Unlock()
		libraries[made.ID] = true
	})
	gotAccounts, gotLibraries := f.listing()
	if len(gotAccounts) != manyAccounts+len(f.early) || len(gotLibraries) != manyLibraries {
		f.Errorf("listed %d accounts and %d libraries", len(gotAccounts), len(gotLibraries))
	}
	for id, account := range gotAccounts {
		if !accounts[id] || (!f.early[id] && !account.Access.Equal(some)) {
			f.Errorf("listed %v", account)
		}
	}
	for id := range gotLibraries {
		if !libraries[id] {
			f.Errorf("listed a library %q that was not made", id)
		}
	}
}

// listWhileWriting lists while accounts come: what was there before is in every listing.
func listWhileWriting(f *fixture) {
	library := f.library("Movies")
	var before []media.AccountID
	for i := range 30 {
		before = append(before, f.account(fmt.Sprintf("early%02d", i), access(library.ID)).ID)
	}
	other := f.open()
	var writer sync.WaitGroup
	writer.Go(func() {
		for i := range 30 {
			if _, err := other.CreateAccount(f.ctx(), f.wanted(fmt.Sprintf("late%02d", i), access(library.ID))); err != nil {
				f.Errorf("late %d: %v", i, err)
			}
		}
	})
	for range 5 {
		accounts, _ := f.listing()
		for _, id := range before {
			if _, there := accounts[id]; !there {
				f.Errorf("the listing lacks %q", id)
			}
		}
	}
	writer.Wait()
}

func listEmpty(f *fixture) {
	accounts, libraries := f.listing()
	if !f.early[f.probe.Self] || len(accounts) != len(f.early) || len(libraries) != 0 {
		f.Errorf("a fresh server has accounts %v and libraries %v", accounts, libraries)
	}
}

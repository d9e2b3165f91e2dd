package audiobookshelf

import (
	"context"
	"fmt"
	"net/http"
	"strings"

	"github.com/usher-media/usher/internal/media"
)

// partOfTheLists and unreadableRow stand in an Access that nothing wanted equals: of an account that may open every library
// and is shown some, and of one whose row is not whole.
const (
	partOfTheLists media.LibraryID   = "all libraries, of which the lists show a part"
	unreadableRow  media.LibraryID   = "nobody knows: the row of the account is not whole"
	notAsWanted    media.LibraryRole = "NotAsWanted"
)

// nobodys is the id of no library: who is granted it alone sees none, and is listed none (contract, section 5).
const nobodys = "00000000-0000-0000-0000-000000000000"

// List returns everything in two requests. The libraries come first, since the server shows a part of them to an account
// that is limited: that Usher's own is not, the list of accounts says after it.
func (d *Driver) List(ctx context.Context) (media.Listing, error) {
	shelf, err := d.libraries(ctx)
	if err != nil {
		return media.Listing{}, err
	}
	all, err := d.users(ctx)
	if err != nil {
		return media.Listing{}, err
	}
	if err := d.ownSuffices(ctx, all); err != nil {
		return media.Listing{}, err
	}
	known := d.know(shelf)
	listing := media.Listing{Accounts: make([]media.Account, 0, len(all)), Libraries: make([]media.Library, 0, len(shelf))}
	for _, u := range all {
		listing.Accounts = append(listing.Accounts, u.account(known))
	}
	for _, l := range shelf {
		listing.Libraries = append(listing.Libraries, l.library())
	}
	return listing, nil
}

// ownSuffices looks at Usher's own account in a list of all.
func (d *Driver) ownSuffices(ctx context.Context, all []user) error {
	self, err := d.whoami(ctx)
	if err != nil {
		return err
	}
	for _, u := range all {
		if u.ID == self {
			return u.suffices()
		}
	}
	return media.Errorf(media.Unavailable, "GET %s: the list lacks the account that Usher uses", usersPath)
}

// Libraries implements media.LibraryLister.
func (d *Driver) Libraries(ctx context.Context) ([]media.Library, error) {
	shelf, err := d.libraries(ctx)
	if err != nil {
		return nil, err
	}
	if err := d.seesAll(ctx); err != nil {
		return nil, err
	}
	d.know(shelf)
	all := make([]media.Library, 0, len(shelf))
	for _, l := range shelf {
		all = append(all, l.library())
	}
	return all, nil
}

// libraries are those that Usher's account is shown; all of them, if it suffices.
func (d *Driver) libraries(ctx context.Context) ([]library, error) {
	var shelf libraries
	err := d.list(ctx, librariesPath, &shelf)
	return shelf.Libraries, err
}

// users come whole, in the order in which they were made.
func (d *Driver) users(ctx context.Context) ([]user, error) {
	var all users
	err := d.list(ctx, usersPath, &all)
	return all.Users, err
}

// know remembers which libraries there are.
func (d *Driver) know(shelf []library) map[string]bool {
	known := make(map[string]bool, len(shelf))
	for _, l := range shelf {
		known[l.ID] = true
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	d.known = known
	return known
}

// learn adds a library that was made, or takes away one that is gone.
func (d *Driver) learn(id string, there bool) {
	d.mu.Lock()
	defer d.mu.Unlock()
	known := make(map[string]bool, len(d.known)+1)
	for other := range d.known {
		known[other] = other != id
	}
	known[id] = there
	d.known = known
}

// account converts one account. Libraries that are gone stay in the server's list, and are nothing that the account sees.
func (u user) account(known map[string]bool) media.Account {
	account := media.Account{
		ID: media.AccountID(u.ID), Username: u.Username, Email: u.email(), Role: roleOf(u.Type), Disabled: !*u.IsActive,
		Access:  media.Access{Libraries: map[media.LibraryID]media.LibraryRole{}},
		Created: u.CreatedAt.Time,
	}
	switch {
	case !u.whole():
		account.Access.All, account.Access.Libraries[unreadableRow] = true, notAsWanted
	case u.all() && len(u.Accessible) > 0:
		account.Access.All, account.Access.Libraries[partOfTheLists] = true, notAsWanted
	case u.all():
		account.Access.All = true
	default:
		account.Exposed = u.exposed()
		for _, id := range u.Accessible {
			if known[id] {
				account.Access.Libraries[media.LibraryID(id)] = media.LibraryViewer
			}
		}
	}
	return account
}

// accountOf converts one account, with the libraries looked at again where it names one that is not known.
func (d *Driver) accountOf(ctx context.Context, u user) (media.Account, error) {
	d.mu.Lock()
	known := d.known
	d.mu.Unlock()
	for _, id := range u.Accessible {
		if known[id] || id == nobodys {
			continue
		}
		shelf, err := d.libraries(ctx)
		if err != nil {
			return media.Account{}, err
		}
		known = d.know(shelf)
		break
	}
	return u.account(known), nil
}

// twins names the accounts that a sign-in may take for one another. The server makes them by OpenID Connect, and by two
// creations at the same moment (contract, section 4).
func twins(all []user) []string {
	var words []string
	byName := map[string][]user{}
	for _, u := range all {
		name := foldName(u.Username)
		byName[name] = append(byName[name], u)
	}
	for _, u := range all { // in the order of the list
		same := byName[foldName(u.Username)]
		if len(same) < 2 || same[0].ID != u.ID {
			continue
		}
		var each []string
		for _, one := range same {
			word := fmt.Sprintf("%q (id %s)", one.Username, one.ID)
			if one.ByOpenID {
				word = fmt.Sprintf("%q (id %s, by OpenID Connect)", one.Username, one.ID)
			}
			each = append(each, word)
		}
		words = append(words, "accounts share a name, so that one of them alone can sign in by password: "+strings.Join(each, ", ")+"; rename or delete all but one on the server")
	}
	return words
}

// unwritable names the accounts whose rows are not whole.
func unwritable(all []user) []string {
	var words []string
	for _, u := range all {
		if !u.whole() {
			words = append(words, fmt.Sprintf("the account %q (id %s) has no whole permissions on the server, which would end if Usher changed them: delete the account there, or restore its row", u.Username, u.ID))
		}
	}
	return words
}

// confirmed takes "not found" only when a list agrees: a proxy may have said it. What a proxy cannot say is a list.
func confirmed(status int, err error, listed func() (bool, error), missing error) error {
	if err == nil || (status != http.StatusNotFound && status != http.StatusGone) {
		return err
	}
	there, failed := listed()
	switch {
	case failed != nil:
		return failed
	case there:
		return media.Errorf(media.Unavailable, "the server does not find what it lists")
	}
	return missing
}

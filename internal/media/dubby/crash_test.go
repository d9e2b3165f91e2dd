package dubby_test

import (
	"context"
	"fmt"
	"net/http"
	"strings"
	"testing"

	"github.com/usher-media/usher/internal/media"
	"github.com/usher-media/usher/internal/media/dubby"
	"github.com/usher-media/usher/internal/media/dubby/dubbytest"
)

// TestCrashAtEveryPoint breaks a creation at each of its requests, before and after it is done: never is there more than
// wanted, no invite is left behind that could be deleted, and the next attempt ends well or finds its own account.
func TestCrashAtEveryPoint(t *testing.T) {
	for _, lose := range []bool{false, true} {
		for k := 1; ; k++ {
			server, driver := started(t, dubbytest.Options{DashIDs: true})
			wanted, other := server.AddLibrary("Movies"), server.AddLibrary("Shows")
			if _, err := driver.Probe(t.Context()); err != nil {
				t.Fatal(err)
			}
			reached := false
			server.SetFault(func(number int, _ *http.Request) dubbytest.Spoil {
				if number != k {
					return dubbytest.Spoil{}
				}
				reached = true
				if lose {
					return dubbytest.Spoil{Lose: true}
				}
				return dubbytest.Spoil{Status: http.StatusServiceUnavailable}
			})
			_, err := driver.CreateAccount(t.Context(), newAccount("mia@example.org", wanted.ID))
			server.SetFault(nil)
			if !reached {
				break
			}
			where := fmt.Sprintf("request %d (lost: %v)", k, lose)
			afterCrash(t, server, driver, where, err, wanted.ID, other.ID)
		}
	}
}

func afterCrash(t *testing.T, server *dubbytest.Server, driver *dubby.Driver, where string, err error, wanted, other string) {
	t.Helper()
	made := server.User("mia@example.org") != nil
	if code := media.CodeOf(err); made && err != nil && code != media.Ambiguous {
		t.Errorf("%s: an account was made, and the error is %s: %v", where, code, err)
	}
	_, again := driver.CreateAccount(t.Context(), newAccount("mia@example.org", wanted))
	if code := media.CodeOf(again); (made && code != media.AlreadyExists) || (!made && code != "") {
		t.Errorf("%s: the second attempt: %v", where, again)
	}
	if open := server.OpenInvites(); len(open) > 0 {
		t.Errorf("%s: %d invites are left behind", where, len(open))
	}
	listing, failed := driver.List(t.Context())
	if failed != nil {
		t.Fatal(failed)
	}
	for _, account := range listing.Accounts {
		if _, more := account.Access.Libraries[media.LibraryID(other)]; more {
			t.Errorf("%s: %s sees a library that nobody gave", where, account.Username)
		}
	}
}

// TestLeftoverInviteOpensNothing: what a crash between the two calls leaves behind carries no library, only Member, and
// ends within a day even on a server that counts in days.
func TestLeftoverInviteOpensNothing(t *testing.T) {
	for _, days := range []bool{false, true} {
		server, driver := started(t, dubbytest.Options{InviteDays: days})
		library := server.AddLibrary("Movies")
		ctx, crash := context.WithCancel(t.Context())
		server.SetFault(func(_ int, r *http.Request) dubbytest.Spoil {
			if strings.HasSuffix(r.URL.Path, "/register") {
				crash()
				return dubbytest.Spoil{Status: http.StatusServiceUnavailable}
			}
			return dubbytest.Spoil{}
		})
		want := newAccount("mia@example.org", library.ID)
		want.Role = media.RoleAdmin
		_, err := driver.CreateAccount(ctx, want)
		if err == nil {
			t.Fatal("made all the same")
		}
		open := server.OpenInvites()
		if len(open) != 1 || open[0].Role != "member" || len(open[0].Libraries) > 0 {
			t.Errorf("left behind: %d invites, %+v", len(open), open)
		}
		server.SetFault(nil)
		if _, err := driver.CreateAccount(t.Context(), want); err != nil || len(server.OpenInvites()) > 0 {
			t.Errorf("after the next creation: %v, %d invites", err, len(server.OpenInvites()))
		}
	}
}

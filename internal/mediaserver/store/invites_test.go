package store

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/usher-media/usher/internal/mediaserver/auth"
	"github.com/usher-media/usher/internal/mediaserver/rules"
)

func ptr[T any](v T) *T { return &v }

// inviterID is the owner's id on a server with invites.
const inviterID = "V1StGXR8_Z5jdHi6B-own"

// addInvite stores an invite for the libraries, changed as asked, on a server that has an owner.
func addInvite(t *testing.T, s *Store, libraries []*Library, change func(*Invite)) *Invite {
	t.Helper()
	invite := &Invite{ID: auth.NewID(), CodeSHA256: auth.CodeHash(auth.NewCode()), Role: rules.Member, InviterName: "Olga", CreatedBy: inviterID}
	for _, library := range libraries {
		invite.Libraries = append(invite.Libraries, InviteLibrary{LibraryID: library.ID, Role: rules.Viewer})
	}
	if change != nil {
		change(invite)
	}
	must(t, s.CreateInvite(t.Context(), invite))
	if _, err := s.Account(t.Context(), inviterID); errors.Is(err, ErrAccountNotFound) {
		must(t, s.CreateAccount(t.Context(), &Account{ID: inviterID, Username: "olga", Role: rules.Owner}))
	}
	return invite
}

func newcomer(name string) *Account {
	return &Account{ID: auth.NewID(), Username: name, DisplayName: name, PasswordHash: "hash"}
}

func wantDead(t *testing.T, err error, status rules.InviteStatus) {
	t.Helper()
	var dead *rules.DeadInvite
	if !errors.As(err, &dead) || dead.Status != status {
		t.Errorf("got %v, want a dead invite: %s", err, status)
	}
}

// reload reads the invite again and checks that it counts exactly the uses that it lists.
func reload(t *testing.T, s *Store, invite *Invite, uses int) *Invite {
	t.Helper()
	got, err := s.Invite(t.Context(), invite.ID)
	must(t, err)
	list, err := s.InviteUses(t.Context(), invite.ID, Page{Limit: 100})
	if must(t, err); got.UseCount != uses || len(list.Items) != uses {
		t.Errorf("%d uses counted, %d listed, want %d", got.UseCount, len(list.Items), uses)
	}
	return got
}

// Alcoves seed, lines 42 and 53.
func TestFiftyRacingRegistrationsForTenPlaces(t *testing.T) {
	s := open(t)
	films := addLibrary(t, s, "Films", "/f")
	invite := addInvite(t, s, []*Library{films}, func(v *Invite) { v.MaxUses = ptr(10) })
	var in, out atomic.Int32
	var wait sync.WaitGroup
	for i := range 50 {
		wait.Go(func() {
			var dead *rules.DeadInvite
			switch err := s.Register(context.WithoutCancel(t.Context()), newcomer(fmt.Sprint("u", i)), invite.CodeSHA256); {
			case err == nil:
				in.Add(1)
			case errors.As(err, &dead) && dead.Status == rules.InviteExhausted:
				out.Add(1)
			default:
				t.Error(err)
			}
		})
	}
	wait.Wait()
	accounts, err := s.Accounts(t.Context(), Page{Limit: 100})
	if must(t, err); in.Load() != 10 || out.Load() != 40 || len(accounts.Items) != 11 {
		t.Errorf("%d in, %d out, %d accounts", in.Load(), out.Load(), len(accounts.Items))
	}
	for _, account := range accounts.Items[1:] {
		if account.Role != rules.Member || len(account.Libraries) != 1 {
			t.Errorf("got %+v", account)
		}
	}
	reload(t, s, invite, 10)
}

// The statement that counts refuses by itself: it does not lean on what was read before it.
func TestCountingAsksAgain(t *testing.T) {
	s := open(t)
	mia := addAccount(t, s, "mia")
	for status, kill := range map[rules.InviteStatus]func(*Invite){
		rules.InviteRevoked:   func(v *Invite) { v.Revoked = true },
		rules.InviteExpired:   func(v *Invite) { v.ExpiresAt = ptr(At(noon)) },
		rules.InviteExhausted: func(v *Invite) { v.UseCount, v.MaxUses = 0, ptr(1) },
		// Of one that is held, too.
		rules.InviteUnavailable: func(v *Invite) { v.Held = true },
	} {
		invite := addInvite(t, s, nil, kill)
		if status == rules.InviteExhausted {
			must(t, s.Register(t.Context(), newcomer("first"), invite.CodeSHA256))
		}
		tx, err := s.write.BeginTx(t.Context(), nil)
		must(t, err)
		wantDead(t, s.use(t.Context(), tx, invite, mia, false), status)
		must(t, tx.Rollback())
	}
}

// A taken name, an unknown library: whatever fails takes the use along.
func TestAFailedRegistrationUsesNothing(t *testing.T) {
	s := open(t)
	invite := addInvite(t, s, nil, func(v *Invite) { v.MaxUses = ptr(1) })
	wantErr(t, s.Register(t.Context(), newcomer("OLGA"), invite.CodeSHA256), ErrUsernameTaken)
	reload(t, s, invite, 0)
	must(t, s.Register(t.Context(), newcomer("mia"), invite.CodeSHA256))
	// The answer got lost: the same name learns that it is in, another that the invite is used up.
	wantErr(t, s.Register(t.Context(), newcomer("Mia"), invite.CodeSHA256), ErrUsernameTaken)
	wantDead(t, s.Register(t.Context(), newcomer("olga"), invite.CodeSHA256), rules.InviteExhausted)
	wantErr(t, s.Register(t.Context(), newcomer("tom"), auth.CodeHash("no such code")), ErrInviteNotFound)
	reload(t, s, invite, 1)
}

// Any expiry counts, also those that a careless store reads as "never".
func TestUnusualExpiriesExpire(t *testing.T) {
	s := open(t)
	for _, expiry := range []time.Time{{}, time.Unix(0, 0), time.Unix(0, 1), time.Date(1, 1, 1, 0, 0, 0, 0, time.UTC), noon} {
		invite := addInvite(t, s, nil, func(v *Invite) { v.ExpiresAt = ptr(At(expiry)) })
		got := reload(t, s, invite, 0)
		if status := got.Terms().Status(noon); status != rules.InviteExpired {
			t.Errorf("%v: %s", expiry, status)
		}
		wantDead(t, s.Register(t.Context(), newcomer("mia"), invite.CodeSHA256), rules.InviteExpired)
	}
	far := time.Date(9999, 12, 31, 23, 59, 59, 0, time.UTC)
	invite := addInvite(t, s, nil, func(v *Invite) { v.ExpiresAt = ptr(At(far)) })
	if got := reload(t, s, invite, 0); !got.Expiry().Equal(far) || got.Terms().Status(noon) != rules.InvitePending {
		t.Errorf("got %v", got.Expiry())
	}
}

// On time to the microsecond, by the clock alone.
// Alcoves seed, lines 43 and 52.
func TestAnInviteExpiresByTheClock(t *testing.T) {
	now := noon
	s, err := Open(t.Context(), Config{Location: newDatabase(t), Clock: func() time.Time { return now }})
	must(t, err)
	defer func() { must(t, s.Close()) }()
	invite := addInvite(t, s, nil, func(v *Invite) { v.ExpiresAt = ptr(At(noon.Add(time.Second))) })
	now = noon.Add(time.Second - time.Nanosecond)
	must(t, s.Register(t.Context(), newcomer("early"), invite.CodeSHA256))
	now = noon.Add(time.Second)
	wantDead(t, s.Register(t.Context(), newcomer("late"), invite.CodeSHA256), rules.InviteExpired)
	_, err = s.UpdateInvite(t.Context(), invite.ID, func(v *Invite) error { v.ExpiresAt = nil; return nil })
	must(t, err)
	must(t, s.Register(t.Context(), newcomer("late"), invite.CodeSHA256))
}

// Alcoves seed, lines 47 and 60.
func TestAcceptingGivesTheHigherRoleOnce(t *testing.T) {
	s := open(t)
	films, kids := addLibrary(t, s, "Films", "/f"), addLibrary(t, s, "Kids", "/k")
	mia := addAccount(t, s, "mia")
	invite := addInvite(t, s, []*Library{films, kids}, func(v *Invite) { v.Libraries[1].Role = rules.LibraryAdmin })
	_, err := s.Grant(t.Context(), films.ID, mia.ID, rules.LibraryAdmin, anyRole)
	must(t, err)
	for i, already := range []bool{false, true, true} {
		got, err := s.Accept(t.Context(), invite.CodeSHA256, mia.ID, allow)
		if must(t, err); got.AlreadyMember != already || len(got.LibraryIDs) != 2 {
			t.Errorf("try %d: %+v", i, got)
		}
	}
	account, err := s.Account(t.Context(), mia.ID)
	must(t, err)
	for _, permission := range account.Libraries {
		if permission.Role != rules.LibraryAdmin {
			t.Errorf("got %+v", permission)
		}
	}
	// What an administrator takes away does not come back by the old link, which does not call anybody a member who is none.
	must(t, s.Revoke(t.Context(), kids.ID, mia.ID, allowRole))
	_, err = s.Accept(t.Context(), invite.CodeSHA256, mia.ID, allow)
	wantErr(t, err, rules.ErrUsedInvite)
	if account, err = s.Account(t.Context(), mia.ID); err != nil || len(account.Libraries) != 1 || account.Libraries[0].LibraryID != films.ID {
		t.Errorf("got %+v, %v", account.Libraries, err)
	}
	reload(t, s, invite, 1)
}

// Alcoves seed, line 60: "a no-op", also at the same moment.
func TestRacingAcceptsOfOnePersonCountOnce(t *testing.T) {
	s := open(t)
	invite := addInvite(t, s, []*Library{addLibrary(t, s, "Films", "/f")}, func(v *Invite) { v.MaxUses = ptr(2) })
	mia := addAccount(t, s, "mia")
	var wait sync.WaitGroup
	for range 20 {
		wait.Go(func() {
			if _, err := s.Accept(context.WithoutCancel(t.Context()), invite.CodeSHA256, mia.ID, allow); err != nil {
				t.Error(err)
			}
		})
	}
	wait.Wait()
	reload(t, s, invite, 1)
}

// Alcoves seed, lines 69 and 70: how often a link was used stays known, and who is in stays in.
func TestInvitesOutliveLibrariesAndPeople(t *testing.T) {
	s := open(t)
	films := addLibrary(t, s, "Films", "/f")
	invite := addInvite(t, s, []*Library{films}, nil)
	must(t, s.Register(t.Context(), newcomer("mia"), invite.CodeSHA256))
	must(t, s.DeleteLibrary(t.Context(), Viewer{All: true}, films.ID, func(*Library) error { return nil }))
	if got := reload(t, s, invite, 1); len(got.Libraries) != 0 {
		t.Errorf("got %+v", got)
	}
	tom := newcomer("tom")
	must(t, s.Register(t.Context(), tom, invite.CodeSHA256))
	must(t, s.DeleteAccount(t.Context(), tom.ID, allow))
	list, err := s.InviteUses(t.Context(), invite.ID, Page{Limit: 1})
	if must(t, err); list.Items[0].Username != "mia" || list.Next == "" {
		t.Errorf("got %+v", list)
	}
	list, err = s.InviteUses(t.Context(), invite.ID, Page{Limit: 1, Cursor: list.Next})
	if must(t, err); list.Items[0].Username != "tom" || list.Items[0].AccountID != tom.ID || !list.Items[0].Registered {
		t.Errorf("got %+v", list.Items[0])
	}
	reload(t, s, invite, 2)
	must(t, s.DeleteInvite(t.Context(), invite.ID, func(*Invite) error { return nil }))
	wantErr(t, s.DeleteInvite(t.Context(), invite.ID, func(*Invite) error { return nil }), ErrInviteNotFound)
	_, err = s.InviteUses(t.Context(), invite.ID, Page{Limit: 1})
	wantErr(t, err, ErrInviteNotFound)
	if _, err := s.AccountByLogin(t.Context(), "mia", false); err != nil {
		t.Error("deleting the invite took somebody along:", err)
	}
}

func TestBadInvitesChangeNothing(t *testing.T) {
	s := open(t)
	invite := addInvite(t, s, nil, nil)
	wantErr(t, s.CreateInvite(t.Context(), &Invite{ID: auth.NewID(), CodeSHA256: invite.CodeSHA256, Role: rules.Guest}), ErrCodeTaken)
	var unknown *UnknownLibrariesError
	_, err := s.UpdateInvite(t.Context(), invite.ID, func(v *Invite) error {
		v.Revoked, v.Libraries = true, []InviteLibrary{{LibraryID: "\x00"}}
		return nil
	})
	if !errors.As(err, &unknown) {
		t.Errorf("got %v", err)
	}
	admin := &Invite{ID: auth.NewID(), CodeSHA256: "x", Role: rules.Admin}
	if err := s.CreateInvite(t.Context(), admin); err == nil {
		t.Error("the database takes an invite that makes admins")
	}
	if got := reload(t, s, invite, 0); got.Revoked {
		t.Error("half of a change was made")
	}
}

func TestAPageOfInvitesTakesSixStatements(t *testing.T) {
	s := open(t)
	films := addLibrary(t, s, "Films", "/f")
	for range 30 {
		addInvite(t, s, []*Library{films}, nil)
	}
	seen := new(counter)
	s.read = s.read.WithQueryHook(seen)
	for _, limit := range []int{1, 10, 100} {
		seen.n.Store(0)
		list, err := s.Invites(t.Context(), Page{Limit: limit})
		if must(t, err); seen.n.Load() != 6 || len(list.Items) != min(limit, 30) || list.Items[0].Libraries[0].Name != "Films" {
			t.Errorf("limit %d: %d statements, %d invites", limit, seen.n.Load(), len(list.Items))
		}
	}
}

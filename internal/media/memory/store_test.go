package memory_test

import (
	"context"
	"errors"
	"reflect"
	"testing"

	"github.com/usher-media/usher/internal/media"
	"github.com/usher-media/usher/internal/media/memory"
)

func connect(t *testing.T, store *memory.Store) media.Driver {
	t.Helper()
	driver, err := store.Open(store.Config())
	if err != nil {
		t.Fatal(err)
	}
	return driver
}

func wantCode(t *testing.T, err error, code media.Code) {
	t.Helper()
	if media.CodeOf(err) != code {
		t.Errorf("got %q (%v), want %q", media.CodeOf(err), err, code)
	}
}

func mia(libraries ...media.LibraryID) media.NewAccount {
	access := media.Access{}.Clone()
	for _, id := range libraries {
		access.Libraries[id] = media.LibraryViewer
	}
	return media.NewAccount{Username: "mia", Role: media.RoleMember, Password: "mia's password", Access: access}
}

func TestCountsAndWrites(t *testing.T) {
	ctx, store := context.Background(), memory.NewStore(memory.Options{})
	driver := connect(t, store)
	movies := store.AddLibrary(media.Library{Name: "Movies"})
	account, err := driver.CreateAccount(ctx, mia(movies))
	if err != nil {
		t.Fatal(err)
	}
	_, err = driver.CreateAccount(ctx, mia())
	wantCode(t, err, media.AlreadyExists)
	_, _ = driver.List(ctx)
	want := map[memory.Op]int{memory.CreateAccount: 2, memory.List: 1}
	if got := store.Counts(); !reflect.DeepEqual(got, want) {
		t.Errorf("counts %v", got)
	}
	if store.Count(memory.Any) != 3 || store.Count(memory.CreateAccount) != 2 || store.WriteCount() != 2 || store.Peak() != 1 {
		t.Errorf("%d calls, %d writes, peak %d", store.Count(memory.Any), store.WriteCount(), store.Peak())
	}
	writes := store.Writes()
	if len(writes) != 2 || writes[0].Account != account.ID || !writes[0].Applied || writes[0].Access.IDs()[0] != movies ||
		writes[1].Applied || writes[1].Code != media.AlreadyExists {
		t.Errorf("writes %+v", writes)
	}
	store.ResetCalls()
	if store.Count(memory.Any) != 0 || len(store.Writes()) != 0 {
		t.Error("not reset")
	}
	role := media.RoleGuest
	_, err = driver.UpdateAccount(ctx, account.ID, media.AccountChange{Role: &role})
	if fields := store.Writes(memory.UpdateAccount)[0].Fields; err != nil || len(fields) != 1 || fields[0] != "role" {
		t.Errorf("%v %v", fields, err)
	}
	if len(store.Writes(memory.SetAccess)) != 0 {
		t.Error("writes are not filtered")
	}
}

func TestFailAndLose(t *testing.T) {
	ctx, store := context.Background(), memory.NewStore(memory.Options{})
	driver := connect(t, store)
	store.Fail(memory.CreateAccount, 1, media.Errorf(media.RateLimited, "not now"))
	_, err := driver.CreateAccount(ctx, mia())
	wantCode(t, err, media.RateLimited)
	if _, made := store.Account("mia"); made {
		t.Error("a failed create made an account")
	}
	store.Lose(memory.CreateAccount, 1)
	_, err = driver.CreateAccount(ctx, mia())
	wantCode(t, err, media.Ambiguous)
	if _, made := store.Account("MIA"); !made || !store.CheckPassword("mia", "mia's password") {
		t.Error("a lost create made nothing")
	}
	_, err = driver.CreateAccount(ctx, mia())
	wantCode(t, err, media.AlreadyExists)
	stop := store.Lose(memory.List, -1)
	_, err = driver.List(ctx)
	wantCode(t, err, media.Unavailable)
	stop()
	up := store.Down()
	_, err = driver.Probe(ctx)
	wantCode(t, err, media.Unavailable)
	up()
	_, err = driver.Probe(ctx)
	wantCode(t, err, "")
}

func TestHold(t *testing.T) {
	store := memory.NewStore(memory.Options{})
	driver := connect(t, store)
	for moment, code := range map[memory.Moment]media.Code{memory.Before: media.Unavailable, memory.After: media.Ambiguous} {
		hold := store.Hold(memory.CreateAccount, moment)
		ctx, cancel := context.WithCancel(context.Background())
		done := make(chan error)
		go func() {
			_, err := driver.CreateAccount(ctx, mia())
			done <- err
		}()
		if call := <-hold.Arrived(); call.Name != "mia" {
			t.Errorf("arrived %+v", call)
		}
		if _, made := store.Account("mia"); made != (moment == memory.After) {
			t.Errorf("moment %d: made %v", moment, made)
		}
		cancel()
		err := <-done
		wantCode(t, err, code)
		if !errors.Is(err, context.Canceled) {
			t.Error(err)
		}
		store.RemoveAccount("mia")
		go func() {
			_, err := driver.CreateAccount(context.Background(), mia())
			done <- err
		}()
		<-hold.Arrived()
		hold.Release()
		hold.Release()
		wantCode(t, <-done, "")
		store.RemoveAccount("mia")
	}
}

// Without zero access the server opens everything on an empty list: an edit by hand can fall into that.
func TestEmptyListOpensEverything(t *testing.T) {
	store := memory.NewStore(memory.Options{Capabilities: func(c *media.Capabilities) { c.ZeroAccess = false }})
	movies := store.AddLibrary(media.Library{Name: "Movies"})
	store.AddLibrary(media.Library{Name: "Mia's own", Personal: true})
	store.AddAccount(media.Account{Username: "mia"}, "mia's password")
	if seen, err := store.Sees("mia", "mia's password"); err != nil || len(seen) != 1 || seen[0] != movies {
		t.Errorf("%v %v", seen, err)
	}
}

func TestHandEdits(t *testing.T) {
	ctx, store := context.Background(), memory.NewStore(memory.Options{})
	driver := connect(t, store)
	id := store.AddAccount(media.Account{Username: "mia"}, "mia's password")
	if !store.EditAccount("Mia", func(a *media.Account) { a.Username, a.Email = "maria", "maria@example.org" }) {
		t.Error("not edited")
	}
	read, err := driver.Account(ctx, id)
	if err != nil || read.Username != "maria" || read.Role != media.RoleMember {
		t.Errorf("%v %v", read, err)
	}
	if _, there := store.Account("mia"); there {
		t.Error("the old name is still there")
	}
	if !store.ChangePassword("maria", "something else") || store.CheckPassword("maria", "mia's password") {
		t.Error("the password did not change")
	}
	library := store.AddLibrary(media.Library{Name: "Movies", Settings: map[string]string{}})
	store.EditAccount("maria", func(a *media.Account) { a.Access.Libraries[library] = media.LibraryViewer })
	if !store.RemoveLibrary(library) || store.RemoveLibrary(library) {
		t.Error("removing a library")
	}
	if read, _ = driver.Account(ctx, id); len(read.Access.Libraries) != 0 {
		t.Errorf("access to what is gone: %v", read)
	}
	store.SetIdentity("another")
	store.EditCapabilities(func(c *media.Capabilities) { c.Disable = false })
	probe, err := driver.Probe(ctx)
	if err != nil || probe.Identity != "another" || probe.Capabilities.Disable {
		t.Errorf("%+v %v", probe, err)
	}
	store.Wipe()
	if probe, err = driver.Probe(ctx); err != nil || !probe.SetupRequired {
		t.Errorf("%+v %v", probe, err)
	}
}

func TestFleet(t *testing.T) {
	var fleet memory.Fleet
	store := memory.NewStore(memory.Options{Identity: "the one"})
	config := store.Config()
	driver, err := fleet.Open(config)
	wantCode(t, err, "")
	_, err = driver.Probe(context.Background())
	wantCode(t, err, media.Unavailable)
	fleet.Put(config.URL, store)
	driver, err = fleet.Open(config)
	wantCode(t, err, "")
	if probe, err := driver.Probe(context.Background()); err != nil || probe.Identity != "the one" {
		t.Errorf("%+v %v", probe, err)
	}
	_, err = fleet.Open(media.Config{URL: config.URL})
	wantCode(t, err, media.Invalid)
}

package alcoves_test

import (
	"net/http"
	"slices"
	"testing"

	"github.com/usher-media/usher/internal/media"
	"github.com/usher-media/usher/internal/media/alcoves"
	"github.com/usher-media/usher/internal/media/alcoves/alcovestest"
)

const password = "a first password 1"

// connected is a driver and the instance that it speaks to.
type connected struct {
	*running
	media.Driver
}

func (r *running) open(config media.Config) connected {
	r.t.Helper()
	driver, err := alcoves.OpenCheap(config)
	if err != nil {
		r.t.Fatal(err)
	}
	r.t.Cleanup(func() { _ = driver.Close() })
	return connected{r, driver}
}

// bothWays runs a test with a database and without.
func bothWays(t *testing.T, run func(t *testing.T, c connected)) {
	t.Run("with database", func(t *testing.T) { r := start(t); run(t, r.open(r.withDatabase())) })
	t.Run("without database", func(t *testing.T) { r := start(t); run(t, r.open(r.config())) })
}

func (c connected) library(name string) media.LibraryID {
	c.t.Helper()
	made, err := c.CreateLibrary(c.t.Context(), media.NewLibrary{Name: name, MediaType: "Mixed"})
	c.ok(err)
	return made.ID
}

func (c connected) account(name string, libraries ...media.LibraryID) media.Account {
	c.t.Helper()
	made, err := c.CreateAccount(c.t.Context(), wanted(name, libraries...))
	c.ok(err)
	return made
}

func wanted(name string, libraries ...media.LibraryID) media.NewAccount {
	return media.NewAccount{Username: address(name), Email: address(name), Role: media.RoleMember, Password: password, Access: viewer(libraries...)}
}

func viewer(libraries ...media.LibraryID) media.Access {
	access := media.Access{}.Clone()
	for _, id := range libraries {
		access.Libraries[id] = media.LibraryViewer
	}
	return access
}

func (c connected) ok(err error) {
	c.t.Helper()
	if err != nil {
		c.t.Fatalf("%v (%s)", err, media.CodeOf(err))
	}
}

func (c connected) wantCode(err error, code media.Code) {
	c.t.Helper()
	if media.CodeOf(err) != code {
		c.t.Errorf("got %q (%v), want %q", media.CodeOf(err), err, code)
	}
}

// wantSees fails unless a person who signs in sees exactly those libraries.
func (c connected) wantSees(name string, want ...media.LibraryID) {
	c.t.Helper()
	got, err := c.must(name, password).Libraries(c.t.Context())
	c.ok(err)
	slices.Sort(got)
	if slices.Sort(want); !slices.Equal(got, want) {
		c.t.Errorf("%s sees %v, want %v", name, got, want)
	}
}

func (c connected) link(library media.LibraryID, maxUses int) media.Invite {
	c.t.Helper()
	made, err := c.Driver.(media.Inviter).CreateInvite(c.t.Context(), media.NewInvite{Settings: media.InviteSettings{
		Role: media.RoleMember, Libraries: viewer(library).Libraries, MaxUses: maxUses,
	}})
	c.ok(err)
	return made
}

// accept opens a link as a person and returns the status.
func (c connected) accept(who *person, code string) int {
	c.t.Helper()
	status, err := who.call(c.t.Context(), "POST", "/api/invites/"+code+"/accept", nil, nil)
	c.ok(err)
	return status
}

// Setting a detection again makes the server look at every image again, so only what differs is sent.
func TestPatchRequeuesNothing(t *testing.T) {
	bothWays(t, func(t *testing.T, c connected) {
		settings := map[string]string{"emoji": "🧸", "faceRecognition": "true", "objectDetection": "true", "publicSharing": "false"}
		made, err := c.CreateLibrary(t.Context(), media.NewLibrary{Name: "Movies", MediaType: "Mixed", Settings: settings})
		c.ok(err)
		if n := c.Requeued(); n != 2 {
			t.Fatalf("two detections that were turned on queued the images %d times", n)
		}
		c.Requests()
		_, err = c.UpdateLibrary(t.Context(), made.ID, media.LibraryChange{Settings: settings})
		c.ok(err)
		if n := c.Requests()["PATCH /api/libraries/{id}"]; n != 0 {
			t.Errorf("%d writes where nothing differs", n)
		}
		settings["emoji"] = "🎬"
		after, err := c.UpdateLibrary(t.Context(), made.ID, media.LibraryChange{Settings: settings})
		c.ok(err)
		if after.Settings["emoji"] != "🎬" || c.Requeued() != 2 {
			t.Errorf("after the emoji was changed: %v, queued %d times", after.Settings, c.Requeued())
		}
	})
}

// By a link that lives, somebody who was removed would come back, even by one that is used up but for them.
func TestRemovedPersonAndLiveLink(t *testing.T) {
	bothWays(t, func(t *testing.T, c connected) {
		movies, shows := c.library("Movies"), c.library("Shows")
		mia := c.account("mia", shows)
		endless, other := c.link(movies, 0), c.link(shows, 0)
		person := c.must("mia", password)
		if status := c.accept(person, endless.Code); status != http.StatusOK {
			t.Fatalf("accept: %d", status)
		}
		after, err := c.SetAccess(t.Context(), mia, viewer(shows))
		c.ok(err)
		if status := c.accept(person, endless.Code); status != http.StatusGone {
			t.Errorf("the removed person came back: %d", status)
		}
		if !after.Access.Equal(viewer(shows)) {
			t.Errorf("after removal: %v", after.Access)
		}
		c.wantSees("mia", shows)
		if status := c.accept(person, other.Code); status != http.StatusOK {
			t.Errorf("the link to the other library died as well: %d", status)
		}
	})
}

// The server leaves the rows of members and links of a deleted library behind: they go first.
func TestNoOrphansOfADeletedLibrary(t *testing.T) {
	bothWays(t, func(t *testing.T, c connected) {
		movies := c.library("Movies")
		c.account("mia", movies)
		c.link(movies, 3)
		c.ok(c.Driver.(media.LibraryDeleter).DeleteLibrary(t.Context(), movies))
		if n := c.Count(`SELECT 1 FROM library_members WHERE library_id = $1`, string(movies)); n != 0 {
			t.Errorf("%d members of a library that is gone", n)
		}
		if n := c.Count(`SELECT 1 FROM library_invites WHERE library_id = $1 AND revoked_at IS NULL`, string(movies)); n != 0 {
			t.Errorf("%d live links to a library that is gone", n)
		}
	})
}

// What only the deletion itself tells, that the library is not empty, is told with nothing lost. Without a database the
// server leaves no such way (section 4).
func TestARefusedDeletionLosesNothing(t *testing.T) {
	r := start(t)
	c := r.open(r.withDatabase())
	movies := c.library("Movies")
	c.account("mia", movies)
	c.link(movies, 3)
	c.Exec(`INSERT INTO files (library_id) VALUES ($1::uuid)`, string(movies))
	c.wantCode(c.Driver.(media.LibraryDeleter).DeleteLibrary(t.Context(), movies), media.Conflict)
	c.wantSees("mia", movies)
	if n := c.Count(`SELECT 1 FROM library_invites WHERE library_id = $1 AND revoked_at IS NULL`, string(movies)); n != 1 {
		t.Errorf("%d live links to a library that is there", n)
	}
	c.Exec(`DELETE FROM libraries WHERE id = $1::uuid`, string(movies)) // as by a deletion whose answer was lost
	c.wantCode(c.Driver.(media.LibraryDeleter).DeleteLibrary(t.Context(), movies), media.NotFound)
	if n := c.Count(`SELECT 1 FROM library_members WHERE library_id = $1`, string(movies)); n != 0 {
		t.Errorf("%d members of a library that is gone", n)
	}
}

// Two people can get the last use at the same moment: what counts is that the link is used up.
func TestMoreUsesThanALinkSays(t *testing.T) {
	bothWays(t, func(t *testing.T, c connected) {
		movies := c.library("Movies")
		link := c.link(movies, 1)
		for _, name := range []string{"mia", "ben"} {
			c.account(name)
			c.Exec(`INSERT INTO library_invite_uses (invite_id, user_id) SELECT i.id, u.id FROM library_invites i, users u WHERE i.token = $1 AND u.email = $2`, link.Code, address(name))
		}
		c.Exec(`UPDATE library_invites SET use_count = 2 WHERE token = $1`, link.Code)
		listed, err := c.Driver.(media.Inviter).ListInvites(t.Context())
		c.ok(err)
		at := slices.IndexFunc(listed, func(i media.Invite) bool { return i.ID == link.ID })
		if at < 0 || listed[at].Uses != 2 || listed[at].Settings.MaxUses != 1 || listed[at].Code != link.Code {
			t.Fatalf("listed: %+v", listed)
		}
		uses, err := c.Driver.(media.Inviter).InviteUses(t.Context(), link.ID)
		c.ok(err)
		if len(uses) != 2 {
			t.Fatalf("%d people came, want 2", len(uses))
		}
		if last := uses[1]; listed[at].LastUsedBy != last.Account || !last.Told || last.Role != media.RoleMember || last.Libraries[movies] != media.LibraryViewer {
			t.Errorf("last used by %s; the last use: %+v", listed[at].LastUsedBy, last)
		}
	})
}

// Who registers with a link has an account even where redeeming the link fails: then the account accepts it by itself.
func TestRegisteredButNotRedeemed(t *testing.T) {
	r := start(t)
	c := r.open(r.config())
	movies, shows := c.library("Movies"), c.library("Shows")
	c.FailRedemptions(1)
	mia := c.account("mia", movies, shows)
	if !mia.Access.Equal(viewer(movies, shows)) {
		t.Errorf("access %v", mia.Access)
	}
	c.wantSees("mia", movies, shows)

	c.FailRedemptions(1)
	c.Disturb(alcovestest.Fault{Match: func(r *http.Request) bool {
		return r.URL.Path != "/api/auth/login" && len(r.URL.Path) > 40 && r.URL.Path[:13] == "/api/invites/"
	}, Do: alcovestest.Fail, Status: 500})
	_, err := c.CreateAccount(t.Context(), wanted("ben", movies))
	c.wantCode(err, media.Ambiguous)
	c.Heal()
	c.wantSees("ben")
}

// Each process keeps its own copy of the settings: another one shows the old mode, and the driver tells what it sees.
func TestSettingsOfAnotherProcess(t *testing.T) {
	r := start(t)
	config := r.config()
	config.URL = r.Process()
	one, another := r.open(r.config()), r.open(config)
	one.ok(one.Driver.(media.Registrar).SetRegistration(t.Context(), media.RegistrationClosed))
	for c, want := range map[connected]media.RegistrationMode{one: media.RegistrationClosed, another: media.RegistrationOpen} {
		probe, err := c.Probe(t.Context())
		c.ok(err)
		if probe.Registration != want {
			t.Errorf("registration %s, want %s", probe.Registration, want)
		}
	}
	// A process that starts later has read the setting.
	config.URL = r.Process()
	probe, err := r.open(config).Probe(t.Context())
	one.ok(err)
	if probe.Registration != media.RegistrationClosed {
		t.Errorf("after a restart: %s", probe.Registration)
	}
	// Where registration is closed, and there is no database, nobody can be made; the answer says what to do.
	_, err = one.CreateAccount(t.Context(), wanted("mia"))
	one.wantCode(err, media.Unsupported)
}

// A stranger who has the wanted address is nobody of ours: nothing is given, and nothing of theirs changes.
func TestStrangerWithTheWantedName(t *testing.T) {
	bothWays(t, func(t *testing.T, c connected) {
		movies := c.library("Movies")
		stranger := &person{running: c.running}
		status, err := stranger.call(t.Context(), "POST", "/api/auth/register", object{"name": "Mia", "email": "Mia@Example.org", "password": "the stranger's own"}, nil)
		if err != nil || status != http.StatusOK {
			t.Fatalf("register: %d %v", status, err)
		}
		_, err = c.CreateAccount(t.Context(), wanted("mia", movies))
		c.wantCode(err, media.AlreadyExists)
		if seen, err := stranger.Libraries(t.Context()); err != nil || len(seen) != 0 {
			t.Errorf("the stranger sees %v, %v", seen, err)
		}
		_, err = c.Driver.(media.Authenticator).Authenticate(t.Context(), address("mia"), password)
		c.wantCode(err, media.Unauthenticated)
		// People who came by Google keep the letter case of their address, which the unique index tells apart.
		c.Exec(`INSERT INTO users (email, display_name) VALUES ('Ben@Example.org', 'Ben')`)
		_, err = c.CreateAccount(t.Context(), wanted("ben", movies))
		c.wantCode(err, media.AlreadyExists)
	})
}

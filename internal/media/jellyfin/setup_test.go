package jellyfin_test

import (
	"testing"

	"github.com/usher-media/usher/internal/media"
	"github.com/usher-media/usher/internal/media/jellyfin"
	"github.com/usher-media/usher/internal/media/jellyfin/jellyfintest"
)

var firstKeeper = media.Credentials{Username: "keeper", Password: "the keeper's own password"}

// emptyWorld has a server whose wizard waits.
func emptyWorld(t testing.TB, version jellyfintest.Version) *world {
	return &world{TB: t, fake: jellyfintest.Start(t, jellyfintest.Options{Version: version}), ids: map[string]media.LibraryID{}}
}

// The wizard dies at each of its requests, and the next process ends it: one account, which is the credentials'.
func TestBootstrapCrashPoints(t *testing.T) {
	for _, version := range jellyfintest.Versions() {
		t.Run(string(version), func(t *testing.T) {
			for at, died := 1, true; died; at++ {
				died = false
				for _, answered := range []bool{false, true} {
					w := emptyWorld(t, version)
					process := &dying{at: at, after: answered}
					err := w.openAs(firstKeeper, process.wrap).Bootstrap(w.ctx())
					if process.died() == (err == nil) {
						t.Errorf("request %d, answered %t: died %t, %v", at, answered, process.died(), err)
					}
					died = died || process.died()
					next := w.openAs(firstKeeper, nil)
					if probe, err := next.Probe(w.ctx()); err == nil && probe.SetupRequired {
						w.must(next.Bootstrap(w.ctx()))
					}
					probe, err := next.Probe(w.ctx())
					if err != nil || probe.SetupRequired || probe.SelfName != "keeper" || len(w.fake.People()) != 1 {
						t.Errorf("request %d, answered %t: %+v, %v, accounts %v", at, answered, probe, err, w.fake.People())
					}
				}
			}
		})
	}
}

// Section 2: the server that answers while the real one starts says of every server that its wizard waits.
func TestTheSetupServerFoolsNobody(t *testing.T) {
	for _, phase := range []jellyfintest.Phase{jellyfintest.PhaseLoading, jellyfintest.PhaseStarting, jellyfintest.PhaseFailed} {
		w := newWorld(t, jellyfintest.Options{})
		w.fake.SetPhase(phase)
		for _, driver := range []*jellyfin.Driver{w.driver, w.openAs(firstKeeper, nil)} {
			probe, err := driver.Probe(w.ctx())
			if code := media.CodeOf(err); probe.SetupRequired || code != media.Unavailable && code != media.RateLimited {
				t.Errorf("phase %d: %+v, %v", phase, probe, err)
			}
			if err := driver.Bootstrap(w.ctx()); err == nil || media.CodeOf(err) == media.AlreadyExists {
				t.Errorf("phase %d: bootstrap: %v", phase, err)
			}
			if _, err := driver.List(w.ctx()); err == nil {
				t.Errorf("phase %d: a list", phase)
			}
		}
		w.fake.SetPhase(jellyfintest.PhaseRunning)
		w.look()
		if people := w.fake.People(); len(people) != 1 || people[0].Username != jellyfintest.Owner {
			t.Errorf("phase %d: the accounts are %v", phase, people)
		}
	}
}

// A server that was seen set up is never set up again, whatever it says later; also by a process that was only told.
func TestSetUpOnce(t *testing.T) {
	w := emptyWorld(t, jellyfintest.Release1011)
	restore := w.fake.Backup()
	driver := w.openAs(firstKeeper, nil)
	w.must(driver.Bootstrap(w.ctx()))
	_, err := driver.Probe(w.ctx())
	w.must(err)
	restore()
	told := w.openAs(firstKeeper, nil)
	told.KnowGuards(driver.Guards())
	for _, d := range []*jellyfin.Driver{driver, told} {
		probe, err := d.Probe(w.ctx())
		if w.wantCode(err, media.Unavailable); probe.SetupRequired {
			t.Error("the server is to be set up again")
		}
		w.wantCode(d.Bootstrap(w.ctx()), media.Unavailable)
	}
	// The server does wait for its wizard: who knows nothing of it sets it up.
	probe, err := w.openAs(firstKeeper, nil).Probe(w.ctx())
	if err != nil || !probe.SetupRequired {
		t.Errorf("a driver that was told nothing: %+v, %v", probe, err)
	}
}

// A key cannot set a server up: there is none before.
func TestBootstrapNeedsAPassword(t *testing.T) {
	w := emptyWorld(t, jellyfintest.Release12)
	w.wantCode(w.openAs(media.Credentials{Token: "x"}, nil).Bootstrap(w.ctx()), media.Invalid)
}

// Navidrome contract: its Jellyfin interface calls itself Jellyfin 10.9.11, and says that everybody sees all. Should it call itself a
// newer one, it has no route that only administrators may use.
func TestNavidromeIsNoJellyfin(t *testing.T) {
	for version, code := range map[jellyfintest.Version]media.Code{"": media.Unsupported, jellyfintest.Release1011: media.Unavailable} {
		impostor := jellyfintest.StartImpostor(t, version)
		for _, credentials := range []media.Credentials{firstKeeper, {Token: impostor.Token}} {
			driver, err := jellyfin.Open(media.Config{Allowed: media.Loopback(), URL: impostor.URL, Credentials: credentials})
			if err != nil {
				t.Fatal(err)
			}
			t.Cleanup(func() { _ = driver.Close() })
			if _, err := driver.Probe(t.Context()); media.CodeOf(err) != code {
				t.Errorf("as %q: %v, want %s", version, err, code)
			}
			if _, err := driver.List(t.Context()); err == nil {
				t.Errorf("as %q: a list", version)
			}
		}
	}
}

// A.4: a member may read what the server says of itself, and the list of accounts. Only an elevated route proves an administrator.
func TestAMemberIsNoAdministrator(t *testing.T) {
	w := newWorld(t, jellyfintest.Options{}, "Alpha")
	w.person("mia", "Alpha")
	for name, credentials := range map[string]media.Credentials{
		"password": {Username: "mia", Password: password}, "token": {Token: w.signIn("mia").Token},
	} {
		driver := w.openAs(credentials, nil)
		_, err := driver.Probe(w.ctx())
		if media.CodeOf(err) != media.PermissionDenied {
			t.Errorf("%s: %v", name, err)
		}
	}
	// The key tells itself from a token of somebody's, which is told as theirs.
	admin := w.openAs(media.Credentials{Token: w.enterKeeper().Token}, nil)
	probe, err := admin.Probe(w.ctx())
	if err != nil || probe.SelfName != jellyfintest.Owner {
		t.Errorf("a token of the keeper's: %+v, %v", probe, err)
	}
	probe, err = w.driver.Probe(w.ctx())
	if err != nil || probe.Self != "api-key" || probe.SelfName != "(API key)" {
		t.Errorf("a key: %+v, %v", probe, err)
	}
}

func (w *world) enterKeeper() *jellyfintest.Visitor {
	w.Helper()
	keeper, err := jellyfintest.EnterOn(w.ctx(), w.fake.URL, "the keeper's", jellyfintest.Owner, jellyfintest.OwnerPassword)
	w.must(err)
	return keeper
}

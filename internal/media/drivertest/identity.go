package drivertest

import (
	"github.com/usher-media/usher/internal/media"
)

// identityCases: R9, names and what makes two of them the same.
var identityCases = []testCase{
	{"letter_case", identityLetterCase},
	{"folding_is_the_servers", identityFolding},
	{"own_spelling", identitySpelling},
	{"email_letter_case", identityEmail},
	{"chosen_id", identityChosenID},
	{"server_identity", identityServer},
	{"library_names", identityLibraries},
}

func identityLetterCase(f *fixture) {
	library := f.library("Movies")
	f.account("Mia", access(library.ID))
	check := f.unchanged()
	again := f.wanted("mIA", access(library.ID))
	again.Password = "Another password 2"
	if f.driver.Traits().NamedByEmail {
		again.Username, again.Email = "mIA@Example.org", "mIA@Example.org"
	} else if f.can.Email {
		again.Email = "someone.else@example.org"
	}
	_, err := f.driver.CreateAccount(f.ctx(), again)
	fold := f.driver.Traits().FoldUsername
	if fold("Mia") != fold("mIA") {
		f.must(err)
		return
	}
	f.wantCode(err, media.AlreadyExists)
	check()
	f.wantSees("mIA", library.ID)
	f.refusedSignIn("Mia", "Another password 2")
}

// identityFolding makes pairs of names that some servers take for one: the server must agree with FoldUsername.
func identityFolding(f *fixture) {
	library := f.library("Movies")
	fold := f.driver.Traits().FoldUsername
	for i, pair := range [][2]string{
		{"anna", "ANNA"}, {"ünï", "ÜNÏ"}, {"straße", "STRASSE"}, {"ｋｅｎｊｉ", "kenji"}, {"σίσυφος", "ΣΊΣΥΦΟΣ"},
		{"e\u0301va", "Éva"}, {"mía", "mia"}, {"ﬁnn", "finn"}, {"under_score", "under-score"}, {"dot.ted", "dotted"},
	} {
		for j, name := range pair {
			want := f.wanted(name, access(library.ID))
			want.Email = ""
			switch traits := f.driver.Traits(); {
			case traits.NamedByEmail:
				want.Username, want.Email = name+"@example.org", name+"@example.org"
			case traits.KeyedByEmail:
				want.Email = string(rune('a'+2*i+j)) + "@example.org"
			}
			_, err := f.driver.CreateAccount(f.ctx(), want)
			switch {
			case media.CodeOf(err) == media.Invalid:
				// A server may refuse such a name, but not take it for another.
			case j == 1 && fold(pair[0]) == fold(pair[1]):
				f.wantCode(err, media.AlreadyExists)
			default:
				f.wantCode(err, "")
			}
		}
	}
}

func identitySpelling(f *fixture) {
	created := f.anybody("Mia.Of.The.Movies")
	accounts, _ := f.listing()
	if name := accounts[created.ID].Username; created.Username != f.name("Mia.Of.The.Movies") || name != created.Username {
		f.Errorf("created %q, listed %q", created.Username, name)
	}
}

func identityEmail(f *fixture) {
	if !f.can.Email {
		f.lacks("Email")
		return
	}
	if f.driver.Traits().NamedByEmail { // then letter_case is about it
		return
	}
	f.anybody("mia")
	want := f.wanted("ben", access(f.library("Movies").ID))
	want.Email = "MIA@EXAMPLE.ORG"
	check := f.unchanged()
	_, err := f.driver.CreateAccount(f.ctx(), want)
	fold := f.driver.Traits().FoldEmail
	if fold(want.Email) != fold(f.email("mia")) {
		f.must(err)
		return
	}
	f.wantCode(err, media.AlreadyExists)
	check()
}

// identityChosenID: an id that was chosen is one account's, and nobody else is made with it.
func identityChosenID(f *fixture) {
	if !f.can.ChosenIDs {
		f.lacks("ChosenIDs")
		return
	}
	want, other := f.wanted("mia", access(f.library("Movies").ID)), f.wanted("ben", access())
	want.ID = media.NewAccountID()
	other.ID = want.ID
	made, err := f.driver.CreateAccount(f.ctx(), want)
	f.must(err)
	if made.ID != want.ID || f.read(want.ID).Username != want.Username {
		f.Errorf("made with the id %s, wanted %s", made.ID, want.ID)
	}
	check := f.unchanged()
	_, err = f.driver.CreateAccount(f.ctx(), other)
	f.wantCode(err, media.AlreadyExists)
	check()
}

func identityServer(f *fixture) {
	again, err := f.open().Probe(f.ctx())
	f.must(err)
	if f.probe.Identity == "" || again.Identity != f.probe.Identity || again.Self != f.probe.Self {
		f.Errorf("two probes of one server: %v and %v", f.probe, again)
	}
	if alone, err := f.driver.Identity(f.ctx()); err != nil || alone != f.probe.Identity {
		f.Errorf("the identity alone: %q (%v), and %q by Probe", alone, err, f.probe.Identity)
	}
	other := f.h.fixture(f.TB, f.h.Start)
	if other.probe.Identity == f.probe.Identity {
		f.Error("two servers have one identity")
	}
	if self := f.read(f.probe.Self); self.Username != f.probe.SelfName || !f.can.Roles[self.Role].Administers {
		f.Errorf("Usher's own account: %v", self)
	}
	if f.probe.Version == "" || f.probe.SetupRequired {
		f.Errorf("the probe: %v", f.probe)
	}
}

// identityLibraries makes two libraries of one name: where the server allows that, they are told apart by their ids.
func identityLibraries(f *fixture) {
	first := f.library("Movies")
	second := f.newLibrary("Movies")
	second.Paths = f.paths("More movies")
	made, err := f.driver.CreateLibrary(f.ctx(), second)
	f.wantCode(err, "", media.AlreadyExists)
	_, libraries := f.listing()
	if err == nil && (made.ID == first.ID || len(libraries) != 2) {
		f.Errorf("two libraries of one name: %v", libraries)
	}
	if err != nil && len(libraries) != 1 {
		f.Errorf("R10: a refused create left %v", libraries)
	}
	account := f.account("mia", access(first.ID))
	f.server.Hand.RenameLibrary(first.ID, "Films")
	if f.h.LibraryIDsByName {
		f.mendRenamed(account)
	}
	f.wantSees("mia", first.ID)
	f.wantAccess(f.read(account.ID).Access, access(first.ID))
}

// mendRenamed: on a server that makes ids of names, a library that is renamed by hand is in nobody's list. A look finds that, and
// the driver puts it back.
func (f *fixture) mendRenamed(account media.Account) {
	f.Helper()
	f.wantSees("mia")
	f.listing()
	f.wantAccess(f.read(account.ID).Access, access())
	if f.h.Live { // there the list of this account alone is put right
		f.setAccess(f.read(account.ID), account.Access)
		return
	}
	guardian, able := f.driver.(media.Guardian)
	if !able || len(guardian.Amiss()) == 0 {
		f.Fatal("nothing is said to be amiss after a library was renamed")
	}
	f.must(guardian.Mend(f.ctx()))
	f.listing()
	if amiss := guardian.Amiss(); len(amiss) > 0 {
		f.Errorf("amiss after it was mended: %q", amiss)
	}
}

package rules_test

import (
	"errors"
	"strings"
	"testing"
	"unicode"

	"pgregory.net/rapid"

	"github.com/usher-media/usher/internal/mediaserver/rules"
)

// The Dubby roles seed's table (lines 18 to 36), row by row, with the editor column from the Shisho seed (line 8:
// "Cannot manage users, server config, or jobs"). Letters: o owner, a admin, e editor, m member, g guest.
var capabilityTable = map[rules.Capability]string{
	rules.ManageServer: "o", rules.DeleteServer: "o", rules.ManageBilling: "o",
	rules.InviteUsers: "oa", rules.ManageUsers: "oa", rules.AssignRoles: "oa", rules.RemoveUsers: "oa",
	rules.CreateLibraries: "oa", rules.DeleteLibraries: "oa", rules.EditLibraries: "oae", rules.ScanLibraries: "oa",
	rules.ManageMetadata: "oae", rules.AccessAllLibraries: "oa", rules.ShareLibraries: "oa", rules.ManageSettings: "oa",
	rules.ManagePrivacy: "oa", rules.ViewAuditLogs: "oa", rules.BrowseMedia: "oaemg", rules.ManageOwnProfile: "oaemg",
	rules.ReadBooks: "oaemg", rules.ReadSeries: "oaemg", rules.ReadPeople: "oaemg", rules.EditSeries: "oae", rules.EditPeople: "oae",
	rules.ViewUsers: "oa", rules.ViewJobs: "oa", rules.ViewSettings: "oa",
}

func TestCapabilityTable(t *testing.T) {
	for capability, who := range capabilityTable {
		for _, role := range rules.Roles() {
			want := strings.Contains(who, string(role[0]))
			if got := rules.Can(role, capability); got != want {
				t.Errorf("Can(%s, %s) = %v, want %v", role, capability, got, want)
			}
		}
		if rules.Can("root", capability) {
			t.Errorf("an unknown role has %s", capability)
		}
	}
}

// Dubby access seed, lines 10 and 11; Shisho seed, line 24.
func TestWhoSeesAllLibraries(t *testing.T) {
	for _, role := range rules.Roles() {
		byRole := role == rules.Owner || role == rules.Admin
		actor := rules.Actor{Role: role}
		if actor.SeesAll(false) != byRole || !actor.SeesAll(true) {
			t.Errorf("%s: owner and admin see all by role, others only when their access says so", role)
		}
	}
}

// Dubby roles seed, line 14; Alcoves seed, line 62.
func TestRegistrationModes(t *testing.T) {
	modes := map[rules.Registration]string{
		rules.RegistrationOpen: "", rules.RegistrationInviteOnly: "Registration is by invitation only",
		rules.RegistrationClosed: "Registration is closed", "nonsense": "Registration is closed",
	}
	for mode, want := range modes {
		if err := rules.CheckRegistration(mode, true, false); err != nil {
			t.Errorf("the first account is refused in mode %s: %v", mode, err)
		}
		var denial *rules.Denial
		err := rules.CheckRegistration(mode, false, false)
		if (err == nil) != (want == "") || (err != nil && (!errors.As(err, &denial) || denial.Message != want)) {
			t.Errorf("mode %s: %v, want %q", mode, err, want)
		}
		closed := mode != rules.RegistrationOpen && mode != rules.RegistrationInviteOnly
		if err := rules.CheckRegistration(mode, false, true); (err != nil) != closed {
			t.Errorf("mode %s with an invite: %v", mode, err)
		}
	}
}

// Dubby roles seed, lines 9, 20, 40 and 51.
func TestAccountChanges(t *testing.T) {
	yes, no := true, false
	owner, admin := has("o", rules.Owner), has("a", rules.Admin)
	theOwner, anAdmin := rules.Subject{Holding: owner}, rules.Subject{Holding: has("b", rules.Admin)}
	self, member := rules.Subject{Holding: admin}, rules.Subject{Holding: has("m", rules.Member)}
	cases := []struct {
		name    string
		actor   rules.Holding
		subject rules.Subject
		change  rules.AccountChange
		want    string
	}{
		{"owner demotes owner", owner, theOwner, rules.AccountChange{Role: rules.Member}, "refused"},
		{"admin disables owner", admin, theOwner, rules.AccountChange{Disabled: &yes}, "refused"},
		{"owner deletes themself", owner, theOwner, rules.AccountChange{Delete: true}, "refused"},
		{"owner writes what is so", owner, theOwner, rules.AccountChange{Role: rules.Owner, Disabled: &no}, "ok"},
		{"admin sets owner's password", admin, theOwner, rules.AccountChange{SetPassword: true}, "forbidden"},
		{"owner makes an owner", owner, member, rules.AccountChange{Role: rules.Owner}, "refused"},
		{"admin demotes themself", admin, self, rules.AccountChange{Role: rules.Member}, "refused"},
		{"admin disables themself", admin, self, rules.AccountChange{Disabled: &yes}, "refused"},
		{"admin deletes themself", admin, self, rules.AccountChange{Delete: true}, "refused"},
		{"admin makes an admin", admin, member, rules.AccountChange{Role: rules.Admin}, "forbidden"},
		{"admin unmakes an admin", admin, anAdmin, rules.AccountChange{Role: rules.Member}, "forbidden"},
		{"admin disables an admin", admin, anAdmin, rules.AccountChange{Disabled: &yes}, "forbidden"},
		{"admin deletes an admin", admin, anAdmin, rules.AccountChange{Delete: true}, "forbidden"},
		{"admin sets an admin's password", admin, anAdmin, rules.AccountChange{SetPassword: true}, "forbidden"},
		{"admin writes of an admin what is so", admin, anAdmin, rules.AccountChange{}, "ok"},
		{"owner makes an admin", owner, member, rules.AccountChange{Role: rules.Admin}, "ok"},
		{"owner deletes an admin", owner, anAdmin, rules.AccountChange{Delete: true}, "ok"},
		{"admin makes an editor", admin, member, rules.AccountChange{Role: rules.Editor}, "ok"},
		{"admin deletes a member", admin, member, rules.AccountChange{Delete: true}, "ok"},
		{"admin renames an admin", admin, anAdmin, rules.AccountChange{Edit: true}, "ok"},
		{"admin changes the owner's address", admin, theOwner, rules.AccountChange{Edit: true}, "forbidden"},
		{"editor does anything", has("e", rules.Editor), member, rules.AccountChange{}, "forbidden"},
	}
	for _, c := range cases {
		if got := verdict(rules.CheckAccountChange(c.actor, c.subject, c.change)); got != c.want {
			t.Errorf("%s: %s, want %s", c.name, got, c.want)
		}
	}
}

// has is the holding of who has that role and no library.
func has(id string, role rules.Role) rules.Holding {
	return rules.Holding{Actor: rules.Actor{ID: id, Role: role}}
}

func verdict(err error) string {
	var refusal *rules.Refusal
	switch {
	case err == nil:
		return "ok"
	case errors.Is(err, rules.ErrForbidden):
		return "forbidden"
	case errors.As(err, &refusal):
		return "refused"
	}
	return err.Error()
}

// Dubby roles seed, lines 9 and 40: whatever anybody does, the owner stays the owner, and no admin gains or harms an
// admin.
func TestNoChangeTouchesOwnerOrRank(t *testing.T) {
	role := rapid.SampledFrom(rules.Roles())
	rapid.Check(t, func(t *rapid.T) {
		actor := has(rapid.StringMatching("[ab]").Draw(t, "actor"), role.Draw(t, "actorRole"))
		subject := rules.Subject{Holding: has(rapid.StringMatching("[ab]").Draw(t, "subject"), role.Draw(t, "subjectRole"))}
		disable := rapid.Bool().Draw(t, "disable")
		change := rules.AccountChange{Role: role.Draw(t, "role"), Disabled: &disable, Delete: rapid.Bool().Draw(t, "delete")}
		if rules.CheckAccountChange(actor, subject, change) != nil {
			return
		}
		if subject.Role == rules.Owner && (change.Role != rules.Owner || disable || change.Delete) {
			t.Fatal("the owner was changed")
		}
		if subject.Role != rules.Owner && change.Role == rules.Owner {
			t.Fatal("a second owner was made")
		}
		if actor.Role != rules.Owner && (change.Role == rules.Admin) != (subject.Role == rules.Admin) {
			t.Fatal("somebody but the owner made or unmade an admin")
		}
	})
}

// Dubby roles seed, lines 9 and 24: one owner, and roles given by owner and admins.
func TestNewAccounts(t *testing.T) {
	owner, admin := has("o", rules.Owner), has("a", rules.Admin)
	for _, role := range rules.Roles() {
		want := map[rules.Role]string{rules.Owner: "refused"}[role]
		if got := verdict(rules.CheckNewAccount(owner, has("", role))); got != orOK(want) {
			t.Errorf("owner makes %s: %s", role, got)
		}
		if role == rules.Admin {
			want = "forbidden"
		}
		if got := verdict(rules.CheckNewAccount(admin, has("", role))); got != orOK(want) {
			t.Errorf("admin makes %s: %s", role, got)
		}
		if got := verdict(rules.CheckNewAccount(has("", rules.Editor), has("", role))); got != "forbidden" {
			t.Errorf("editor makes %s: %s", role, got)
		}
	}
}

func orOK(s string) string {
	if s == "" {
		return "ok"
	}
	return s
}

// Dubby roles seed, line 27, and Alcoves seed, lines 21, 22 and 38.
func TestWhoDeletesLibraries(t *testing.T) {
	for _, role := range rules.Roles() {
		actor := rules.Actor{ID: "x", Role: role}
		powerful := role == rules.Owner || role == rules.Admin
		deletes := func(createdBy string) bool {
			return rules.InLibrary{Actor: actor, CreatedBy: createdBy}.CheckDelete() == nil
		}
		if deletes("x") != powerful {
			t.Errorf("%s and a library of their own", role)
		}
		if deletes("y") != (role == rules.Owner) || deletes("") != (role == rules.Owner) {
			t.Errorf("%s and somebody else's library", role)
		}
	}
}

// Shisho seed, line 35: "unique (case-insensitive)", in all of Unicode.
func TestFoldMeets(t *testing.T) {
	same := [][2]string{
		{"Mia", "mIA"}, {"ＭＩＡ", "mia"}, {"STRASSE", "straße"}, {"ΣΊΣΥΦΟΣ", "σίσυφος"}, {"e\u0301", "É"}, {"ﬁn", "FIN"},
	}
	for _, pair := range same {
		if rules.Fold(pair[0]) != rules.Fold(pair[1]) {
			t.Errorf("%q and %q differ", pair[0], pair[1])
		}
	}
	if rules.Fold("mia") == rules.Fold("mía") {
		t.Error("an accent makes another name")
	}
}

func TestFoldIsStableAndIgnoresCase(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		s := rapid.String().Draw(t, "s")
		folded := rules.Fold(s)
		if rules.Fold(folded) != folded {
			t.Fatalf("Fold(%q) is not stable", s)
		}
		ascii := rapid.StringMatching("[a-zA-Z0-9@._-]{1,20}").Draw(t, "ascii")
		if rules.Fold(strings.ToUpper(ascii)) != rules.Fold(strings.ToLower(ascii)) {
			t.Fatalf("case matters in %q", ascii)
		}
	})
}

func TestNames(t *testing.T) {
	bad := []string{"", " mia", "mia ", "mi\na", "mia\x00", "\u200bmia", "mi\u202ea", strings.Repeat("x", 65)}
	for _, s := range bad {
		if rules.CheckUsername(s) == "" {
			t.Errorf("username %q passes", s)
		}
	}
	for _, s := range []string{"mia", "Zoë", "名前", "a b", "mia@example.org", strings.Repeat("é", 64)} {
		if message := rules.CheckUsername(s); message != "" {
			t.Errorf("username %q: %s", s, message)
		}
	}
	for s, ok := range map[string]bool{"mia@example.org": true, "ü@ü": true, "mia": false, "@b": false, "a@": false,
		"a@b@c": false, "a b@c": false, strings.Repeat("x", 250) + "@b.cc": false} {
		if (rules.CheckEmail(s) == "") != ok {
			t.Errorf("email %q: %s", s, rules.CheckEmail(s))
		}
	}
	for s, ok := range map[string]bool{"1234567": false, "12345678": true, strings.Repeat("ü", 128): true,
		strings.Repeat("x", 129): false} {
		if (rules.CheckPassword(s) == "") != ok {
			t.Errorf("password of %d bytes: %s", len(s), rules.CheckPassword(s))
		}
	}
	for s, ok := range map[string]bool{"/media": true, "media": false, "": false, "/a\x00b": false} {
		if (rules.CheckPath(s) == "") != ok {
			t.Errorf("path %q: %s", s, rules.CheckPath(s))
		}
	}
}

func TestAcceptedNamesHaveNoHiddenParts(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		s := rapid.String().Draw(t, "s")
		if rules.CheckUsername(s) != "" {
			return
		}
		for _, r := range s {
			if unicode.IsControl(r) || unicode.Is(unicode.Cf, r) {
				t.Fatalf("%q passes", s)
			}
		}
	})
}

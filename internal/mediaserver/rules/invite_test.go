package rules_test

import (
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/usher-media/usher/internal/mediaserver/rules"
)

var noon = time.Date(2026, 6, 1, 12, 0, 0, 0, time.UTC)

func ptr[T any](v T) *T { return &v }

// The Alcoves seed's table, lines 49 to 53; revoked comes before expired, expired before exhausted, exhausted before
// pending.
func TestInviteStatus(t *testing.T) {
	past, future := noon.Add(-time.Nanosecond), noon.Add(time.Nanosecond)
	for _, c := range []struct {
		name  string
		terms rules.InviteTerms
		want  rules.InviteStatus
	}{
		{"no bounds", rules.InviteTerms{Uses: 1 << 40}, rules.InvitePending},
		{"a moment before its expiry", rules.InviteTerms{ExpiresAt: &future}, rules.InvitePending},
		{"at its expiry", rules.InviteTerms{ExpiresAt: ptr(noon)}, rules.InviteExpired},
		{"at its expiry, written in another zone", rules.InviteTerms{ExpiresAt: ptr(noon.In(time.FixedZone("", 7200)))}, rules.InviteExpired},
		{"a moment after its expiry", rules.InviteTerms{ExpiresAt: &past}, rules.InviteExpired},
		{"the year 1 is no never", rules.InviteTerms{ExpiresAt: new(time.Time)}, rules.InviteExpired},
		{"1970 is no never", rules.InviteTerms{ExpiresAt: ptr(time.Unix(0, 0))}, rules.InviteExpired},
		{"one use left", rules.InviteTerms{MaxUses: ptr(2), Uses: 1}, rules.InvitePending},
		{"no use left", rules.InviteTerms{MaxUses: ptr(2), Uses: 2}, rules.InviteExhausted},
		{"fewer allowed than used", rules.InviteTerms{MaxUses: ptr(1), Uses: 2}, rules.InviteExhausted},
		{"expired and exhausted", rules.InviteTerms{ExpiresAt: &past, MaxUses: ptr(1), Uses: 1}, rules.InviteExpired},
		{"everything at once", rules.InviteTerms{Revoked: true, ExpiresAt: &past, MaxUses: ptr(1), Uses: 1}, rules.InviteRevoked},
		{"revoked", rules.InviteTerms{Revoked: true}, rules.InviteRevoked},
		{"held", rules.InviteTerms{Held: true}, rules.InviteUnavailable},
		{"held and revoked", rules.InviteTerms{Held: true, Revoked: true}, rules.InviteRevoked},
		{"held and exhausted", rules.InviteTerms{Held: true, MaxUses: ptr(1), Uses: 1}, rules.InviteExhausted},
	} {
		if got := c.terms.Status(noon); got != c.want {
			t.Errorf("%s: %s, want %s", c.name, got, c.want)
		}
	}
}

// The definition, told another way: each state holds exactly when its own cause is there and no cause before it.
func TestInviteStatusIsItsDefinition(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		terms := rules.InviteTerms{Revoked: rapid.Bool().Draw(t, "revoked"), Held: rapid.Bool().Draw(t, "held"), Uses: rapid.IntRange(0, 4).Draw(t, "uses")}
		if rapid.Bool().Draw(t, "expires") {
			terms.ExpiresAt = ptr(noon.Add(time.Duration(rapid.Int64Range(-3, 3).Draw(t, "expiry"))))
		}
		if rapid.Bool().Draw(t, "bounded") {
			terms.MaxUses = ptr(rapid.IntRange(1, 4).Draw(t, "max"))
		}
		expired := terms.ExpiresAt != nil && terms.ExpiresAt.Sub(noon) <= 0
		exhausted := terms.MaxUses != nil && *terms.MaxUses-terms.Uses <= 0
		got := terms.Status(noon)
		for status, want := range map[rules.InviteStatus]bool{
			rules.InviteRevoked: terms.Revoked, rules.InviteExpired: !terms.Revoked && expired,
			rules.InviteExhausted:   !terms.Revoked && !expired && exhausted,
			rules.InviteUnavailable: !terms.Revoked && !expired && !exhausted && terms.Held,
			rules.InvitePending:     !terms.Revoked && !expired && !exhausted && !terms.Held,
		} {
			if (got == status) != want {
				t.Fatalf("%+v is %s", terms, got)
			}
		}
		left := terms.Remaining()
		if (left == nil) != (terms.MaxUses == nil) || (left != nil && (*left < 0 || (*left == 0) != exhausted)) {
			t.Fatalf("%+v has %v left", terms, left)
		}
		if later := terms.Status(noon.Add(time.Hour)); got != rules.InvitePending && later == rules.InvitePending {
			t.Fatalf("%+v came alive by itself", terms)
		}
	})
}

func TestDeadInvitesSayWhy(t *testing.T) {
	for status, want := range map[rules.InviteStatus]string{
		rules.InviteRevoked: "Invite has been revoked", rules.InviteExpired: "Invite has expired",
		rules.InviteExhausted: "Invite has no remaining uses",
	} {
		if got := (&rules.DeadInvite{Status: status}).Error(); got != want {
			t.Errorf("%s says %q", status, got)
		}
	}
}

func TestInviteInput(t *testing.T) {
	for code, ok := range map[string]bool{
		strings.Repeat("a", 22): true, strings.Repeat("Z", 128): true, "0123456789_-abcdefghijklmn": true,
		strings.Repeat("a", 21): false, strings.Repeat("a", 129): false, "": false,
		strings.Repeat("a", 21) + "/": false, strings.Repeat("a", 22) + "é": false, strings.Repeat(" ", 22): false,
		strings.Repeat("a", 11) + "." + strings.Repeat("a", 11): false, strings.Repeat("a", 22) + "\n": false,
	} {
		if (rules.CheckInviteCode(code) == "") != ok {
			t.Errorf("code %q: %q", code, rules.CheckInviteCode(code))
		}
	}
	for _, role := range rules.Roles() {
		powerful := role == rules.Owner || role == rules.Admin
		if (rules.CheckInviteRole(role) != "") != powerful {
			t.Errorf("role %s: %q", role, rules.CheckInviteRole(role))
		}
	}
	if rules.CheckInviteRole("") == "" || rules.CheckMaxUses(0) == "" || rules.CheckMaxUses(1) != "" {
		t.Error("an invite gives no role, or lets nobody in")
	}
	for expiry, ok := range map[time.Time]bool{
		{}: true, time.Unix(0, 0): true, noon: true, time.Date(9999, 12, 31, 23, 59, 59, 0, time.UTC): true,
		time.Date(9999, 12, 31, 23, 0, 0, 0, time.FixedZone("", -7200)): false,
		time.Date(1, 1, 1, 0, 0, 0, 0, time.FixedZone("", 7200)):        false,
	} {
		if (rules.CheckExpiry(expiry) == "") != ok {
			t.Errorf("expiry %v: %q", expiry, rules.CheckExpiry(expiry))
		}
	}
}

func TestWelcomes(t *testing.T) {
	for welcome, ok := range map[string]bool{
		"": true, " \n\n- one\n\t- two\n": true, strings.Repeat("é", rules.MaxWelcome): true, strings.Repeat("é", rules.MaxWelcome+1): false,
		"\r\n": false, "\x00": false, "\x1b[2J": false, "\x7f": false, "\u0085": false, "\xff": false,
	} {
		if (rules.CheckWelcome(welcome) == "") != ok {
			t.Errorf("welcome %.20q: %q", welcome, rules.CheckWelcome(welcome))
		}
	}
}

func TestBoundInvites(t *testing.T) {
	for _, c := range []struct {
		bound, email string
		ok           bool
	}{
		{"", "", true}, {"", "mia@example.org", true}, {"Mia@Example.org", "mia@EXAMPLE.org", true},
		{"mia@example.org", "", false}, {"mia@example.org", "mia@example.com", false},
	} {
		if err := rules.CheckInviteEmail(c.bound, c.email); (err == nil) != c.ok {
			t.Errorf("bound to %q, used by %q: %v", c.bound, c.email, err)
		}
	}
}

// Alcoves seed, lines 47 and 60: an invite gives viewer, and takes nothing from who is more.
func TestTheHigherLibraryRoleWins(t *testing.T) {
	for _, c := range [][3]rules.LibraryRole{
		{"", rules.Viewer, rules.Viewer}, {rules.Viewer, "", rules.Viewer}, {rules.Viewer, rules.LibraryAdmin, rules.LibraryAdmin},
		{rules.LibraryAdmin, rules.Viewer, rules.LibraryAdmin}, {rules.Viewer, rules.Viewer, rules.Viewer},
		{rules.LibraryAdmin, "", rules.LibraryAdmin}, {"", rules.LibraryAdmin, rules.LibraryAdmin},
	} {
		if got := rules.HigherLibraryRole(c[0], c[1]); got != c[2] {
			t.Errorf("%q and %q give %q", c[0], c[1], got)
		}
	}
}

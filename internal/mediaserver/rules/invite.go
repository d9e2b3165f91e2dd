package rules

import (
	"fmt"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"
)

// InviteStatus says whether an invite still lets people in. The words are those of the Alcoves seed's table.
type InviteStatus string

// The states of an invite: those of the seed, and one for a while.
const (
	// InvitePending is "valid and redeemable".
	InvitePending InviteStatus = "pending"
	// InviteRevoked is "manually cancelled by an admin".
	InviteRevoked InviteStatus = "revoked"
	// InviteExpired says that "the expiry date has passed".
	InviteExpired InviteStatus = "expired"
	// InviteExhausted says that "the maximum number of uses has been reached".
	InviteExhausted InviteStatus = "exhausted"
	// InviteUnavailable says that it lets nobody in for now, and may again.
	InviteUnavailable InviteStatus = "unavailable"
)

// InviteTerms is all that an invite's status follows from.
type InviteTerms struct {
	Revoked bool
	// Held says that it lets nobody in for now.
	Held bool
	// Powerless says that who answers for it may give nothing of it any longer.
	Powerless bool
	// ExpiresAt is nil for an invite that never expires. Any other time counts, however unusual.
	ExpiresAt *time.Time
	// MaxUses is nil for an invite without a limit.
	MaxUses *int
	Uses    int
}

// Status returns the invite's state at the time now: what comes first of revoked, expired, exhausted, unavailable
// and pending. At the
// very time of expiry it is expired.
func (t InviteTerms) Status(now time.Time) InviteStatus {
	switch {
	case t.Revoked:
		return InviteRevoked
	case t.ExpiresAt != nil && !now.Before(*t.ExpiresAt):
		return InviteExpired
	case t.MaxUses != nil && t.Uses >= *t.MaxUses:
		return InviteExhausted
	case t.Held, t.Powerless:
		return InviteUnavailable
	}
	return InvitePending
}

// Remaining returns how many uses are left, never below zero; nil means any number.
func (t InviteTerms) Remaining() *int {
	if t.MaxUses == nil {
		return nil
	}
	left := max(0, *t.MaxUses-t.Uses)
	return &left
}

// DeadInvite says that an invite lets nobody in, and why.
type DeadInvite struct {
	Status InviteStatus
	// Powerless, where the status is unavailable, says that who answers for it may give nothing of it any longer.
	Powerless bool
}

// Error returns the words for whoever holds the link (Alcoves contract, section 6).
func (d *DeadInvite) Error() string {
	switch d.Status {
	case InviteUnavailable:
		if d.Powerless {
			return PowerlessInvite
		}
		return "Invite cannot be used right now: try again later"
	case InviteRevoked:
		return "Invite has been revoked"
	case InviteExpired:
		return "Invite has expired"
	default:
		return "Invite has no remaining uses"
	}
}

// PowerlessInvite says, to who holds its link, why an invite gives nothing any longer that was neither revoked nor used up.
const PowerlessInvite = "Invite gives nothing any longer: who made it may no longer give what it gave"

// ErrOtherEmail says that an invite is bound to a mail address that is not this account's.
var ErrOtherEmail error = &Denial{Message: "This invite is for another email address"}

// CheckInviteEmail reports whether an account with that mail address may use an invite that is bound to the address
// bound; an empty bound binds nobody. Addresses are compared folded. The error is ErrOtherEmail.
func CheckInviteEmail(bound, email string) error {
	if bound == "" || Fold(bound) == Fold(email) {
		return nil
	}
	return ErrOtherEmail
}

// ErrUnprovenEmail says that an invite is bound to a mail address that the account's holder wrote themselves.
var ErrUnprovenEmail error = &Denial{Message: "This invite is for one email address, and you wrote yours into your account yourself. " +
	"Whoever runs this server can set it"}

// CheckMemberEmail is CheckInviteEmail for somebody who has an account: an address that they chose themselves proves nothing.
// Errors: ErrOtherEmail, ErrUnprovenEmail.
func CheckMemberEmail(bound, email string, chosen bool) error {
	if err := CheckInviteEmail(bound, email); err != nil || bound == "" || !chosen {
		return err
	}
	return ErrUnprovenEmail
}

// ErrUsedInvite says that somebody has used an invite before, and does not see any longer, or not yet, what it gives.
var ErrUsedInvite error = &Denial{Message: "You have used this invite already, and do not see all that it gives. Ask whoever invited you"}

// MaxInviteLibraries is how many libraries one invite may give.
const MaxInviteLibraries = MaxAccessEntries

// Bounds on an invite's code. The shortest one holds 128 bits.
const (
	MinInviteCode = 22
	MaxInviteCode = 128
)

const codeAlphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_-"

// CheckInviteCode says what is wrong with a code that somebody chose for an invite, or "".
func CheckInviteCode(s string) string {
	if len(s) < MinInviteCode || len(s) > MaxInviteCode || strings.Trim(s, codeAlphabet) != "" {
		return fmt.Sprintf("must have %d to %d of A-Z, a-z, 0-9, _ and -", MinInviteCode, MaxInviteCode)
	}
	return ""
}

// CheckInviteRole says what is wrong with the role that an invite gives, or "". No link makes anybody an admin, let
// alone the owner.
func CheckInviteRole(r Role) string {
	switch r {
	case Member, Guest, Editor:
		return ""
	}
	return "must be member, guest or editor"
}

// CheckMaxUses says what is wrong with an invite's limit of uses, or "".
func CheckMaxUses(n int) string {
	if n < 1 {
		return "must be at least 1; null for no limit"
	}
	return ""
}

// CheckExpiry says what is wrong with an invite's expiry, or "". The past is as good as the future: it means expired.
func CheckExpiry(t time.Time) string {
	if year := t.UTC().Year(); year < 1 || year > 9999 {
		return "must be in the years 1 to 9999, UTC"
	}
	return ""
}

// CheckPriorUses says what is wrong with the number of uses that count besides those that the server knows, or "".
func CheckPriorUses(n int) string {
	if n < 0 || n > 1_000_000 {
		return "must be 0 to 1000000"
	}
	return ""
}

// MaxWelcome is how many characters an invite's welcome may have.
const MaxWelcome = 4096

// CheckWelcome says what is wrong with an invite's welcome, which is Markdown, or "".
func CheckWelcome(s string) string {
	switch {
	case !utf8.ValidString(s):
		return "must be valid UTF-8"
	case utf8.RuneCountInString(s) > MaxWelcome:
		return fmt.Sprintf("must have at most %d characters", MaxWelcome)
	case strings.ContainsFunc(s, func(r rune) bool { return unicode.IsControl(r) && r != '\n' && r != '\t' }):
		return "must not contain control characters other than newlines and tabs"
	}
	return ""
}

// HigherLibraryRole returns the role that allows more. An empty one allows nothing.
func HigherLibraryRole(a, b LibraryRole) LibraryRole {
	if a == LibraryAdmin || b == "" {
		return a
	}
	return b
}

package httpapi

import (
	"slices"
	"strings"
	"time"

	"github.com/usher-media/usher/internal/mediaserver/rules"
	"github.com/usher-media/usher/internal/mediaserver/store"
)

// Inviter is in whose name an invite is sent.
type Inviter struct {
	DisplayName string `json:"displayName" minLength:"1" maxLength:"200"`
}

// Invite is an invite as administrators see it. Its code is not among what they see.
type Invite struct {
	ID         string             `json:"id"`
	CodeSHA256 string             `json:"codeSHA256,omitempty" doc:"SHA-256 of the code, in hexadecimal; absent in a library's list for who does not see all invites"`
	Status     rules.InviteStatus `json:"status" enum:"pending,revoked,expired,exhausted,unavailable"`
	Reason     string             `json:"reason,omitempty" doc:"Why nobody can use it, where the status does not say"`
	MadeBy     string             `json:"madeBy" doc:"ID of the account that answers for it: who made it, or changed it last. It gives what that account may give"`
	Mine       bool               `json:"mine" doc:"True: that is the caller"`
	Role       rules.Role         `json:"role" enum:"member,guest,editor"`
	Libraries  []AccessEntry      `json:"libraries" nullable:"false"`
	MaxUses    *int               `json:"maxUses" nullable:"true" doc:"Null: no limit"`
	UseCount   int                `json:"useCount" doc:"Uses that this server knows"`
	PriorUses  int                `json:"priorUses,omitempty" doc:"Uses that count besides these; absent: none"`
	LastUsedBy string             `json:"lastUsedBy,omitempty" doc:"ID of the account that used it last; absent: nobody has"`
	Remaining  *int               `json:"remaining" nullable:"true" doc:"Uses that are left; null: any number"`
	ExpiresAt  *time.Time         `json:"expiresAt" nullable:"true" doc:"Null: never"`
	Revoked    bool               `json:"revoked"`
	Held       bool               `json:"held,omitempty" doc:"True: it lets nobody in for now, and its status is unavailable"`
	Email      *string            `json:"email" nullable:"true" doc:"The only mail address that may use it"`
	Inviter    Inviter            `json:"inviter"`
	Welcome    string             `json:"welcome" doc:"Markdown, for the page that who has joined sees; empty: none"`
	Reference  string             `json:"reference" doc:"What whoever made it wrote, to know it again"`
	CreatedAt  time.Time          `json:"createdAt"`
	UpdatedAt  time.Time          `json:"updatedAt" doc:"When an administrator last changed it; uses do not count"`
}

// CreatedInvite is a new invite.
type CreatedInvite struct {
	Invite
	Code string `json:"code,omitempty" doc:"Only if the server made it, and only this once"`
	URL  string `json:"url,omitempty" doc:"The whole link, under the address that the caller reached; only with the code"`
}

func inviteView(v *store.Invite, now time.Time, me string) Invite {
	terms := v.Terms()
	return Invite{
		ID: v.ID, CodeSHA256: v.CodeSHA256, Status: terms.Status(now), Reason: reasonOf(v), MadeBy: v.CreatedBy, Mine: v.CreatedBy == me, Role: v.Role, Libraries: accessEntries(v.Libraries),
		MaxUses: v.MaxUses, UseCount: v.UseCount, PriorUses: v.PriorUses, LastUsedBy: v.LastUsedBy,
		Remaining: terms.Remaining(), ExpiresAt: v.Expiry(), Revoked: v.Revoked, Held: v.Held, Email: nullable(v.Email), Inviter: Inviter{DisplayName: v.InviterName},
		Welcome: v.Welcome, Reference: v.Reference,
		CreatedAt: v.CreatedAt.Time(), UpdatedAt: v.UpdatedAt.Time(),
	}
}

// reasonOf says why an invite gives nothing, where its status says no more than that.
func reasonOf(v *store.Invite) string {
	if v.Powerless {
		return rules.PowerlessInvite
	}
	return ""
}

// InviteUse is one person's use of an invite, with who they were then.
type InviteUse struct {
	UserID      string    `json:"userId" doc:"The account may be gone by now"`
	Username    string    `json:"username"`
	DisplayName string    `json:"displayName"`
	Email       *string   `json:"email" nullable:"true"`
	UsedAt      time.Time `json:"usedAt"`
	Registered  bool      `json:"registered" doc:"True: the account was made with this invite"`
	// Role and Libraries are what the invite gave then, whatever it gives now.
	Role      *rules.Role   `json:"role" nullable:"true" enum:"member,guest,editor" doc:"What the invite gave to a new account then; null: used before the server kept that"`
	Libraries []AccessEntry `json:"libraries" doc:"What the invite gave then; null: used before the server kept that"`
}

func useView(u *store.InviteUse) InviteUse {
	view := InviteUse{
		UserID: u.AccountID, Username: u.Username, DisplayName: u.DisplayName, Email: nullable(u.Email),
		UsedAt: u.UsedAt.Time(), Registered: u.Registered,
	}
	if u.Role != "" {
		view.Role, view.Libraries = &u.Role, accessEntries(u.Libraries)
	}
	return view
}

func accessEntries(libraries []store.InviteLibrary) []AccessEntry {
	entries := make([]AccessEntry, 0, len(libraries))
	for _, l := range libraries {
		entries = append(entries, AccessEntry{LibraryID: l.LibraryID, Role: l.Role})
	}
	return entries
}

// InvitedLibrary is a library as the holder of a link sees it.
type InvitedLibrary struct {
	Name  string  `json:"name"`
	Emoji *string `json:"emoji" nullable:"true"`
}

// offered lists an invite's libraries by name, as the holder of its link sees them.
func offered(v *store.Invite) []store.InviteLibrary {
	folded := make(map[string]string, len(v.Libraries))
	for _, l := range v.Libraries {
		folded[l.Name] = rules.Fold(l.Name)
	}
	return slices.SortedStableFunc(slices.Values(v.Libraries), func(a, b store.InviteLibrary) int {
		return strings.Compare(folded[a.Name], folded[b.Name])
	})
}

// Invitation is an invite as the holder of its link sees it.
type Invitation struct {
	Inviter       Inviter            `json:"inviter"`
	Libraries     []InvitedLibrary   `json:"libraries" nullable:"false"`
	Status        rules.InviteStatus `json:"status" enum:"pending,revoked,expired,exhausted,unavailable"`
	Reason        string             `json:"reason,omitempty" doc:"Why nobody, or not the caller, can use it, where the status does not say"`
	CanAccept     bool               `json:"canAccept" doc:"True while it is pending and there is something to accept"`
	AlreadyMember bool               `json:"alreadyMember" doc:"True for a signed-in caller whom it would give nothing"`
	MaxUses       *int               `json:"maxUses" nullable:"true"`
	UseCount      int                `json:"useCount"`
	Remaining     *int               `json:"remaining" nullable:"true"`
	ExpiresAt     *time.Time         `json:"expiresAt" nullable:"true"`
	EmailRequired bool               `json:"emailRequired" doc:"True: for one mail address only"`
}

func invitationView(v *store.Invite, now time.Time, alreadyMember bool) Invitation {
	libraries := make([]InvitedLibrary, 0, len(v.Libraries))
	for _, l := range offered(v) {
		libraries = append(libraries, InvitedLibrary{Name: l.Name, Emoji: nullable(l.Emoji)})
	}
	terms := v.Terms()
	status := terms.Status(now)
	return Invitation{
		Inviter: Inviter{DisplayName: v.InviterName}, Libraries: libraries, Status: status, Reason: reasonOf(v),
		CanAccept: status == rules.InvitePending && !alreadyMember, AlreadyMember: alreadyMember,
		MaxUses: v.MaxUses, UseCount: terms.Uses, Remaining: terms.Remaining(), ExpiresAt: v.Expiry(),
		EmailRequired: v.Email != "",
	}
}

// Accepted is what came of accepting an invite.
type Accepted struct {
	Result    string   `json:"result" enum:"accepted,already_member"`
	Libraries []string `json:"libraries" nullable:"false" doc:"Those of the invite's libraries that the caller sees now"`
}

func acceptedView(a store.Acceptance) Accepted {
	result := "accepted"
	if a.AlreadyMember {
		result = "already_member"
	}
	return Accepted{Result: result, Libraries: a.LibraryIDs}
}

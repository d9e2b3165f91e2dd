package store

import (
	"testing"

	"github.com/usher-media/usher/internal/mediaserver/auth"
	"github.com/usher-media/usher/internal/mediaserver/rules"
)

// From before the makers of invites were kept, the audit log knows them, and the accounts that are gone, and who wrote their
// address themselves; what it does not know is the owner's.
func TestMakersComeFromTheAuditLog(t *testing.T) {
	s := open(t)
	ctx := t.Context()
	olga := newcomer("olga")
	must(t, s.Register(ctx, olga, ""))
	ann := &Account{ID: auth.NewID(), Username: "ann", Email: "ann@example.org", Role: rules.Admin, PasswordHash: "hash"}
	must(t, s.CreateAccount(ctx, ann))
	gone := addAccount(t, s, "gone")
	must(t, s.DeleteAccount(ctx, gone.ID, allow))
	byAnn := &Invite{ID: auth.NewID(), CodeSHA256: "a", Role: rules.Member}
	must(t, s.CreateInvite(WithAuthor(ctx, Author{AccountID: ann.ID, Name: "ann"}), byAnn))
	unknown := &Invite{ID: auth.NewID(), CodeSHA256: "b", Role: rules.Member}
	must(t, s.CreateInvite(ctx, unknown))
	_, err := s.write.NewDelete().Table("audit_log").Where("target_id = ?", unknown.ID).Exec(ctx)
	must(t, err)

	migrations, err := s.migrations()
	must(t, err)
	_, err = migrations.DownTo(ctx, 5)
	must(t, err)
	_, err = migrations.Up(ctx)
	must(t, err)

	for invite, want := range map[*Invite]string{byAnn: ann.ID, unknown: olga.ID} {
		got, err := s.Invite(ctx, invite.ID)
		if must(t, err); got.CreatedBy != want || got.Powerless {
			t.Errorf("%s is made by %q, want %q", got.CodeSHA256, got.CreatedBy, want)
		}
	}
	wantErr(t, s.CreateAccount(ctx, &Account{ID: gone.ID, Username: "again", Role: rules.Member}), ErrIDTaken)
	for account, want := range map[*Account]bool{olga: true, ann: false} {
		got, err := s.Account(ctx, account.ID)
		if must(t, err); got.EmailChosen != want {
			t.Errorf("%s wrote the address themselves: %v, want %v", got.Username, got.EmailChosen, want)
		}
	}
}

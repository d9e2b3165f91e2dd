package store

import (
	"testing"

	"github.com/usher-media/usher/internal/mediaserver/rules"
)

// What a use gave is what the invite gave then, whatever becomes of the invite and of the libraries.
func TestAUseKeepsWhatItGave(t *testing.T) {
	s := open(t)
	films, kids := addLibrary(t, s, "Films", "/f"), addLibrary(t, s, "Kids", "/k")
	invite := addInvite(t, s, []*Library{films}, func(v *Invite) { v.Role = rules.Guest })
	must(t, s.Register(t.Context(), newcomer("mia"), invite.CodeSHA256))
	_, err := s.UpdateInvite(t.Context(), invite.ID, func(v *Invite) error {
		v.Role, v.Libraries = rules.Editor, []InviteLibrary{{LibraryID: kids.ID, Role: rules.LibraryAdmin}}
		return nil
	})
	must(t, err)
	must(t, s.Register(t.Context(), newcomer("tom"), invite.CodeSHA256))
	must(t, s.DeleteLibrary(t.Context(), Viewer{All: true}, films.ID, func(*Library) error { return nil }))
	_, err = s.write.NewInsert().Model(&InviteUse{InviteID: invite.ID, AccountID: "of-old", Username: "old", Registered: true}).Exec(t.Context())
	must(t, err)
	list, err := s.InviteUses(t.Context(), invite.ID, Page{Limit: 10})
	must(t, err)
	for i, want := range []struct {
		role    rules.Role
		library string
		in      rules.LibraryRole
	}{{rules.Guest, films.ID, rules.Viewer}, {rules.Editor, kids.ID, rules.LibraryAdmin}} {
		use := list.Items[i]
		if use.Role != want.role || len(use.Libraries) != 1 || use.Libraries[0].LibraryID != want.library || use.Libraries[0].Role != want.in {
			t.Errorf("%s: got %+v, want %+v", use.Username, use, want)
		}
	}
	if old := list.Items[2]; old.Role != "" || old.Libraries != nil {
		t.Errorf("a use from before that was kept: %+v", old)
	}
	if got, err := s.Invite(t.Context(), invite.ID); err != nil || got.LastUsedBy != list.Items[1].AccountID {
		t.Errorf("last used by %q, %v", got.LastUsedBy, err)
	}
}

// Uses that this database does not know count, and a held invite waits.
func TestPriorUsesCountAndAHeldInviteWaits(t *testing.T) {
	s := open(t)
	invite := addInvite(t, s, nil, func(v *Invite) { v.MaxUses, v.PriorUses, v.Held = ptr(2), 1, true })
	wantDead(t, s.Register(t.Context(), newcomer("mia"), invite.CodeSHA256), rules.InviteUnavailable)
	update := func(change func(*Invite)) {
		t.Helper()
		_, err := s.UpdateInvite(t.Context(), invite.ID, func(v *Invite) error { change(v); return nil })
		must(t, err)
	}
	update(func(v *Invite) { v.Held = false })
	must(t, s.Register(t.Context(), newcomer("mia"), invite.CodeSHA256))
	wantDead(t, s.Register(t.Context(), newcomer("tom"), invite.CodeSHA256), rules.InviteExhausted)
	reload(t, s, invite, 1)
	update(func(v *Invite) { v.PriorUses = 0 })
	must(t, s.Register(t.Context(), newcomer("tom"), invite.CodeSHA256))
	reload(t, s, invite, 2)
}

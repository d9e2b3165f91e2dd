package store

import (
	"context"

	"github.com/uptrace/bun"

	"github.com/usher-media/usher/internal/mediaserver/rules"
)

// Admit reports whether a stranger may register that account with the invite whose code has that hash (empty: without
// one). Register asks the same again inside its transaction; asked before, it spares hashing a password for nothing.
// The errors are those of Register.
func (s *Store) Admit(ctx context.Context, account *Account, codeHash string) error {
	_, _, err := s.admit(ctx, s.read, account, codeHash)
	return err
}

// Register stores an account that a stranger makes: the owner if it is the very first, else with the role and the
// libraries of the invite whose code has that hash, else (empty) a member without libraries. Account, libraries and the
// count of the use are stored together or not at all. Of any number of racing first registrations exactly one becomes
// owner. Errors: those of rules.CheckRegistration, ErrInviteNotFound, *rules.DeadInvite, rules.ErrOtherEmail,
// *rules.Invalid where the invite asks for a mail address, ErrUsernameTaken, ErrEmailTaken.
func (s *Store) Register(ctx context.Context, account *Account, codeHash string) error {
	return s.tx(ctx, func(ctx context.Context, tx bun.Tx) error {
		invite, first, err := s.admit(ctx, tx, account, codeHash)
		if err != nil {
			return err
		}
		account.Role, account.EmailChosen = rules.Member, true
		if invite != nil {
			account.Role = invite.Role
		}
		if first {
			account.Role = rules.Owner
		}
		if err := s.insertAccount(ctx, tx, account); err != nil {
			return err
		}
		err = s.record(ctx, tx, event{action: "user.register", target: account.target(), by: account, details: account.facts()})
		if err != nil || invite == nil {
			return err
		}
		if err := s.use(ctx, tx, invite, account, true); err != nil {
			return err
		}
		return s.give(ctx, tx, invite, account)
	})
}

// admit returns the invite that lets the stranger in, or nil where none is given, and whether it is the first account.
func (s *Store) admit(
	ctx context.Context, db bun.IDB, account *Account, codeHash string,
) (invite *Invite, first bool, err error) {
	settings, first, err := readSettings(ctx, db)
	if err != nil {
		return nil, false, err
	}
	if err := rules.CheckRegistration(settings.Registration, first, codeHash != ""); err != nil {
		return nil, false, err
	}
	if codeHash == "" {
		return nil, first, nil
	}
	if invite, err = loadByCode(ctx, db, codeHash); err != nil {
		return nil, false, err
	}
	return invite, first, s.checkNewcomer(ctx, db, invite, account)
}

func (s *Store) checkNewcomer(ctx context.Context, db bun.IDB, invite *Invite, account *Account) error {
	if dead := invite.Dead(s.now()); dead != nil {
		again, err := registeredWith(ctx, db, invite, account)
		if err != nil {
			return err
		}
		if again {
			return ErrUsernameTaken
		}
		return dead
	}
	if invite.Email != "" && account.Email == "" {
		check := new(rules.Check)
		check.Field("email", "is needed: this invite is for one email address")
		return check.Err()
	}
	return rules.CheckInviteEmail(invite.Email, account.Email)
}

// registeredWith reports whether an account of that name was made with the invite. Whoever lost the answer to a
// registration learns so that it went well, although the invite may be used up by it; holders of a dead invite learn
// nothing about other names.
func registeredWith(ctx context.Context, db bun.IDB, invite *Invite, account *Account) (bool, error) {
	return db.NewSelect().Table("accounts").Where("username_folded = ?", rules.Fold(account.Username)).
		Where("id IN (SELECT account_id FROM invite_uses WHERE invite_id = ? AND registered = ?)", invite.ID, true).
		Exists(ctx)
}

package alcoves

import (
	"context"

	"github.com/usher-media/usher/internal/media"
)

// personalLibrary is what the server names the library that comes with an account.
const personalLibrary = "My Library"

// make makes an account with its personal library and its access: what registering does (section 8).
func (s *session) make(ctx context.Context, email, name, hash string, access media.Access) (media.AccountID, error) {
	// The server compares addresses exactly, and those of people who came by Google keep their letter case.
	taken, err := s.exec(ctx, `SELECT 1 FROM users WHERE lower(email) = $1`, email)
	if err != nil {
		return "", err
	}
	if taken > 0 {
		return "", media.Errorf(media.AlreadyExists, "the email address is taken")
	}
	var id string
	row := s.tx.QueryRow(ctx, `INSERT INTO users (email, display_name, password_hash) VALUES ($1, $2, $3) RETURNING id::text`, email, name, hash)
	if err := row.Scan(&id); err != nil {
		return "", statementFailed(ctx, err)
	}
	if _, err := s.exec(ctx, `INSERT INTO accounts (user_id, provider, provider_account_id) VALUES ($1::uuid, 'credentials', $2)`, id, email); err != nil {
		return "", err
	}
	if _, err := s.exec(ctx, `INSERT INTO libraries (owner_id, name, is_default) VALUES ($1::uuid, $2, true)`, id, personalLibrary); err != nil {
		return "", err
	}
	for _, library := range access.IDs() {
		if err := s.give(ctx, media.AccountID(id), library, access.Libraries[library]); err != nil {
			return "", err
		}
	}
	return media.AccountID(id), nil
}

// give lets an account see a library, or changes its role there. A personal library is never given, and the owner of a
// library never gets a row in its list.
func (s *session) give(ctx context.Context, id media.AccountID, library media.LibraryID, role media.LibraryRole) error {
	word, err := libraryRoleWord(role)
	if err != nil {
		return err
	}
	touched, err := s.exec(ctx, `
		INSERT INTO library_members (library_id, user_id, role)
		SELECT l.id, u.id, $3 FROM libraries l, users u
		WHERE l.id = $2::uuid AND u.id = $1::uuid AND NOT l.is_default AND l.owner_id <> u.id
		ON CONFLICT (library_id, user_id) DO UPDATE SET role = EXCLUDED.role, updated_at = now()`,
		string(id), string(library), word)
	if err == nil && touched == 0 {
		err = s.whyNot(ctx, id, library)
	}
	return err
}

// whyNot says why a library was not given.
func (s *session) whyNot(ctx context.Context, id media.AccountID, library media.LibraryID) error {
	var owns bool
	err := s.tx.QueryRow(ctx, `SELECT EXISTS (SELECT 1 FROM libraries WHERE id = $2::uuid AND owner_id = $1::uuid AND NOT is_default)`, string(id), string(library)).Scan(&owns)
	switch {
	case err != nil:
		return statementFailed(ctx, err)
	case owns:
		return media.Errorf(media.Conflict, "the account owns the library, which is never changed: leave the person out of the grants of it")
	}
	return media.Errorf(media.Invalid, "there is no such library to give")
}

// take takes a library away, and every live link to it first: by one of them the person would come back (section 5).
func (s *session) take(ctx context.Context, id media.AccountID, library media.LibraryID) error {
	_, err := s.exec(ctx, `UPDATE library_invites SET revoked_at = now(), updated_at = now() WHERE library_id = $1::uuid AND revoked_at IS NULL`, string(library))
	if err == nil {
		_, err = s.exec(ctx, `DELETE FROM library_members WHERE library_id = $1::uuid AND user_id = $2::uuid`, string(library), string(id))
	}
	return err
}

// clear revokes the links and removes the members of a library that is gone.
func (s *session) clear(ctx context.Context, library media.LibraryID) error {
	const gone = ` AND NOT EXISTS (SELECT 1 FROM libraries l WHERE l.id = $1::uuid)`
	_, err := s.exec(ctx, `UPDATE library_invites SET revoked_at = now(), updated_at = now() WHERE library_id = $1::uuid AND revoked_at IS NULL`+gone, string(library))
	if err == nil {
		_, err = s.exec(ctx, `DELETE FROM library_members WHERE library_id = $1::uuid`+gone, string(library))
	}
	return err
}

// signOutEverywhere ends the sessions and tokens of an account, those of apps among them.
func (s *session) signOutEverywhere(ctx context.Context, id media.AccountID) error {
	statements := []string{
		`DELETE FROM sessions WHERE user_id = $1::uuid`, `DELETE FROM personal_access_tokens WHERE user_id = $1::uuid`,
	}
	if s.apps {
		statements = append(statements, `DELETE FROM oauth_authorization_codes WHERE user_id = $1::uuid`,
			`DELETE FROM oauth_access_tokens WHERE user_id = $1::uuid`, `DELETE FROM oauth_refresh_tokens WHERE user_id = $1::uuid`)
	}
	for _, statement := range statements {
		if _, err := s.exec(ctx, statement, string(id)); err != nil {
			return err
		}
	}
	return nil
}

// change runs a statement about one account; NotFound when there is none.
func (s *session) change(ctx context.Context, statement string, id media.AccountID, args ...any) error {
	touched, err := s.exec(ctx, statement, append([]any{string(id)}, args...)...)
	if err == nil && touched == 0 {
		err = noAccount()
	}
	return err
}

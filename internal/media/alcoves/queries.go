package alcoves

import (
	"context"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/usher-media/usher/internal/media"
)

// locked begins a password hash that fits no password: the rest is the hash before, which gives the account back.
const locked = "!"

// The account, as far as people can sign in with it: none can without a password hash that works, a session, a token,
// and an account elsewhere that was linked to it.
const selectAccounts = `
	SELECT u.id::text, u.email, u.display_name, u.role, u.created_at,
		(u.password_hash IS NULL OR left(u.password_hash, 1) = '!')
		AND NOT EXISTS (SELECT 1 FROM sessions s WHERE s.user_id = u.id AND s.expires_at > now())
		AND NOT EXISTS (SELECT 1 FROM personal_access_tokens t WHERE t.user_id = u.id AND (t.expires_at IS NULL OR t.expires_at > now()))
		AND NOT EXISTS (SELECT 1 FROM accounts a WHERE a.user_id = u.id AND a.provider <> 'credentials')`

// What apps were given counts, too.
const selectApps = `
		AND NOT EXISTS (SELECT 1 FROM oauth_access_tokens o WHERE o.user_id = u.id AND o.expires_at > now())
		AND NOT EXISTS (SELECT 1 FROM oauth_refresh_tokens o WHERE o.user_id = u.id AND o.expires_at > now() AND o.revoked_at IS NULL)`

// Rows of libraries that are gone, of personal ones and of the owner's own give nothing (sections 4 and 6).
const selectAccess = `
	SELECT m.user_id::text, m.library_id::text, m.role
	FROM library_members m JOIN libraries l ON l.id = m.library_id
	WHERE NOT l.is_default AND l.owner_id <> m.user_id`

const selectLibraries = `
	SELECT l.id::text, l.name, coalesce(l.emoji, ''), l.is_default, l.face_recognition_enabled, l.object_detection_enabled,
		l.sharing_enabled, l.created_at, l.owner_id::text, l.owner_id = $1::uuid OR EXISTS (
			SELECT 1 FROM library_members m WHERE m.library_id = l.id AND m.user_id = $1::uuid AND m.role = 'admin')
	FROM libraries l`

const selectLinks = `
	SELECT i.library_id::text, i.id::text, i.token, i.max_uses, i.use_count, i.expires_at, COALESCE((
		SELECT v.user_id::text FROM library_invite_uses v WHERE v.invite_id = i.id ORDER BY v.used_at DESC, v.id DESC LIMIT 1), '')
	FROM library_invites i JOIN libraries l ON l.id = i.library_id
	WHERE i.revoked_at IS NULL ORDER BY i.created_at, i.id`

// everything reads the view: of all accounts, or of one where only names it.
func (s *session) everything(ctx context.Context, only media.AccountID) (view, error) {
	seen := view{managed: map[media.LibraryID]bool{}, links: map[media.LibraryID][]link{}, sql: true}
	var err error
	if seen.listing.Accounts, err = s.accounts(ctx, only); err != nil {
		return view{}, err
	}
	if err := s.libraries(ctx, &seen); err != nil {
		return view{}, err
	}
	seen.links, err = s.links(ctx)
	return seen, err
}

func (s *session) accounts(ctx context.Context, only media.AccountID) ([]media.Account, error) {
	var all []media.Account
	who, what, args := ``, ``, []any{}
	if only != "" {
		who, what, args = ` WHERE u.id = $1::uuid`, ` AND m.user_id = $1::uuid`, []any{string(only)}
	}
	apps := ``
	if s.apps {
		apps = selectApps
	}
	byID := map[string]media.Access{}
	err := s.rows(ctx, selectAccounts+apps+` FROM users u`+who+` ORDER BY u.created_at, u.id`, func(rows pgx.Rows) error {
		var one account
		var disabled bool
		if err := rows.Scan(&one.ID, &one.Email, &one.DisplayName, &one.Role, &one.CreatedAt, &disabled); err != nil {
			return err
		}
		if err := one.Check(); err != nil {
			return err
		}
		converted := one.account()
		converted.Disabled = disabled
		byID[one.ID] = converted.Access
		all = append(all, converted)
		return nil
	}, args...)
	if err != nil {
		return nil, err
	}
	return all, s.rows(ctx, selectAccess+what, func(rows pgx.Rows) error {
		var user, library, word string
		if err := rows.Scan(&user, &library, &word); err != nil {
			return err
		}
		role, known := libraryRoles[word]
		if list, there := byID[user]; there && known {
			list.Libraries[media.LibraryID(library)] = role
		} else if there {
			return fmt.Errorf("%w: a role in a library", errForm)
		}
		return nil
	}, args...)
}

func (s *session) libraries(ctx context.Context, seen *view) error {
	return s.rows(ctx, selectLibraries+` ORDER BY l.created_at, l.id`, func(rows pgx.Rows) error {
		var one library
		var emoji, name string
		var personal, faces, objects, sharing, managed bool
		var created time.Time
		if err := rows.Scan(&one.ID, &name, &emoji, &personal, &faces, &objects, &sharing, &created, &one.OwnerID, &managed); err != nil {
			return err
		}
		one.Name, one.Emoji, one.IsDefault, one.Faces, one.Objects, one.Sharing = &name, &emoji, &personal, &faces, &objects, &sharing
		one.CreatedAt.Time = media.Moment(created)
		converted := one.library()
		seen.listing.Libraries = append(seen.listing.Libraries, converted)
		seen.managed[converted.ID] = managed && !personal
		return nil
	}, s.self)
}

// links reads the links that are not revoked, with who came last by each.
func (s *session) links(ctx context.Context) (map[media.LibraryID][]link, error) {
	links := map[media.LibraryID][]link{}
	err := s.rows(ctx, selectLinks, func(rows pgx.Rows) error {
		var library, last string
		var one link
		if err := rows.Scan(&library, &one.ID, &one.Token, &one.MaxUses, &one.UseCount, &one.ExpiresAt, &last); err != nil {
			return err
		}
		if last != "" { // whoever came before is not needed here
			one.Uses = []linkUse{{User: account{ID: last}}}
		}
		links[media.LibraryID(library)] = append(links[media.LibraryID(library)], one)
		return nil
	})
	return links, err
}

// uses reads who came by a link, revoked or not, oldest first, with when each account was made.
func (s *session) uses(ctx context.Context, invite string) ([]linkUse, error) {
	var uses []linkUse
	err := s.rows(ctx, `
		SELECT u.id::text, u.email, u.display_name, u.created_at, v.used_at
		FROM library_invite_uses v JOIN users u ON u.id = v.user_id
		WHERE v.invite_id = $1::uuid ORDER BY v.used_at, v.id`, func(rows pgx.Rows) error {
		var one linkUse
		if err := rows.Scan(&one.User.ID, &one.User.Email, &one.User.DisplayName, &one.User.CreatedAt, &one.UsedAt); err != nil {
			return err
		}
		uses = append(uses, one)
		return nil
	}, invite)
	return uses, err
}

package dubby

import (
	"context"
	"crypto/rand"
	"encoding/json"
	"math/big"
	"net/http"
	"strings"
	"time"

	"github.com/usher-media/usher/internal/media"
	"github.com/usher-media/usher/internal/media/fold"
)

// enter mints the invite and consumes it. Whatever goes wrong, no invite is left behind that could be deleted.
func (m *maker) enter(ctx context.Context) (media.AccountID, error) {
	m.clearLeftovers(ctx)
	code, err := m.mintInvite(ctx)
	if err != nil {
		if media.CodeOf(err) == media.Ambiguous {
			m.findLost(ctx)
		}
		return "", err
	}
	id, err := m.consume(ctx, code)
	if err != nil {
		m.drop(ctx, m.invite)
	}
	return id, err
}

// mintInvite makes an invite. Its moment of expiry, to the millisecond, is chosen at random, so that it can be known again
// if the answer is lost.
func (m *maker) mintInvite(ctx context.Context) (string, error) {
	jitter, err := rand.Int(rand.Reader, big.NewInt(int64(10*time.Minute/time.Millisecond)))
	if err != nil {
		return "", err
	}
	m.expires = time.Now().Add(inviteLife + time.Duration(jitter.Int64())*time.Millisecond).UTC().Truncate(time.Millisecond)
	body := map[string]any{}
	for k, value := range map[key]any{
		keyRole: m.roleWord(), keyEmail: m.want.Username, keyUses: 1, keyGrants: []string{},
		keyExpires: m.expires.Format("2006-01-02T15:04:05.000Z"), keyDays: 1,
	} {
		if name := m.mint.request[k]; name != "" && (k != keyDays || !m.mint.takes(keyExpires)) {
			body[name] = value
		}
	}
	var answer json.RawMessage
	if err := m.run(ctx, m.mint, body, &answer, wrongServer); err != nil {
		return "", err
	}
	var fields map[string]json.RawMessage
	var code string
	if json.Unmarshal(answer, &fields) != nil || json.Unmarshal(fields[m.mint.answer[keyID]], &m.invite) != nil ||
		json.Unmarshal(fields[m.mint.answer[keyCode]], &code) != nil || m.invite == "" || code == "" {
		return "", media.Errorf(media.Ambiguous, "POST %s: the server did not answer with an invite", m.mint.path)
	}
	return code, nil
}

// consume registers with the code, which also begins a session.
func (m *maker) consume(ctx context.Context, code string) (media.AccountID, error) {
	body := map[string]any{}
	for k, value := range map[key]string{
		keyEmail: m.want.Username, keyPassword: m.want.Password, keyCode: code, keyUsername: m.want.Username, keyName: m.displayName(),
	} {
		if name := m.register.request[k]; name != "" {
			body[name] = value
		}
	}
	var in struct {
		Token string
		User  struct{ ID string }
	}
	var answer json.RawMessage
	err := m.runAnonymous(ctx, m.register, body, &answer, map[int]media.Code{
		http.StatusConflict: media.AlreadyExists, http.StatusNotFound: media.Unavailable, http.StatusGone: media.Unavailable,
		// A stranger's call is refused, not our credentials.
		http.StatusUnauthorized: media.Conflict,
	})
	if err != nil {
		return "", err
	}
	_ = json.Unmarshal(answer, &in) // an answer without a token began no session
	m.token = in.Token
	return m.find(ctx, media.AccountID(in.User.ID))
}

// displayName is what a new account is called: without a wish, by its address up to the @.
func (m *maker) displayName() string {
	if m.want.DisplayName != "" {
		return m.want.DisplayName
	}
	name, _, _ := strings.Cut(m.want.Username, "@")
	return name
}

// find reads the new account back: by the id that the answer told, if that has the address, or else by the address.
func (m *maker) find(ctx context.Context, told media.AccountID) (media.AccountID, error) {
	if told != "" && m.plan.found[opGetUser] != nil {
		u, err := m.user(ctx, told)
		if err == nil && m.isWanted(u) {
			return told, nil
		}
	}
	users, err := m.users(ctx)
	if err != nil {
		return "", media.Errorf(media.Ambiguous, "the account was made, but could not be read back").WithCause(err)
	}
	for _, u := range users {
		if m.isWanted(u) {
			return media.AccountID(u.id), nil
		}
	}
	return "", media.Errorf(media.Ambiguous, "the server said that it made the account, but does not list it")
}

func (m *maker) isWanted(u user) bool { return fold.ASCII(u.email) == fold.ASCII(m.want.Username) }

// finish gives the account what the invite did not: shut out first where it is to be, then access, role and name.
func (m *maker) finish(ctx context.Context, id media.AccountID) (media.Account, error) {
	defer m.signOut(ctx, m.token)
	account, err := m.complete(ctx, id)
	if err != nil && media.CodeOf(err) != media.Ambiguous {
		err = media.Errorf(media.Ambiguous, "the account was made, but not all of it: %s", err).WithCause(err)
	}
	return account, err
}

func (m *maker) complete(ctx context.Context, id media.AccountID) (media.Account, error) {
	u, err := m.user(ctx, id)
	if err != nil {
		return media.Account{}, err
	}
	now, err := m.given(ctx, id)
	if err != nil {
		return media.Account{}, err
	}
	if m.want.Disabled {
		if err := m.setActive(ctx, u, false); err != nil {
			return media.Account{}, err
		}
	}
	if err := m.converge(ctx, id, now, m.want.Access); err != nil {
		return media.Account{}, err
	}
	if err := m.setRole(ctx, u, m.want.Role); err != nil {
		return media.Account{}, err
	}
	if m.want.DisplayName != "" {
		if err := m.setName(ctx, u, m.want.DisplayName); err != nil {
			return media.Account{}, err
		}
	}
	if u, err = m.user(ctx, id); err != nil {
		return media.Account{}, err
	}
	return u.account(m.want.Access.Clone()), nil
}

// given finds out what the server gave the new account by itself: best by the account's own eyes, in one call.
func (m *maker) given(ctx context.Context, id media.AccountID) (media.Access, error) {
	if m.token == "" {
		all, err := m.permissions(ctx, m.there)
		return all.of(id), err
	}
	seen, err := m.librariesOf(ctx, m.token)
	access := media.Access{}.Clone()
	for _, l := range seen {
		if !l.Personal { // the person's own
			access.Libraries[l.ID] = media.LibraryViewer
		}
	}
	return access, err
}

package audiobookshelf

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"net/http"
	"strings"
	"time"

	"github.com/usher-media/usher/internal/media"
	"github.com/usher-media/usher/internal/media/wire"
)

const (
	returnTokens  = "X-Return-Tokens"
	refreshHeader = "X-Refresh-Token"
)

// signIn gets the session's token: by the refresh token while that is good, else by username and password. Both count
// towards the server's limit of sign-ins (contract, section 3).
func (d *Driver) signIn(ctx context.Context) (wire.Token, error) {
	d.mu.Lock()
	refresh := d.refresh
	d.mu.Unlock()
	if refresh != "" {
		in, err := d.renew(ctx, refresh)
		if media.CodeOf(err) != media.Unauthenticated {
			return d.become(in, err)
		}
		d.mu.Lock()
		d.refresh = ""
		d.mu.Unlock()
	}
	return d.become(d.enter(ctx, d.credentials.Username, d.credentials.Password))
}

func (d *Driver) renew(ctx context.Context, refresh string) (signedIn, error) {
	var in signedIn
	_, err := d.client.Do(ctx, wire.Call{
		Method: http.MethodPost, Path: refreshPath, Anonymous: true, Harmless: true, Into: &in,
		Header: http.Header{refreshHeader: {refresh}},
	})
	return in, err
}

// enter signs in.
func (d *Driver) enter(ctx context.Context, username, password string) (signedIn, error) {
	credentials := login{Username: username, Password: password}
	if credentials.check() != nil {
		// The server would say that the request is wrong, which is not what the caller asks; and an empty password is the
		// right one of an account without any.
		return signedIn{}, media.Errorf(media.Unauthenticated, "nobody has such a username or password: one is empty or too long")
	}
	var in signedIn
	_, err := d.send(ctx, wire.Call{
		Method: http.MethodPost, Path: loginPath, Anonymous: true, Harmless: true, Into: &in,
		Header: http.Header{returnTokens: {"true"}},
	}, credentials)
	return in, err
}

// become keeps what a sign-in gave.
func (d *Driver) become(in signedIn, err error) (wire.Token, error) {
	if err != nil {
		return wire.Token{}, err
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	d.self, d.refresh = in.User.ID, in.User.RefreshToken
	return wire.Token{Value: in.User.AccessToken, Expires: expiry(in.User.AccessToken)}, nil
}

// expiry reads when a token ends from its claims; the zero time where it does not say. Nothing is believed but that.
func expiry(token string) time.Time {
	_, rest, _ := strings.Cut(token, ".")
	claims, _, _ := strings.Cut(rest, ".")
	raw, err := base64.RawURLEncoding.DecodeString(claims)
	var told struct {
		Exp int64 `json:"exp"`
	}
	if err != nil || json.Unmarshal(raw, &told) != nil || told.Exp <= 0 {
		return time.Time{}
	}
	return time.Unix(told.Exp, 0)
}

// Authenticate signs in and ends the session that this made. With two accounts of one name, the server tries one of them
// only: whose the password is, the id says.
func (d *Driver) Authenticate(ctx context.Context, username, password string) (media.AccountID, error) {
	in, err := d.enter(ctx, username, password)
	if err != nil {
		return "", err
	}
	if !sameName(in.User.Username, username) {
		return "", media.Errorf(media.Unauthenticated, "the server refuses the credentials")
	}
	// That this fails changes nothing about what was found out: the session ends by itself.
	_, _ = d.client.Do(ctx, wire.Call{
		Method: http.MethodPost, Path: logoutPath, Anonymous: true, Harmless: true, Header: http.Header{refreshHeader: {in.User.RefreshToken}},
	})
	return media.AccountID(in.User.ID), nil
}

// whoami returns the id of the account that Usher uses.
func (d *Driver) whoami(ctx context.Context) (string, error) {
	d.mu.Lock()
	self := d.self
	d.mu.Unlock()
	if self != "" {
		return self, nil
	}
	me, err := d.me(ctx)
	return me.ID, err
}

// me reads the account that Usher uses.
func (d *Driver) me(ctx context.Context) (user, error) {
	var me user
	if err := d.get(ctx, mePath, &me); err != nil {
		return user{}, err
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	d.self = me.ID
	return me, nil
}

// seesAll fails unless Usher's account may do all that it needs at this moment: to one that is limited, the server shows a
// part of the libraries as if it were all (contract, section 5).
func (d *Driver) seesAll(ctx context.Context) error {
	me, err := d.me(ctx)
	if err != nil {
		return err
	}
	return me.suffices()
}

// protect refuses what would change the account that Usher uses, or root: nobody else may change root, and what root does to
// itself nobody can undo (contract, section 4).
func (d *Driver) protect(ctx context.Context, u user) error {
	self, err := d.whoami(ctx)
	switch {
	case err != nil:
		return err
	case u.ID == self:
		return media.Errorf(media.Conflict, "the account that Usher itself uses is never changed")
	case u.Type == typeRoot:
		return media.Errorf(media.Conflict, "the account that the server was set up with (its root) is never changed: nobody could undo it")
	}
	return nil
}

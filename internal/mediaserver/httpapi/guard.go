package httpapi

import (
	"context"
	"errors"
	"net/http"
	"net/url"
	"strconv"
	"strings"

	"github.com/danielgtaylor/huma/v2"

	"github.com/usher-media/usher/internal/mediaserver/auth"
	"github.com/usher-media/usher/internal/mediaserver/rules"
	"github.com/usher-media/usher/internal/mediaserver/store"
)

// caller is who makes a request. The account is as stored when the request came in: a change bites at the next
// request, in sessions that are open too (Dubby access seed, line 19: "Changes take effect immediately").
type caller struct {
	account *store.Account
	session *store.Session
	// again looks up the account as it is now, for a stream, with until when the caller stays who they are; the zero instant is for
	// ever. It fails as the guard would. Callers with the same key get the same answer.
	again func(context.Context) (account *store.Account, until store.Instant, err error)
	key   string
}

type (
	callerKey struct{}
	clientKey struct{}
	ownKey    struct{}
)

// linkTo returns a whole link to a page of this server, as the caller reached it.
func linkTo(ctx context.Context, path, secret string) string {
	own, _ := ctx.Value(ownKey{}).(string)
	return strings.TrimSuffix(own, "/") + path + url.PathEscape(secret)
}

// callerOf returns who makes the request. It panics on public routes, which have no caller.
func callerOf(ctx context.Context) *caller { return ctx.Value(callerKey{}).(*caller) }

// knownCaller returns who makes the request, or nil for a stranger.
func knownCaller(ctx context.Context) *caller {
	who, _ := ctx.Value(callerKey{}).(*caller)
	return who
}

// clientOf returns the network address that the request comes from, without the port.
func clientOf(ctx context.Context) string { return ctx.Value(clientKey{}).(string) }

// guard lets through to the route whoever it is for. It runs before the body is read.
func (a *api) guard(r route) func(huma.Context, func(huma.Context)) {
	if r.basic {
		return func(ctx huma.Context, next func(huma.Context)) { a.guardBasic(ctx, r, next) }
	}
	return func(ctx huma.Context, next func(huma.Context)) {
		client := a.client(ctx.RemoteAddr(), ctx.Header("X-Forwarded-For"))
		own := ownAddress(ctx.TLS() != nil || ctx.Header("X-Forwarded-Proto") == "https", ctx.Host())
		ctx = huma.WithContext(ctx, context.WithValue(as(ctx.Context(), client, nil), ownKey{}, own))
		if r.public && !r.greets {
			next(ctx)
			return
		}
		who, err := a.identify(ctx, r)
		if r.greets && errors.Is(err, store.ErrNoSession) {
			next(ctx)
			return
		}
		if err == nil && !r.public {
			err = admit(r, who.account)
		}
		if err != nil {
			a.refuse(ctx, err)
			return
		}
		next(huma.WithContext(ctx, as(ctx.Context(), client, who)))
	}
}

// as returns a context for what the caller, or a stranger, asks for from the network address.
func as(ctx context.Context, client string, who *caller) context.Context {
	ctx = context.WithValue(ctx, clientKey{}, client)
	author := store.Author{Client: client}
	if who != nil {
		ctx = context.WithValue(ctx, callerKey{}, who)
		author.AccountID, author.Name = who.account.ID, who.account.Username
	}
	return store.WithAuthor(ctx, author)
}

func (a *api) identify(ctx huma.Context, r route) (*caller, error) {
	scheme, token, _ := strings.Cut(ctx.Header("Authorization"), " ")
	if !strings.EqualFold(scheme, "Bearer") || token == "" {
		return nil, store.ErrNoSession
	}
	return a.inSession(ctx.Context(), auth.TokenHash(strings.TrimSpace(token)), r)
}

// inSession returns the caller whose session's token has that hash, and who is one only as long as the account is let through to
// the route.
func (a *api) inSession(ctx context.Context, tokenHash string, r route) (*caller, error) {
	session, account, err := a.store.SessionAccount(ctx, tokenHash)
	return &caller{account: account, session: session, again: func(ctx context.Context) (*store.Account, store.Instant, error) {
		session, account, err := a.watching.SessionAccount(ctx, tokenHash)
		if err != nil {
			return nil, 0, err
		}
		return account, session.ExpiresAt, admit(r, account)
	}, key: strings.Join([]string{"session", tokenHash, string(r.needs), strconv.FormatBool(r.beforeChange)}, " ")}, err
}

// stillSees allows what the caller is sent of an item, as long as they see it.
func (a *api) stillSees(who *caller, itemID string) permission {
	return permission{to: "user " + who.account.ID, key: who.key + " " + itemID, ask: func(ctx context.Context) (store.Instant, error) {
		account, until, err := who.again(ctx)
		if err != nil {
			return 0, err
		}
		_, err = a.watching.Item(ctx, account.Viewer(), itemID)
		return until, err
	}}
}

func admit(r route, account *store.Account) error {
	if account.MustChangePassword && !r.beforeChange {
		return &rules.Denial{Message: textChangePassword}
	}
	if r.needs != "" && !account.Actor().Can(r.needs) {
		return rules.ErrForbidden
	}
	return nil
}

// refuse answers with an error from outside of a handler.
func (a *api) refuse(ctx huma.Context, err error) {
	problem := a.explain(err)
	if problem.status == http.StatusUnauthorized {
		ctx.SetHeader("WWW-Authenticate", "Bearer")
	}
	_ = huma.WriteErr(a.huma, ctx, problem.status, problem.Text)
}

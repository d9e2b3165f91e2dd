package httpapi

import (
	"context"
	"errors"
	"net/http"
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
}

type (
	callerKey struct{}
	clientKey struct{}
)

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
		ctx = huma.WithContext(ctx, as(ctx.Context(), client, nil))
		if r.public && !r.greets {
			next(ctx)
			return
		}
		who, err := a.identify(ctx)
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

func (a *api) identify(ctx huma.Context) (*caller, error) {
	scheme, token, _ := strings.Cut(ctx.Header("Authorization"), " ")
	if !strings.EqualFold(scheme, "Bearer") || token == "" {
		return nil, store.ErrNoSession
	}
	session, account, err := a.store.SessionAccount(ctx.Context(), auth.TokenHash(strings.TrimSpace(token)))
	return &caller{account: account, session: session}, err
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

package httpapi

import (
	"context"
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"net/http"
	"strings"
	"sync"

	"github.com/danielgtaylor/huma/v2"

	"github.com/usher-media/usher/internal/mediaserver/rules"
	"github.com/usher-media/usher/internal/mediaserver/store"
)

// maxProven is how many passwords a server remembers as proven.
const maxProven = 1000

// proven remembers which login and password belonged to which account, so that an app that sends them with each of a
// hundred covers does not cost a hundred hashes. It is no session: what the account may do, and whether this is still
// its password, is looked up each time.
type proven struct {
	key [sha256.Size]byte
	mu  sync.Mutex
	// accounts holds, by a keyed hash of login and password, the account and the password hash that they were right for.
	accounts map[[sha256.Size]byte]provenAccount
}

type provenAccount struct{ id, passwordHash string }

func newProven() *proven {
	p := &proven{accounts: map[[sha256.Size]byte]provenAccount{}}
	_, _ = rand.Read(p.key[:])
	return p
}

func (p *proven) hash(login, password string) (sum [sha256.Size]byte) {
	mac := hmac.New(sha256.New, p.key[:])
	_, _ = mac.Write([]byte(login + "\x00" + password))
	mac.Sum(sum[:0])
	return sum
}

func (p *proven) find(login, password string) (provenAccount, bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	account, found := p.accounts[p.hash(login, password)]
	return account, found
}

func (p *proven) keep(login, password string, account *store.Account) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if len(p.accounts) >= maxProven {
		clear(p.accounts)
	}
	p.accounts[p.hash(login, password)] = provenAccount{id: account.ID, passwordHash: account.PasswordHash}
}

// guardBasic lets through who signs in with HTTP Basic and may read. Accounts that are deactivated or must change their
// password are strangers at once (Shisho seed, lines 37 and 43).
func (a *api) guardBasic(ctx huma.Context, r route, next func(huma.Context)) {
	client := a.client(ctx.RemoteAddr(), ctx.Header("X-Forwarded-For"))
	request := http.Request{Header: http.Header{"Authorization": {ctx.Header("Authorization")}}}
	login, password, _ := request.BasicAuth()
	account, err := a.basicAccount(as(ctx.Context(), client, nil), login, password)
	if err == nil && !account.Actor().Can(r.needs) {
		err = rules.ErrForbidden
	}
	if err != nil {
		a.refuseBasic(ctx, err)
		return
	}
	who := &caller{account: account, again: func(ctx context.Context) (*store.Account, store.Instant, error) {
		now, err := a.stillBasic(ctx, r, account)
		return now, 0, err
	}, key: strings.Join([]string{"basic", account.ID, account.PasswordHash, string(r.needs)}, " ")}
	next(huma.WithContext(ctx, as(ctx.Context(), client, who)))
}

func (a *api) basicAccount(ctx context.Context, login, password string) (*store.Account, error) {
	if login == "" || password == "" {
		return nil, store.ErrNoSession
	}
	if known, found := a.proven.find(login, password); found {
		account, err := a.store.Account(ctx, known.id)
		if err == nil && account.PasswordHash == known.passwordHash {
			return account, mayRead(account)
		}
	}
	account, err := a.checkCredentials(ctx, login, password, false)
	if err != nil {
		return nil, err
	}
	if err := mayRead(account); err != nil {
		return nil, err
	}
	if err := a.store.NoteBasicSignIn(ctx, account, network(clientOf(ctx))); err != nil {
		return nil, err
	}
	a.proven.keep(login, password, account)
	return account, nil
}

// stillBasic returns the account as it is now, if the password that it was let in with is still its own and it may still read.
func (a *api) stillBasic(ctx context.Context, r route, account *store.Account) (*store.Account, error) {
	now, err := a.watching.Account(ctx, account.ID)
	if err != nil {
		return nil, err
	}
	if now.PasswordHash != account.PasswordHash {
		return nil, store.ErrNoSession
	}
	if err := mayRead(now); err != nil {
		return nil, err
	}
	if !now.Actor().Can(r.needs) {
		return nil, rules.ErrForbidden
	}
	return now, nil
}

func mayRead(account *store.Account) error {
	if account.Disabled || account.MustChangePassword {
		return store.ErrNoSession
	}
	return nil
}

// refuseBasic answers in the words of the API; every refusal of a person looks the same.
func (a *api) refuseBasic(ctx huma.Context, err error) {
	problem := a.explain(err)
	if problem.status == http.StatusUnauthorized {
		problem = newProblem(http.StatusUnauthorized, textUnauthorized)
		ctx.SetHeader("WWW-Authenticate", `Basic realm="OPDS", charset="UTF-8"`)
	}
	for name, values := range problem.headers {
		ctx.SetHeader(name, values[0])
	}
	_ = huma.WriteErr(a.huma, ctx, problem.status, problem.Text)
}

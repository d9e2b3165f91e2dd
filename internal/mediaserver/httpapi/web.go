package httpapi

import (
	"errors"
	"net/http"
	"strings"

	"github.com/usher-media/usher/internal/mediaserver/auth"
	"github.com/usher-media/usher/internal/mediaserver/rules"
	"github.com/usher-media/usher/internal/mediaserver/store"
	"github.com/usher-media/usher/internal/mediaserver/web"
	"github.com/usher-media/usher/internal/portal"
)

// webPath begins the paths of the web page, all but that of its first page.
const webPath = "/app/"

// sessionCookie holds a browser's token. It counts on the web page only: the API takes what no other site can make a
// browser send.
const sessionCookie = "mediaserver_session"

// browsing is one request for a page of the web page.
type browsing struct {
	w    http.ResponseWriter
	r    *http.Request
	page web.Page
	// fresh says that the server has no account yet.
	fresh bool
	// who is nil for strangers.
	who *caller
}

// turn is what comes of a request: a page with its status, a redirect, or neither where the answer is written already.
type turn struct {
	status   int
	location string
}

// room is a page and who gets into it.
type room struct {
	// open lets strangers in; beforeChange those who must change their password first.
	open, beforeChange bool
	needs              rules.Capability
}

// webRoutes are the pages for people with a browser. They show what the API answers, by the same functions.
func (a *api) webRoutes(mux *http.ServeMux) {
	read := room{needs: rules.ReadBooks}
	mux.HandleFunc("GET /{$}", a.web(room{open: true}, a.webHome))
	mux.HandleFunc("POST "+webPath+"sign-in", a.web(room{open: true}, a.fromForm(a.webSignIn)))
	mux.HandleFunc("POST "+webPath+"sign-out", a.web(room{beforeChange: true}, a.fromForm(a.webSignOut)))
	mux.HandleFunc("GET "+webPath+"account", a.web(room{beforeChange: true}, a.webAccount))
	mux.HandleFunc("POST "+webPath+"account", a.web(room{beforeChange: true}, a.fromForm(a.webPassword)))
	mux.HandleFunc("GET "+webPath+"libraries/{id}", a.web(read, a.webLibrary))
	mux.HandleFunc("GET "+webPath+"search", a.web(read, a.webSearch))
	mux.HandleFunc("GET "+webPath+"recent", a.web(read, a.webRecent))
	mux.HandleFunc("GET "+webPath+"items/{id}", a.web(read, a.webItem))
	mux.HandleFunc("GET "+webPath+"items/{id}/file", a.web(read, a.webFile))
	mux.HandleFunc("GET "+webPath+"items/{id}/artwork", a.web(read, a.webArtwork))
	mux.HandleFunc("POST "+webPath+"items/{id}/progress", a.web(read, a.fromForm(a.webProgress)))
	mux.HandleFunc("GET "+sharedPath+"{token}", a.web(room{open: true, beforeChange: true}, a.webShared))
	for _, path := range []string{"sign-in", "sign-out"} {
		// Somebody who comes back to where a form was sent.
		mux.HandleFunc("GET "+webPath+path, func(w http.ResponseWriter, _ *http.Request) { portal.Redirect(w, "/") })
	}
}

// web serves what handle makes of a request, and turns errors into pages.
func (a *api) web(to room, handle func(*browsing) (turn, error)) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		b := &browsing{w: w, r: r.WithContext(as(r.Context(), a.clientOfRequest(r), nil))}
		b.page = web.Page{Site: store.DefaultServerName, Assets: assetsPath, Base: webPath, FormToken: portal.NewFormToken(w, r, "/")}
		got, err := a.enter(b, to, handle)
		if err != nil {
			got = a.webTrouble(b, err)
		}
		switch {
		case got.location != "":
			web.Protect(w.Header())
			w.Header().Set("Location", got.location)
			w.WriteHeader(http.StatusSeeOther)
		case got.status != 0:
			if err := web.Write(w, got.status, b.page); err != nil {
				a.log.Warn("page not written", "error", err)
			}
		}
	}
}

// enter finds out who comes and lets them in, or sends them where they have to go first.
func (a *api) enter(b *browsing, to room, handle func(*browsing) (turn, error)) (turn, error) {
	settings, fresh, err := a.store.Settings(b.r.Context())
	if err != nil {
		return turn{}, err
	}
	b.page.Site, b.page.Title, b.fresh = settings.Name, settings.Name, fresh
	if b.who, err = a.browser(b.r, to.route()); err != nil {
		return turn{}, err
	}
	switch {
	case b.who == nil && to.open:
		return handle(b)
	case b.who == nil:
		return turn{location: "/"}, nil
	}
	account := b.who.account
	b.page.Person = account.DisplayName
	b.r = b.r.WithContext(as(b.r.Context(), clientOf(b.r.Context()), b.who))
	if account.MustChangePassword && !to.beforeChange {
		return turn{location: webPath + "account"}, nil
	}
	if err := admit(to.route(), account); err != nil {
		return turn{}, err
	}
	return handle(b)
}

// route says who gets into the room.
func (to room) route() route { return route{beforeChange: to.beforeChange, needs: to.needs} }

// browser returns who the browser's cookie belongs to, or nil. The route is what the account is let through to where the caller is
// looked up again.
func (a *api) browser(r *http.Request, to route) (*caller, error) {
	cookie, err := r.Cookie(sessionCookie)
	if err != nil || cookie.Value == "" {
		return nil, nil
	}
	who, err := a.inSession(r.Context(), auth.TokenHash(cookie.Value), to)
	if errors.Is(err, store.ErrNoSession) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	return who, nil
}

// fromForm reads the form, and refuses what another site made the browser send.
func (a *api) fromForm(handle func(*browsing) (turn, error)) func(*browsing) (turn, error) {
	return func(b *browsing) (turn, error) {
		if err := portal.ReadForm(b.w, b.r); err != nil {
			return b.notice(http.StatusBadRequest, "That was garbled", "The form did not arrive whole. Go back and try again."), nil
		}
		if !portal.FromOwnPage(b.r) {
			return b.notice(http.StatusForbidden, "Try again",
				"This form did not come from this server's own page, or your browser keeps no cookies."), nil
		}
		return handle(b)
	}
}

// show makes the page one of that template and title.
func (b *browsing) show(status int, name, title string, view any) turn {
	b.page.Name, b.page.Title, b.page.View = name, title, view
	return turn{status: status}
}

func (b *browsing) notice(status int, title, text string) turn {
	return b.show(status, "notice", title, text)
}

// webTrouble turns an error into a page. What may not be seen looks like what is not there.
func (a *api) webTrouble(b *browsing, err error) turn {
	problem := a.explain(err)
	for name, values := range problem.headers {
		b.w.Header()[name] = values
	}
	if errors.Is(err, auth.ErrBusy) {
		return b.notice(problem.status, "The server is busy", textComeAgain)
	}
	switch problem.status {
	case http.StatusNotFound:
		return b.notice(problem.status, "There is nothing here", "It may have been moved or removed, or it is not yours to see.")
	case http.StatusForbidden:
		return b.notice(problem.status, "Not for you", "Your account may not do this. Whoever runs this server can say why.")
	case http.StatusTooManyRequests:
		return b.notice(problem.status, "Too many tries", textSlowDown)
	case http.StatusUnprocessableEntity:
		return b.notice(problem.status, "That does not work", "Go back and try again.")
	}
	return b.notice(problem.status, "Something went wrong", "Try again in a moment.")
}

func (a *api) webSignIn(b *browsing) (turn, error) {
	login := strings.TrimSpace(b.r.PostForm.Get("login"))
	signedIn, err := a.checkAndStart(b.r.Context(), login, b.r.PostForm.Get("password"), false)
	if err != nil {
		problem := a.explain(err)
		b.page.Problem = "The username or the password is wrong."
		switch {
		case problem.status == http.StatusTooManyRequests:
			b.w.Header().Set("Retry-After", problem.headers.Get("Retry-After"))
			b.page.Problem = textTriesSlow
		case problem.status != http.StatusUnauthorized:
			return turn{}, err
		}
		b.page.Person = ""
		status := problem.status
		if status == http.StatusUnauthorized {
			status = http.StatusUnprocessableEntity
		}
		return b.show(status, "signin", "Sign in", web.SignIn{Login: login, Fresh: b.fresh}), nil
	}
	b.keep(signedIn.Body.Token, int(sessionLife.Seconds()))
	return turn{location: "/"}, nil
}

func (b *browsing) keep(token string, seconds int) { keepToken(b.w, b.r, token, seconds) }

// keepToken makes the browser keep the token for so many seconds; fewer than none forget it.
func keepToken(w http.ResponseWriter, r *http.Request, token string, seconds int) {
	http.SetCookie(w, &http.Cookie{
		Name: sessionCookie, Value: token, Path: "/", MaxAge: seconds, HttpOnly: true,
		Secure: strings.HasPrefix(ownURL(r), "https:"), SameSite: http.SameSiteLaxMode,
	})
}

func (a *api) webSignOut(b *browsing) (turn, error) {
	_, err := a.signOut(b.r.Context(), nil)
	b.keep("", -1)
	return turn{location: "/"}, err
}

func (b *browsing) account(status int) turn {
	return b.show(status, "account", "Your password", web.Account{
		MustChange: b.who.account.MustChangePassword, MinPassword: rules.MinPassword, Invite: b.invite(),
	})
}

// inviteField names the invite that somebody was about to accept when they had to change their password.
const inviteField = "invite"

// invite returns the code that the form or the query carries, or "".
func (b *browsing) invite() string {
	code := b.r.FormValue(inviteField)
	if rules.CheckInviteCode(code) != "" {
		return ""
	}
	return code
}

func (a *api) webAccount(b *browsing) (turn, error) {
	if b.r.URL.Query().Has("done") {
		b.page.Done = "Your password is changed."
	}
	return b.account(http.StatusOK), nil
}

func (a *api) webPassword(b *browsing) (turn, error) {
	form := b.r.PostForm
	if form.Get("new") != form.Get("repeat") {
		b.page.Problem = "The two new passwords differ. Type the same one twice."
		return b.account(http.StatusUnprocessableEntity), nil
	}
	change := new(passwordChange)
	change.Body.CurrentPassword, change.Body.NewPassword = form.Get("current"), form.Get("new")
	_, err := a.changePassword(b.r.Context(), change)
	var invalid *rules.Invalid
	if errors.As(err, &invalid) {
		b.page.Problem = webProblem(invalid)
		return b.account(http.StatusUnprocessableEntity), nil
	}
	if err != nil {
		return turn{}, err
	}
	if code := b.invite(); code != "" {
		return turn{location: invitesPath + code}, nil
	}
	return turn{location: webPath + "account?done"}, nil
}

// webProblem puts the first problem with a new password into a sentence.
func webProblem(invalid *rules.Invalid) string {
	names := map[string]string{"currentPassword": "What you typed as your present password", "newPassword": "The new password"}
	return names[invalid.Problems[0].Path] + " " + invalid.Problems[0].Message + "."
}

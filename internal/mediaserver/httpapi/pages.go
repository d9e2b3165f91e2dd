package httpapi

import (
	"errors"
	"net/http"
	"net/url"
	"time"

	"github.com/usher-media/usher/internal/mediaserver/auth"
	"github.com/usher-media/usher/internal/mediaserver/rules"
	"github.com/usher-media/usher/internal/mediaserver/store"
	"github.com/usher-media/usher/internal/mediaserver/web"
	"github.com/usher-media/usher/internal/portal"
)

// assetsPath is where the pages find their stylesheet.
const assetsPath = "/assets/"

// invitesPath begins the path of every invite's pages. What follows is the code, so no path below it is ever logged.
const invitesPath = "/invite/"

// visit is one request for a page of an invite.
type visit struct {
	w        http.ResponseWriter
	r        *http.Request
	site     portal.Site
	settings store.Settings
	invite   *store.Invite
	codeHash string
	// who is signed in with the visitor's browser, or nil; standing is theirs to the invite.
	who      *caller
	standing store.Standing
	// path is that of the invite's first page; its last part is the code.
	path string
	now  time.Time
}

// reply is a page with its status, or, if location is set, a redirect to there.
type reply struct {
	status   int
	page     portal.Page
	location string
}

// pageRoutes are the pages that an invite link opens. They do with plain forms what the API does with JSON, through the
// same functions, under the same limits.
func (a *api) pageRoutes(mux *http.ServeMux) {
	invites := portal.Assets()
	mux.HandleFunc("GET "+assetsPath+"{file}", func(w http.ResponseWriter, r *http.Request) {
		if !web.Asset(w, r) {
			invites.ServeHTTP(w, r)
		}
	})
	mux.HandleFunc("GET "+invitesPath+"{code}", a.page(a.visiting(a.previewPage)))
	mux.HandleFunc("GET "+invitesPath+"{code}/done", a.page(a.visiting(a.donePage(false))))
	mux.HandleFunc("GET "+invitesPath+"{code}/already", a.page(a.visiting(a.donePage(true))))
	for path, handle := range map[string]func(*visit) (reply, error){
		"register": a.sentRegister, "accept": a.sentAccept, "join": a.sentJoin,
	} {
		mux.HandleFunc("POST "+invitesPath+"{code}/"+path, a.page(a.visiting(sent(handle))))
		// Where a form was sent to, somebody who types the address again or comes back later finds the form.
		mux.HandleFunc("GET "+invitesPath+"{code}/"+path, a.page(func(v *visit) (reply, error) {
			return reply{location: v.path}, nil
		}))
	}
}

// page serves what handle replies, and turns its errors into pages.
func (a *api) page(handle func(*visit) (reply, error)) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		r = r.WithContext(as(r.Context(), a.clientOfRequest(r), nil))
		v := &visit{w: w, r: r, now: a.now(), path: invitesPath + url.PathEscape(r.PathValue("code"))}
		got, err := a.open(v, handle)
		if err != nil {
			got = a.trouble(v, err)
		}
		if got.location != "" {
			portal.Redirect(w, got.location)
			return
		}
		if err := portal.Write(w, got.status, got.page); err != nil {
			a.log.Warn("page not written", "error", err)
		}
	}
}

func (a *api) open(v *visit, handle func(*visit) (reply, error)) (reply, error) {
	v.site = portal.Site{Name: store.DefaultServerName, URL: ownURL(v.r), Assets: assetsPath}
	settings, _, err := a.store.Settings(v.r.Context())
	if err != nil {
		return reply{}, err
	}
	v.settings, v.site.Name = settings, settings.Name
	return handle(v)
}

// ownURL is how the visitor reached this server. A proxy in front that ends TLS says so in a header; believing it
// risks a wrong link on the visitor's own page and nothing else.
func ownURL(r *http.Request) string {
	return ownAddress(r.TLS != nil || r.Header.Get("X-Forwarded-Proto") == "https", r.Host)
}

func ownAddress(secure bool, host string) string {
	scheme := "http"
	if secure {
		scheme = "https"
	}
	return (&url.URL{Scheme: scheme, Host: host, Path: "/"}).String()
}

// visiting looks up the invite before handle runs.
func (a *api) visiting(handle func(*visit) (reply, error)) func(*visit) (reply, error) {
	return func(v *visit) (reply, error) {
		if err := a.limits.allowLook(v.r.Context()); err != nil {
			return reply{}, err
		}
		v.codeHash = auth.CodeHash(v.r.PathValue("code"))
		invite, err := a.store.InviteByCode(v.r.Context(), v.codeHash)
		if err != nil {
			return reply{}, err
		}
		v.invite = invite
		if err := a.recognize(v); err != nil {
			return reply{}, err
		}
		return handle(v)
	}
}

// recognize finds out who is signed in with the visitor's browser, if anybody.
func (a *api) recognize(v *visit) error {
	who, err := a.browser(v.r, route{})
	if err != nil || who == nil {
		return err
	}
	standing, err := a.store.Standing(v.r.Context(), v.invite, who.account.ID)
	if errors.Is(err, store.ErrAccountNotFound) {
		return nil
	}
	v.who, v.standing = who, standing
	return err
}

func (a *api) previewPage(v *visit) (reply, error) {
	if err := v.invite.Dead(v.now); err != nil {
		return v.afterwards(err)
	}
	return reply{status: http.StatusOK, page: v.preview()}, nil
}

// afterwards tells who has been let in, or was, how they stand to an invite that has ended; others, that it has.
func (v *visit) afterwards(dead error) (reply, error) {
	switch {
	case v.who != nil && v.standing.Member:
		link := v.opens()
		return reply{status: http.StatusOK, page: &portal.Notice{
			Site: v.site, Heading: "You are already a member", Text: "You have all that this invite gives.",
			LinkURL: link.URL, LinkText: "Go to " + link.Text,
		}}, nil
	case v.who != nil && v.standing.Used:
		return reply{status: http.StatusGone, page: &portal.Notice{
			Site: v.site, Heading: "You have used this invite already",
			Text: "You do not see all that it gives. Ask " + v.invite.InviterName + ".",
		}}, nil
	}
	return reply{}, dead
}

// preview is the page with both forms, empty.
func (v *visit) preview() *portal.Preview {
	page := &portal.Preview{
		Site: v.site, Now: v.now, FormToken: portal.NewFormToken(v.w, v.r, invitesPath),
		Offer: portal.Offer{
			Reason: v.reason(), Inviter: v.invite.InviterName, Libraries: v.libraries(), Remaining: v.invite.Terms().Remaining(),
			ExpiresAt: v.invite.Expiry(), EmailBound: v.invite.Email != "",
		},
		SignIn: portal.SignInForm{Action: v.path + "/accept"}, Session: v.session(),
	}
	if rules.CheckRegistration(v.settings.Registration, false, true) == nil {
		page.Register = &portal.RegisterForm{Action: v.path + "/register", MinPassword: rules.MinPassword}
	}
	return page
}

// session is what the page says to who is signed in already, or nil.
func (v *visit) session() *portal.Session {
	if v.who == nil {
		return nil
	}
	session := &portal.Session{
		Name: v.who.account.DisplayName, Action: v.path + "/join", Member: v.standing.Member,
		Used: v.standing.Used && !v.standing.Member, Open: v.opens(),
	}
	if v.who.account.MustChangePassword {
		session.ChangePassword = v.changePassword()
	}
	return session
}

// opens is where what the invite gives is found: in its library, if it is one.
func (v *visit) opens() portal.Link {
	if len(v.invite.Libraries) == 1 {
		library := v.invite.Libraries[0]
		return portal.Link{URL: webPath + "libraries/" + library.LibraryID, Text: library.Name}
	}
	return portal.Link{URL: v.site.URL, Text: v.site.Name}
}

// changePassword is where who must change the password does that, and comes back to the invite.
func (v *visit) changePassword() string {
	return webPath + "account?" + url.Values{inviteField: {v.r.PathValue("code")}}.Encode()
}

// reason says why the invite lets nobody in; empty while it does.
func (v *visit) reason() portal.Reason {
	status := v.invite.Terms().Status(v.now)
	if status == rules.InvitePending {
		return ""
	}
	return portal.Reason(status)
}

func (v *visit) libraries() []portal.Library {
	libraries := make([]portal.Library, 0, len(v.invite.Libraries))
	for _, l := range offered(v.invite) {
		libraries = append(libraries, portal.Library{Name: l.Name, Emoji: l.Emoji})
	}
	return libraries
}

// donePage says that all is done, to who has joined: whoever has the link alone is sent to its first page. Of an invite that was
// revoked or has expired it no longer shows the libraries and the welcome; using it up is what a guest may just have done.
func (a *api) donePage(already bool) func(*visit) (reply, error) {
	return func(v *visit) (reply, error) {
		if v.who == nil || !v.standing.Member {
			return reply{location: v.path}, nil
		}
		page := &portal.Done{Site: v.site, Already: already, Open: portal.Link{URL: v.site.URL, Text: v.site.Name}}
		switch v.invite.Terms().Status(v.now) {
		case rules.InvitePending, rules.InviteExhausted:
			page.Libraries, page.Welcome, page.Open = v.libraries(), portal.Markdown(v.invite.Welcome), v.opens()
		}
		return reply{status: http.StatusOK, page: page}, nil
	}
}

// enterAs signs the visitor's browser in as who has just joined, and sends it on.
func (a *api) enterAs(v *visit, account *store.Account, location string) (reply, error) {
	signedIn, err := a.startSession(v.r.Context(), account)
	if err != nil {
		return reply{}, err
	}
	keepToken(v.w, v.r, signedIn.Body.Token, int(sessionLife.Seconds()))
	return reply{location: location}, nil
}

// trouble turns an error into a page.
func (a *api) trouble(v *visit, err error) reply {
	var dead *rules.DeadInvite
	switch {
	case errors.Is(err, store.ErrInviteNotFound):
		return reply{status: http.StatusNotFound, page: &portal.Ended{Site: v.site, Reason: portal.Unknown}}
	case errors.As(err, &dead) && dead.Powerless:
		return reply{status: http.StatusGone, page: &portal.Notice{Site: v.site, Heading: "This invite has ended", Text: textPowerless}}
	case errors.As(err, &dead):
		return reply{status: http.StatusGone, page: &portal.Ended{
			Site: v.site, Reason: portal.Reason(dead.Status), Inviter: v.invite.InviterName, Libraries: v.libraries(),
			ExpiresAt: v.invite.Expiry(), Now: v.now,
		}}
	case errors.Is(err, rules.ErrRegistrationClosed):
		v.settings.Registration = rules.RegistrationClosed
		return reply{status: http.StatusForbidden, page: v.preview()}
	}
	problem := a.explain(err)
	for name, values := range problem.headers {
		v.w.Header()[name] = values
	}
	notice := &portal.Notice{Site: v.site, Heading: "Something went wrong", Text: "Try again in a moment."}
	switch {
	case problem.status == http.StatusTooManyRequests:
		notice.Heading, notice.Text = "Too many tries", textSlowDown
	case errors.Is(err, auth.ErrBusy):
		notice.Heading, notice.Text = "The server is busy", textComeAgain
	}
	return reply{status: problem.status, page: notice}
}

package httpapi

import (
	"errors"
	"net/http"
	"slices"
	"strings"

	"github.com/usher-media/usher/internal/mediaserver/rules"
	"github.com/usher-media/usher/internal/mediaserver/store"
	"github.com/usher-media/usher/internal/portal"
)

const (
	textComeAgain = "Many people are signing in just now. Wait a few seconds, then try again."
	textPowerless = "Whoever made it may no longer give what it gave. Ask them, or who runs this server, for a new one."
	textTriesSlow = "Too many tries. Wait a minute, then try again, or sign in from a network where you signed in before."
	textSlowDown  = "Wait a minute, then try again."
	textOtherMail = "This invite is for another email address."
)

// fieldNames are the names of fields at the start of a sentence.
var fieldNames = map[string]string{
	portal.FieldUsername: "The username", portal.FieldDisplayName: "Your name", portal.FieldEmail: "The email address",
	portal.FieldPassword: "The password",
}

// sent reads the form, and refuses what another site made the browser send, before handle runs.
func sent(handle func(*visit) (reply, error)) func(*visit) (reply, error) {
	return func(v *visit) (reply, error) {
		err := portal.ReadForm(v.w, v.r)
		var tooLarge *http.MaxBytesError
		switch {
		case errors.As(err, &tooLarge):
			return v.refusal(http.StatusRequestEntityTooLarge, "That was too much", "The form is larger than this server takes."), nil
		case err != nil:
			return v.refusal(http.StatusBadRequest, "That was garbled", "The form did not arrive whole. Open the invite and try again."), nil
		case !portal.FromOwnPage(v.r):
			return v.refusal(http.StatusForbidden, "Open the invite again",
				"This form did not come from this server's own page, or your browser keeps no cookies."), nil
		}
		return handle(v)
	}
}

func (v *visit) refusal(status int, heading, text string) reply {
	return reply{status: status, page: &portal.Notice{
		Site: v.site, Heading: heading, Text: text, LinkURL: v.path, LinkText: "Back to the invite",
	}}
}

// sentRegister makes the account that somebody asks for, or shows the form again with what is to be mended.
func (a *api) sentRegister(v *visit) (reply, error) {
	form, password := portal.ReadRegister(v.r)
	page := v.preview()
	if page.Register == nil {
		return reply{}, rules.ErrRegistrationClosed
	}
	form.Action, form.MinPassword = page.Register.Action, page.Register.MinPassword
	page.Register = &form
	status := http.StatusUnprocessableEntity
	if len(form.Problems) == 0 {
		account := newAccount(form.Username, form.Email, form.DisplayName)
		err := a.enroll(v.r.Context(), account, password, v.codeHash)
		if err == nil {
			return a.enterAs(v, account, v.path+"/done")
		}
		if status, form.Problems = v.mend(err, portal.FieldEmail); form.Problems == nil {
			return reply{}, err
		}
		form.Problems = slices.DeleteFunc(form.Problems, func(p portal.Problem) bool {
			// It is the username then, whose problem is named already.
			return p.Field == portal.FieldDisplayName && form.DisplayName == ""
		})
	}
	return reply{status: status, page: page}, nil
}

// sentAccept lets somebody in who has an account and proves it with the password.
func (a *api) sentAccept(v *visit) (reply, error) {
	form, password := portal.ReadSignIn(v.r)
	account, already, err := a.signInAndAccept(v, form.Login, password)
	switch {
	case err == nil && already:
		return a.enterAs(v, account, v.path+"/already")
	case err == nil:
		return a.enterAs(v, account, v.path+"/done")
	case errors.Is(err, errMustChange):
		return a.enterAs(v, account, v.changePassword())
	}
	page := v.preview()
	form.Action = page.SignIn.Action
	status, problems := v.mend(err, "")
	if problems == nil {
		return reply{}, err
	}
	page.SignIn, page.SignIn.Problems = form, problems
	return reply{status: status, page: page}, nil
}

// errMustChange says that somebody has to change their password before they accept anything.
var errMustChange = errors.New("the password must be changed first")

// sentJoin lets somebody in who is signed in already, and takes them to what the invite gives.
func (a *api) sentJoin(v *visit) (reply, error) {
	switch {
	case v.who == nil:
		return reply{location: v.path}, nil
	case v.who.account.MustChangePassword:
		return reply{location: v.changePassword()}, nil
	}
	ctx := as(v.r.Context(), clientOf(v.r.Context()), v.who)
	acceptance, err := a.store.Accept(ctx, v.codeHash, v.who.account.ID, stillEnabled)
	var denial *rules.Denial
	switch {
	case errors.As(err, &denial):
		return v.refusal(http.StatusForbidden, "This did not work", denial.Message+"."), nil
	case err != nil:
		return reply{}, err
	case acceptance.AlreadyMember:
		return reply{location: v.path + "/already"}, nil
	case v.invite.Welcome == "" && len(v.invite.Libraries) == 1:
		return reply{location: v.opens().URL}, nil
	}
	return reply{location: v.path + "/done"}, nil
}

func (a *api) signInAndAccept(v *visit, login, password string) (account *store.Account, already bool, err error) {
	ctx := v.r.Context()
	account, err = a.checkCredentials(ctx, login, password, false)
	if err != nil {
		return nil, false, err
	}
	if account.MustChangePassword {
		return account, false, errMustChange
	}
	// As with a sign-in: a new password, or being disabled, wins over an old password just checked.
	acceptance, err := a.store.Accept(ctx, v.codeHash, account.ID, func(now *store.Account) error {
		if now.Disabled || now.PasswordHash != account.PasswordHash {
			return newProblem(http.StatusUnauthorized, textBadLogin)
		}
		return nil
	})
	return account, acceptance.AlreadyMember, err
}

// mend returns what is to be mended in a form, each problem with its field, and the status to say it with; no problems
// if the error is none that mending could help. Problems with the mail address go to the field emailField.
func (v *visit) mend(err error, emailField string) (status int, problems []portal.Problem) {
	var (
		invalid *rules.Invalid
		problem *Problem
		denial  *rules.Denial
	)
	switch {
	case errors.As(err, &invalid):
		for _, p := range invalid.Problems {
			problems = append(problems, portal.Problem{Field: p.Path, Message: sentence(p)})
		}
		return http.StatusUnprocessableEntity, problems
	case errors.Is(err, store.ErrUsernameTaken):
		return http.StatusConflict, one(portal.FieldUsername, "This username is taken. Choose another; or, if it is you, sign in below.")
	case errors.Is(err, store.ErrEmailTaken):
		return http.StatusConflict, one(portal.FieldEmail, "Somebody has an account with this email address. If it is you, sign in below.")
	case errors.Is(err, rules.ErrOtherEmail):
		return http.StatusForbidden, one(emailField, textOtherMail)
	case errors.Is(err, rules.ErrRegistrationClosed):
		return 0, nil
	case errors.As(err, &denial):
		return http.StatusForbidden, one("", denial.Message)
	case errors.As(err, &problem) && problem.status == http.StatusUnauthorized:
		return http.StatusUnprocessableEntity, one("", "The username or the password is wrong.")
	case errors.As(err, &problem) && problem.status == http.StatusTooManyRequests:
		v.w.Header().Set("Retry-After", problem.headers.Get("Retry-After"))
		return problem.status, one("", textTriesSlow)
	}
	return 0, nil
}

func one(field, message string) []portal.Problem {
	return []portal.Problem{{Field: field, Message: message}}
}

func sentence(p rules.Problem) string {
	return strings.TrimSpace(fieldNames[p.Path]+" "+p.Message) + "."
}

package portal

import (
	"fmt"
	"net/http"
	"strings"
)

// maxForm is how many bytes a sent form may have.
const maxForm = 64 << 10

// The fields of the forms, by the names under which they are sent, and in Problem.
const (
	FieldUsername    = "username"
	FieldDisplayName = "displayName"
	FieldEmail       = "email"
	FieldPassword    = "password"
	FieldRepeat      = "passwordRepeat"
	FieldLogin       = "login"
)

// Problem is something to mend in a form.
type Problem struct {
	// Field is the field's name; empty for the form as a whole.
	Field string
	// Message is a whole sentence. It must not repeat a password.
	Message string
}

// RegisterForm is the form that makes an account, with what was typed into it before.
type RegisterForm struct {
	// Action is the path that the form is sent to.
	Action                       string
	Username, DisplayName, Email string
	// MinPassword is the least length of a password that the server takes.
	MinPassword int
	Problems    []Problem
}

// SignInForm is the form for those who have an account.
type SignInForm struct {
	Action   string
	Login    string
	Problems []Problem
}

// ReadForm reads a sent form into r.PostForm. It fails for forms that are too large or garbled; its errors are not to be
// logged, since they may hold what was typed.
func ReadForm(w http.ResponseWriter, r *http.Request) error {
	r.Body = http.MaxBytesReader(w, r.Body, maxForm)
	return r.ParseForm()
}

// ReadRegister returns what was typed, the password apart. Spaces around all but the password are cut off, since phones
// add them. A repeated password that differs is among the form's Problems.
func ReadRegister(r *http.Request) (form RegisterForm, password string) {
	form = RegisterForm{
		Username: typed(r, FieldUsername), DisplayName: typed(r, FieldDisplayName), Email: typed(r, FieldEmail),
	}
	password = r.PostForm.Get(FieldPassword)
	if r.PostForm.Has(FieldRepeat) && r.PostForm.Get(FieldRepeat) != password {
		form.Problems = append(form.Problems, Problem{FieldRepeat, "The two passwords differ. Type the same one twice."})
	}
	return form, password
}

// ReadSignIn returns what was typed, the password apart.
func ReadSignIn(r *http.Request) (form SignInForm, password string) {
	return SignInForm{Login: typed(r, FieldLogin)}, r.PostForm.Get(FieldPassword)
}

func typed(r *http.Request, name string) string { return strings.TrimSpace(r.PostForm.Get(name)) }

// Input is one field as the template shows it.
type Input struct {
	ID, Name, Label, Type, Value, Hint, Autocomplete string
	Required                                         bool
	MinLength                                        int
	Problems                                         []string
}

// DescribedBy lists the ids of the texts that belong to the field: the problem first, then the hint.
func (i Input) DescribedBy() string {
	var ids []string
	if len(i.Problems) > 0 {
		ids = append(ids, i.ID+"-problem")
	}
	if i.Hint != "" {
		ids = append(ids, i.ID+"-hint")
	}
	return strings.Join(ids, " ")
}

// summaryEntry is one line of the summary of problems; Target is the id of the field, or empty.
type summaryEntry struct{ Target, Message string }

// Inputs lists the form's fields in order.
func (p *Preview) Inputs() []Input {
	f, email := p.Register, "Optional."
	if p.Offer.EmailBound {
		email = "Use the address that this invite was sent to. It is a label: nobody here checks that it is yours."
	}
	return withProblems("register", f.Problems, []Input{
		{Name: FieldUsername, Label: "Username", Type: "text", Value: f.Username, Autocomplete: "username",
			Required: true, Hint: "You sign in with it."},
		{Name: FieldDisplayName, Label: "Your name", Type: "text", Value: f.DisplayName, Autocomplete: "name",
			Hint: "Optional. How others see you."},
		{Name: FieldEmail, Label: "Email address", Type: "email", Value: f.Email, Autocomplete: "email",
			Required: p.Offer.EmailBound, Hint: email},
		{Name: FieldPassword, Label: "Password", Type: "password", Autocomplete: "new-password", Required: true,
			MinLength: f.MinPassword, Hint: fmt.Sprintf("At least %d characters.", f.MinPassword)},
		{Name: FieldRepeat, Label: "Password again", Type: "password", Autocomplete: "new-password", Required: true,
			MinLength: f.MinPassword},
	})
}

// Inputs lists the form's fields in order.
func (f SignInForm) Inputs() []Input {
	return withProblems("sign-in", f.Problems, []Input{
		{Name: FieldLogin, Label: "Username or email address", Type: "text", Value: f.Login, Autocomplete: "username",
			Required: true},
		{Name: FieldPassword, Label: "Password", Type: "password", Autocomplete: "current-password", Required: true},
	})
}

func withProblems(form string, problems []Problem, inputs []Input) []Input {
	for i := range inputs {
		inputs[i].ID = form + "-" + inputs[i].Name
		for _, problem := range problems {
			if problem.Field == inputs[i].Name {
				inputs[i].Problems = append(inputs[i].Problems, problem.Message)
			}
		}
	}
	return inputs
}

// summarize lists what is to be mended: the form as a whole first, then in the order of the fields.
func summarize(problems []Problem, inputs []Input) []summaryEntry {
	var entries []summaryEntry
	for _, problem := range problems {
		if problem.Field == "" {
			entries = append(entries, summaryEntry{Message: problem.Message})
		}
	}
	for _, input := range inputs {
		for _, message := range input.Problems {
			entries = append(entries, summaryEntry{Target: input.ID, Message: message})
		}
	}
	return entries
}

package httpapi

import (
	"context"
	"errors"
	"net/http"
	"strings"

	"github.com/danielgtaylor/huma/v2"

	"github.com/usher-media/usher/internal/mediaserver/auth"
	"github.com/usher-media/usher/internal/mediaserver/rules"
	"github.com/usher-media/usher/internal/mediaserver/scan"
	"github.com/usher-media/usher/internal/mediaserver/store"
)

// Problem is the body of every answer that is not a success (Dubby contract, section 2).
type Problem struct {
	status  int
	headers http.Header

	Text    string   `json:"error" doc:"What went wrong, for people" example:"Library not found"`
	Details []Detail `json:"details,omitempty" doc:"With 422: the fields that are not acceptable"`
}

// Detail is one field of a request that is not acceptable.
type Detail struct {
	Path    string `json:"path" doc:"The field, for example access.libraries[2].libraryId"`
	Message string `json:"message" doc:"What to write instead"`
}

// Error returns the text that the client gets.
func (p *Problem) Error() string { return p.Text }

// GetStatus returns the HTTP status.
func (p *Problem) GetStatus() int { return p.status }

// GetHeaders returns headers that belong to the answer, such as Retry-After.
func (p *Problem) GetHeaders() http.Header { return p.headers }

const (
	textUnauthorized   = "Unauthorized"
	textForbidden      = "Forbidden"
	textChangePassword = "Password change required"
	textBadLogin       = "Invalid username or password"
	textInvalid        = "Validation error"
	textInternal       = "Internal error"
	textNoInvite       = "Invite not found"
	textManyTries      = "Too many tries at this account. Wait a minute, or sign in from a network where you signed in before"
	textBusy           = "The server is busy with other sign-ins; try again"
)

// busySeconds is when to come back to a server whose queue for hashing is full: it is empty by then.
const busySeconds = "5"

func newProblem(status int, text string) *Problem { return &Problem{status: status, Text: text} }

func invalidField(path, message string) error {
	var check rules.Check
	check.Field(path, message)
	return check.Err()
}

// The framework builds its own errors through one package variable. It is set once, to a function without state, so
// that any number of servers in one process share it without harm.
func init() { huma.NewError = frameworkError }

// frameworkError puts the framework's errors into this server's form. It drops the offending values: they may be
// passwords.
func frameworkError(status int, text string, errs ...error) huma.StatusError {
	switch status {
	case http.StatusBadRequest, http.StatusUnprocessableEntity:
		return &Problem{status: http.StatusUnprocessableEntity, Text: textInvalid, Details: frameworkDetails(text, errs)}
	case http.StatusRequestEntityTooLarge:
		return newProblem(status, "Request body is larger than 1 MB")
	case http.StatusUnsupportedMediaType:
		return newProblem(status, "Send the body as application/json")
	case http.StatusInternalServerError:
		return newProblem(status, textInternal)
	}
	return newProblem(status, text)
}

func frameworkDetails(text string, errs []error) []Detail {
	details := make([]Detail, 0, len(errs))
	for _, err := range errs {
		var found huma.ErrorDetailer
		if !errors.As(err, &found) {
			details = append(details, Detail{Message: err.Error()})
			continue
		}
		d := found.ErrorDetail()
		path := strings.TrimPrefix(strings.TrimPrefix(d.Location, "body."), "query.")
		details = append(details, Detail{Path: path, Message: d.Message})
	}
	if len(details) == 0 {
		details = append(details, Detail{Path: "body", Message: text})
	}
	return details
}

// answers map what the layers below say to what a client is told.
var answers = []struct {
	err    error
	status int
	text   string
}{
	{rules.ErrForbidden, http.StatusForbidden, textForbidden},
	{store.ErrNoSession, http.StatusUnauthorized, textUnauthorized},
	{store.ErrAccountNotFound, http.StatusNotFound, "User not found"},
	{store.ErrLibraryNotFound, http.StatusNotFound, "Library not found"},
	{store.ErrItemNotFound, http.StatusNotFound, "Item not found"},
	{store.ErrArtworkNotFound, http.StatusNotFound, "Artwork not found"},
	{store.ErrPermissionNotFound, http.StatusNotFound, "Permission not found"},
	{store.ErrInviteNotFound, http.StatusNotFound, textNoInvite},
	{store.ErrRoleNotFound, http.StatusNotFound, "Role not found"},
	{store.ErrMemberNotFound, http.StatusNotFound, "Member not found"},
	{store.ErrSessionNotFound, http.StatusNotFound, "Session not found"},
	{store.ErrShareNotFound, http.StatusNotFound, "Share link not found"},
	{store.ErrRoleTaken, http.StatusConflict, "Role name already exists"},
	{store.ErrRoleInUse, http.StatusConflict, "Role is in use; give its people another role first"},
	{store.ErrCodeTaken, http.StatusConflict, "Invite code already exists"},
	{store.ErrUsernameTaken, http.StatusConflict, "Username already exists"},
	{store.ErrIDTaken, http.StatusConflict, "Another user has, or had, this id"},
	{store.ErrEmailTaken, http.StatusConflict, "Email already exists"},
	{store.ErrLibraryNotEmpty, http.StatusConflict, "Library must be empty before it can be deleted"},
	{store.ErrBusy, http.StatusServiceUnavailable, "The server is busy; try again"},
	{scan.ErrStopped, http.StatusServiceUnavailable, "The server is stopping"},
	{context.Canceled, http.StatusServiceUnavailable, "The request was cancelled"},
	{context.DeadlineExceeded, http.StatusServiceUnavailable, "The request took too long"},
}

// explain turns any error of a handler into the answer. What nobody foresaw is logged and told to nobody.
func (a *api) explain(err error) *Problem {
	if p := known(err); p != nil {
		return p
	}
	a.log.Error("request failed", "error", err)
	return newProblem(http.StatusInternalServerError, textInternal)
}

// known returns the answer for errors that somebody foresaw, else nil.
func known(err error) *Problem {
	if p := spoken(err); p != nil {
		return p
	}
	for _, k := range answers {
		if errors.Is(err, k.err) {
			return newProblem(k.status, k.text)
		}
	}
	return nil
}

// spoken returns the answer for errors that carry their own words, else nil.
func spoken(err error) *Problem {
	var (
		problem *Problem
		invalid *rules.Invalid
		refusal *rules.Refusal
		denial  *rules.Denial
		dead    *rules.DeadInvite
	)
	switch {
	case errors.As(err, &problem):
		return problem
	case errors.As(err, &invalid):
		return validation(invalid)
	case errors.As(err, &refusal):
		return newProblem(http.StatusUnprocessableEntity, refusal.Message)
	case errors.As(err, &denial):
		return newProblem(http.StatusForbidden, denial.Message)
	case errors.As(err, &dead):
		return newProblem(http.StatusGone, dead.Error())
	case errors.Is(err, auth.ErrBusy):
		return &Problem{status: http.StatusServiceUnavailable, Text: textBusy, headers: http.Header{"Retry-After": {busySeconds}}}
	case errors.Is(err, store.ErrBadCursor):
		return spoken(invalidField("cursor", "must be a nextCursor of this list"))
	}
	return nil
}

func validation(invalid *rules.Invalid) *Problem {
	p := newProblem(http.StatusUnprocessableEntity, textInvalid)
	for _, problem := range invalid.Problems {
		p.Details = append(p.Details, Detail{Path: problem.Path, Message: problem.Message})
	}
	return p
}

// Package drivertest is the conformance suite of the driver rules that package media numbers: one suite, which every
// driver passes. A case is named by its rule, as in "R9/letter_case".
//
// Besides the rules there are groups for accounts, passwords, libraries and invites, and, for drivers that speak HTTP,
// the table of statuses (HTTP), what never reaches a server (network), what is read of an answer (bounds), and each call
// with each of its requests spoiled in every way (matrix). Run works on fresh servers, or, with Harness.Live, as a guest
// on one that others use; package conformance does that. Record and Replay keep what a real server answered.
//
// What a person sees is always proven by that person's own view, after signing in: never by what an administrator
// reads back. Nothing is skipped: where a server cannot do something, the case asks that the driver says so (R11).
package drivertest

import (
	"context"
	"net/http"
	"slices"
	"testing"

	"github.com/usher-media/usher/internal/media"
)

// Harness says how to test one driver.
type Harness struct {
	// Start starts a fresh server with the one account that Server.Config signs in with. It stops with the test.
	Start func(t testing.TB) Server
	// StartEmpty starts one that has no account yet; nil where the driver cannot make the first one.
	StartEmpty func(t testing.TB) Server
	// HTTP says that the driver speaks HTTP through Config.Transport, where the suite then puts faults.
	HTTP bool
	// Refusal writes an error in the server's own envelope, for HTTP: its content type and body.
	Refusal func(status int) (contentType, body string)
	// Only names the rules to test, or single cases of them ("matrix/SetAccess"); none means all.
	Only []string
	// Ways names the ways in which the matrix spoils a request ("answer_lost"), for a server that answers slowly; none means
	// all.
	Ways []string
	// CreatesInSteps says that making an account is several writes, so that a lost answer may have made none.
	CreatesInSteps bool
	// GoesOn says that the driver may go on after a fault of the matrix in a request that reads: it does without the answer,
	// or cannot tell it from one that the server gives itself (an empty list). Nil where no driver may.
	GoesOn func(fault string, request *http.Request) bool
	// OneAccessWrite says that any change of an account's access is one write.
	OneAccessWrite bool
	// PasswordEndsSessions says that a new password signs the person out everywhere.
	PasswordEndsSessions bool
	// RevocationSignsOut says that who is to lose a library is signed out first: there is no other way to keep a request of theirs
	// from undoing it.
	RevocationSignsOut bool
	// LibraryIDsByName says that the server makes a library's id of its name. One that is renamed there drops out of everybody's
	// list until the driver mends that (media.Guardian), and one that is made under an earlier name may have the earlier id.
	LibraryIDsByName bool
	// Settings holds a value that is not the default for each of Capabilities.LibrarySettings.
	Settings map[string]string
	// Parallel runs the cases of a rule at once, but for those that look at goroutines or at the time.
	Parallel bool
	// Live says that Start connects to a server that others use, or will: the cases then see and touch nothing but what
	// they made, under names that nobody else has and with passwords that nobody knows, and take it away again. Cases
	// that cannot be run so are reported as NotLive.
	Live bool
	// Report is told how each case ended; nil tells nobody.
	Report func(Result)
}

// Server is one running server.
type Server struct {
	// Open and Config make a driver with the account that Usher uses. Every driver is like another process.
	Open   media.Open
	Config media.Config
	// Path returns a directory that the server sees, made for that name if need be.
	Path func(name string) string
	// SignIn signs a person in.
	SignIn func(ctx context.Context, username, password string) (Person, error)
	// Join makes an account with an invite's code, as somebody does who opens the link (Capabilities.Invites).
	Join func(ctx context.Context, code string, joiner Joiner) error
	// Fill puts an item into a library, so that it is not empty. Not used on a live server.
	Fill func(library media.Library)
	// Hand does what somebody does on the server's own pages. On a live server it may be nil.
	Hand Hand
	// Faults are those of a driver without HTTP; with it, the suite makes them itself.
	Faults Faults
}

// Joiner is somebody who comes by an invite.
type Joiner struct{ Username, Email, Password string }

// Person is somebody who is signed in.
type Person interface {
	// Libraries are those that the person sees. It fails when the session has ended.
	Libraries(ctx context.Context) ([]media.LibraryID, error)
}

// Hand changes things behind the driver's back.
type Hand interface {
	SetAccess(username string, access media.Access)
	SetDisabled(username string, disabled bool)
	DeleteAccount(username string)
	RenameLibrary(id media.LibraryID, name string)
}

// Faults are what the suite needs where there is no HTTP to put faults into.
type Faults struct {
	// Stall makes calls wait; each that does is told to arrived. Until stop.
	Stall func() (arrived <-chan struct{}, stop func())
	// Lose lets calls be done and loses their answers. Until stop.
	Lose func() (stop func())
	// Writes counts the writes so far.
	Writes func() int
}

// rule is a group of cases of one rule.
type rule struct {
	name  string
	cases []testCase
}

type testCase struct {
	name string
	run  func(f *fixture)
}

// Run runs every case, each on a server of its own.
func Run(t *testing.T, h Harness) {
	for _, r := range h.rules() {
		cases := h.chosen(r)
		if len(cases) == 0 {
			continue
		}
		t.Run(r.name, func(t *testing.T) {
			for _, c := range cases {
				t.Run(c.name, func(t *testing.T) {
					if h.Parallel && r.name != "R1" && r.name != "R3" {
						t.Parallel()
					}
					h.run(t, r.name, c)
				})
			}
		})
	}
}

// chosen are the cases of a rule that are run.
func (h Harness) chosen(r rule) []testCase {
	if len(h.Only) == 0 || slices.Contains(h.Only, r.name) {
		return r.cases
	}
	return slices.DeleteFunc(slices.Clone(r.cases), func(c testCase) bool { return !slices.Contains(h.Only, r.name+"/"+c.name) })
}

// run runs one case and reports how it ended.
func (h Harness) run(t *testing.T, rule string, c testCase) {
	result := Result{Rule: rule, Case: c.name, Outcome: Failed}
	report := h.Report
	if report == nil {
		report = func(Result) {}
	}
	if why := notLive[rule+"/"+c.name]; h.Live && why != "" {
		result.Outcome, result.Why = NotLive, why
		report(result)
		return
	}
	var f *fixture
	// Before the cleanups of the fixture, and also after a Fatal.
	defer func() {
		switch {
		case t.Failed() || f == nil:
		case f.notLive != "":
			result.Outcome, result.Why = NotLive, f.notLive
		case f.lacking != "":
			result.Outcome, result.Why = Unsupported, f.lacking
		default:
			result.Outcome = Passed
		}
		report(result)
	}()
	f = h.fixture(t, h.Start)
	if h.Live && f.server.Hand == nil && byHand[rule+"/"+c.name] {
		f.lacking = "the harness has no hand on the server"
		return
	}
	if f.notLive = h.notAsGuest(rule, f.can); f.notLive != "" {
		return
	}
	c.run(f)
}

func (h Harness) rules() []rule {
	all := []rule{
		{"R1", leakCases}, {"R2", errorCases}, {"R3", cancelCases}, {"R4", listCases}, {"R5", createCases},
		{"R6", accessCases}, {"R7", zeroCases}, {"R8", updateCases}, {"R9", identityCases}, {"R10", takenCases},
		{"R11", capabilityCases}, {"R12", lostCases}, {"R13", redactionCases},
		{"accounts", accountCases}, {"passwords", passwordCases}, {"libraries", libraryCases}, {"invites", inviteCases},
	}
	if h.HTTP {
		all = append(all, rule{"HTTP", httpCases}, rule{"network", networkCases}, rule{"bounds", boundCases},
			rule{"matrix", matrixCases()})
	}
	return all
}

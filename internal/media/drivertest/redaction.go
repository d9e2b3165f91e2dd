package drivertest

import (
	"errors"
	"fmt"
	"net/http"
	"strings"

	"github.com/usher-media/usher/internal/media"
)

// redactionCases: R13, no secret in an error.
var redactionCases = []testCase{
	{"refused_passwords", redactPasswords},
	{"credentials", redactCredentials},
	{"answers", redactAnswers},
}

// canary is what must never show up.
const canary = "canary-5f2d9c81"

// wantNoCanary looks at the error, at all that it wraps, and at what formatting shows of it.
func (f *fixture) wantNoCanary(err error) {
	f.Helper()
	for e := err; e != nil; e = errors.Unwrap(e) {
		for _, text := range []string{e.Error(), fmt.Sprintf("%+v", e)} {
			if strings.Contains(text, canary) {
				f.Errorf("a secret in an error: %s", text)
			}
		}
	}
}

func redactPasswords(f *fixture) {
	account := f.anybody("mia")
	long := strings.Repeat(canary, 100)
	taken := f.wanted("mia", account.Access)
	taken.Password = canary + "A1"
	_, err := f.driver.CreateAccount(f.ctx(), taken)
	f.wantCode(err, media.AlreadyExists)
	f.wantNoCanary(err)
	tooLong := f.wanted("ben", account.Access)
	tooLong.Password = long
	_, err = f.driver.CreateAccount(f.ctx(), tooLong)
	f.wantNoCanary(err)
	f.wantNoCanary(f.driver.SetPassword(f.ctx(), account.ID, media.NewPassword{Password: long}))
	f.wantNoCanary(f.driver.SetPassword(f.ctx(), "there-is-no-such-account", media.NewPassword{Password: canary}))
	if f.can.Authenticate {
		_, err = f.driver.(media.Authenticator).Authenticate(f.ctx(), f.name("mia"), canary)
		f.wantCode(err, media.Unauthenticated)
		f.wantNoCanary(err)
	}
}

func redactCredentials(f *fixture) {
	config := f.server.Config
	config.Credentials.Password = canary
	driver, err := f.server.Open(config)
	f.must(err)
	f.Cleanup(func() { _ = driver.Close() })
	_, err = driver.Probe(f.ctx())
	f.wantCode(err, media.Unauthenticated)
	f.wantNoCanary(err)
	if !f.h.HTTP {
		return
	}
	for _, url := range []string{
		"http://user:" + canary + "@media.example.org", "http://media.example.org/?token=" + canary,
		"http://media.example.org/#" + canary, "ftp://" + canary, canary + "://x", "http://[" + canary, "http:///" + canary,
	} {
		config.URL = url
		_, err = f.server.Open(config)
		f.wantCode(err, media.Invalid)
		f.wantNoCanary(err)
	}
}

// redactAnswers lets the server answer with the secret in bodies and headers.
func redactAnswers(f *fixture) {
	if !f.h.HTTP {
		return
	}
	operations := f.operations(f.driver)
	body := `{"error":"` + canary + `","message":"` + canary + `","details":[{"path":"` + canary + `","message":"` + canary + `"}]}`
	for _, status := range []int{
		http.StatusOK, http.StatusFound, http.StatusBadRequest, http.StatusForbidden, http.StatusNotFound,
		http.StatusConflict, http.StatusUnprocessableEntity, http.StatusTooManyRequests, http.StatusInternalServerError,
	} {
		f.faults.set(answer(status, "application/json", body, "Location", "https://"+canary, "Retry-After", canary))
		for _, op := range operations {
			err := op.run(f.ctx())
			if err == nil {
				f.Errorf("%s: status %d is taken for success", op.name, status)
			}
			f.wantNoCanary(err)
		}
	}
	f.faults.set(answer(http.StatusOK, "text/html", "<p>"+canary))
	for _, op := range operations {
		f.wantNoCanary(op.run(f.ctx()))
	}
	f.faults.set(nil)
}

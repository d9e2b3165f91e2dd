package alcoves_test

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"testing"

	"github.com/usher-media/usher/internal/media"
	"github.com/usher-media/usher/internal/media/alcoves"
	"github.com/usher-media/usher/internal/media/alcoves/alcovestest"
	"github.com/usher-media/usher/internal/media/drivertest"
	"github.com/usher-media/usher/internal/testpg"
)

func TestMain(m *testing.M) { testpg.Main(m) }

// running is one instance, and what people do there.
type running struct {
	*alcovestest.Server
	t testing.TB
}

func start(t testing.TB) *running {
	t.Helper()
	r := &running{alcovestest.Start(t, testpg.Database(t)), t}
	alcovestest.GrantAsDocumented(r.Server)
	return r
}

// config of the account that owns the instance, without a database.
func (r *running) config() media.Config {
	return media.Config{Allowed: media.Loopback(), URL: r.URL, Credentials: media.Credentials{Email: alcovestest.OwnerEmail, Password: alcovestest.OwnerPassword}}
}

// withDatabase is the same with one, as the role that the documentation says how to make, and with no more rights.
func (r *running) withDatabase() media.Config {
	config := r.config()
	config.DatabaseURL = r.Proxy.URL(alcovestest.Role, "choose-a-long-one")
	return config
}

func address(username string) string {
	if strings.Contains(username, "@") {
		return username
	}
	return strings.ToLower(username) + "@example.org"
}

// person is somebody who is signed in, with a session cookie.
type person struct {
	*running
	session string
}

// call makes a call as anybody would, without the driver, and returns the status.
func (p *person) call(ctx context.Context, method, path string, body, into any) (int, error) {
	var sent bytes.Buffer
	if body != nil {
		if err := json.NewEncoder(&sent).Encode(body); err != nil {
			return 0, err
		}
	}
	request, err := http.NewRequestWithContext(ctx, method, p.URL+path, &sent)
	if err != nil {
		return 0, err
	}
	request.Header.Set("Content-Type", "application/json")
	request.AddCookie(&http.Cookie{Name: "alcoves-session", Value: p.session})
	request.Close = true
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		return 0, err
	}
	defer func() { _ = response.Body.Close() }()
	for _, cookie := range response.Cookies() {
		p.session = cookie.Value
	}
	if into != nil && response.StatusCode < 300 {
		err = json.NewDecoder(response.Body).Decode(into)
	}
	return response.StatusCode, err
}

type object map[string]any

func (r *running) signIn(ctx context.Context, username, password string) (drivertest.Person, error) {
	p := &person{running: r}
	status, err := p.call(ctx, "POST", "/api/auth/login", object{"email": address(username), "password": password}, nil)
	if err == nil && status != http.StatusOK {
		err = fmt.Errorf("status %d", status)
	}
	return p, err
}

// must signs somebody in who can.
func (r *running) must(username, password string) *person {
	r.t.Helper()
	p, err := r.signIn(context.Background(), username, password)
	if err != nil {
		r.t.Fatal(err)
	}
	return p.(*person)
}

// Libraries lists what the person sees, the personal library aside, and asks for each by its id.
func (p *person) Libraries(ctx context.Context) ([]media.LibraryID, error) {
	var list []struct {
		ID        media.LibraryID
		IsDefault bool
	}
	status, err := p.call(ctx, "GET", "/api/libraries", nil, &list)
	if err != nil || status != http.StatusOK {
		return nil, fmt.Errorf("status %d: %w", status, err)
	}
	var ids []media.LibraryID
	for _, one := range list {
		if one.IsDefault {
			continue
		}
		if status, err := p.call(ctx, "GET", "/api/libraries/"+string(one.ID), nil, nil); err != nil || status != http.StatusOK {
			return nil, fmt.Errorf("library %s: status %d: %w", one.ID, status, err)
		}
		ids = append(ids, one.ID)
	}
	return ids, nil
}

// hand is somebody at the database.
type hand struct{ *running }

func (h hand) SetAccess(username string, access media.Access) {
	h.Exec(`DELETE FROM library_members WHERE user_id = (SELECT id FROM users WHERE email = $1)`, address(username))
	for id := range access.Libraries {
		h.Exec(`INSERT INTO library_members (library_id, user_id) SELECT $1, id FROM users WHERE email = $2`, string(id), address(username))
	}
}

func (h hand) SetDisabled(username string, _ bool) {
	h.Exec(`UPDATE users SET password_hash = '!' || password_hash WHERE email = $1`, address(username))
	h.Exec(`DELETE FROM sessions WHERE user_id = (SELECT id FROM users WHERE email = $1)`, address(username))
}

func (h hand) DeleteAccount(string) { h.t.Error("nobody deletes accounts of this server") }

func (h hand) RenameLibrary(id media.LibraryID, name string) {
	h.Exec(`UPDATE libraries SET name = $2 WHERE id = $1`, string(id), name)
}

// writes says whether a request may change something that lasts: trying a password does not.
func writes(r *http.Request) bool {
	return r.Method != http.MethodGet && r.URL.Path != "/api/auth/login" && r.URL.Path != "/api/auth/logout"
}

func (r *running) stall() (arrived <-chan struct{}, stop func()) {
	told := make(chan struct{}, 64)
	r.Disturb(alcovestest.Fault{Do: alcovestest.Hold, Arrived: told})
	r.Proxy.Hold(told)
	return told, r.heal
}

func (r *running) lose() (stop func()) {
	r.Disturb(alcovestest.Fault{Do: alcovestest.Lose, Match: writes})
	r.Proxy.LoseCommits()
	return r.heal
}

func (r *running) heal() { r.Heal(); r.Proxy.Heal() }

func serve(r *running, config media.Config) drivertest.Server {
	return drivertest.Server{
		Open: alcoves.OpenCheap, Config: config, SignIn: r.signIn, Hand: hand{r},
		Fill:   func(library media.Library) { r.Exec(`INSERT INTO files (library_id) VALUES ($1)`, string(library.ID)) },
		Faults: drivertest.Faults{Stall: r.stall, Lose: r.lose, Writes: r.Proxy.Commits},
	}
}

// harness has what the suite must know of the server; config says how the driver connects.
func harness(t testing.TB, config func(*running) media.Config) drivertest.Harness {
	shelf := &alcovestest.Shelf{Database: func() string { return testpg.Database(t) }}
	return drivertest.Harness{
		Start: func(t testing.TB) drivertest.Server {
			r := &running{shelf.Start(t), t}
			return serve(r, config(r))
		},
		Refusal: func(status int) (string, string) {
			return "application/json; charset=UTF-8", fmt.Sprintf(`{"message":%q}`, http.StatusText(status))
		},
		Parallel: true,
		Settings: map[string]string{"emoji": "🎬", "publicSharing": "true", "faceRecognition": "true", "objectDetection": "true"},
	}
}

// With a database, some calls go by HTTP and some by SQL, and the faults are put into both.
func TestConformanceWithDatabase(t *testing.T) {
	h := harness(t, (*running).withDatabase)
	h.PasswordEndsSessions = true
	drivertest.Run(t, h)
}

func TestConformanceWithoutDatabase(t *testing.T) {
	h := harness(t, (*running).config)
	h.HTTP, h.CreatesInSteps = true, true
	drivertest.Run(t, h)
}

func BenchmarkDriver(b *testing.B) { drivertest.Benchmark(b, harness(b, (*running).withDatabase)) }

// Package embeddedtest is what people do on an embedded media server, without the driver: they sign in, look around,
// come by invites, and change things by hand. It is how the conformance suite proves what a person sees.
package embeddedtest

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"strconv"
	"testing"
	"time"

	"github.com/usher-media/usher/internal/media"
	"github.com/usher-media/usher/internal/media/drivertest"
	"github.com/usher-media/usher/internal/media/embedded"
)

// Object is a JSON object.
type Object map[string]any

// Server is an embedded media server, by its URL.
type Server struct{ URL string }

// Call makes a call as anybody would, and returns the status. What a good answer says is decoded into into, if that is
// not nil.
func (s Server) Call(ctx context.Context, token, method, path string, body, into any) (int, error) {
	status, _, err := s.call(ctx, token, method, path, body, into)
	return status, err
}

func (s Server) call(ctx context.Context, token, method, path string, body, into any) (int, http.Header, error) {
	var sent bytes.Buffer
	if body != nil {
		if err := json.NewEncoder(&sent).Encode(body); err != nil {
			return 0, nil, err
		}
	}
	request, err := http.NewRequestWithContext(ctx, method, s.URL+path, &sent)
	if err != nil {
		return 0, nil, err
	}
	request.Header.Set("Content-Type", "application/json")
	request.Header.Set("Authorization", "Bearer "+token)
	// A connection of its own for each call: none is left when the test ends.
	request.Close = true
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		return 0, nil, err
	}
	defer func() { _ = response.Body.Close() }()
	if into != nil && response.StatusCode < 300 {
		err = json.NewDecoder(response.Body).Decode(into)
	}
	return response.StatusCode, response.Header, err
}

// Token signs in and returns the session's token. Where the server limits sign-ins, it waits for its turn.
func (s Server) Token(ctx context.Context, username, password string) (string, error) {
	for {
		var in struct{ Token string }
		status, header, err := s.call(ctx, "", "POST", "/v1/auth/sign-in", Object{"login": username, "password": password}, &in)
		switch {
		case err != nil:
			return "", err
		case status == http.StatusOK:
			return in.Token, nil
		case status != http.StatusTooManyRequests:
			return "", fmt.Errorf("status %d", status)
		}
		seconds, _ := strconv.Atoi(header.Get("Retry-After"))
		wait := time.NewTimer(time.Duration(max(seconds, 1)) * time.Second)
		select {
		case <-wait.C:
		case <-ctx.Done():
			wait.Stop()
			return "", fmt.Errorf("the server limits sign-ins: %w", ctx.Err())
		}
	}
}

// SignIn signs a person in.
func (s Server) SignIn(ctx context.Context, username, password string) (drivertest.Person, error) {
	token, err := s.Token(ctx, username, password)
	return Person{s, token}, err
}

// Join registers somebody by an invite's code.
func (s Server) Join(ctx context.Context, code string, j drivertest.Joiner) error {
	status, err := s.Call(ctx, "", "POST", "/v1/auth/register",
		Object{"username": j.Username, "email": j.Email, "password": j.Password, "inviteCode": code}, nil)
	if err == nil && status != http.StatusCreated {
		err = fmt.Errorf("status %d", status)
	}
	return err
}

// Person is somebody who is signed in.
type Person struct {
	Server
	token string
}

// Libraries lists what the person sees, and asks for each by its id.
func (p Person) Libraries(ctx context.Context) ([]media.LibraryID, error) {
	var ids []media.LibraryID
	for cursor := ""; ; {
		var page struct {
			Items []struct {
				ID       media.LibraryID
				Personal bool
			}
			NextCursor *string
		}
		status, err := p.Call(ctx, p.token, "GET", "/v1/libraries?limit=100&cursor="+cursor, nil, &page)
		if err != nil || status != http.StatusOK {
			return nil, fmt.Errorf("status %d: %w", status, err)
		}
		for _, item := range page.Items {
			if status, err := p.Call(ctx, p.token, "GET", "/v1/libraries/"+string(item.ID), nil, nil); err != nil || status != http.StatusOK {
				return nil, fmt.Errorf("library %s: status %d: %w", item.ID, status, err)
			}
			if !item.Personal { // everybody has a library of their own, which no grant gives
				ids = append(ids, item.ID)
			}
		}
		if page.NextCursor == nil {
			return ids, nil
		}
		cursor = *page.NextCursor
	}
}

// Hand is an administrator at the server's own pages.
type Hand struct {
	Server
	T     testing.TB
	Token string
}

// Do makes a call that must succeed.
func (h Hand) Do(method, path string, body any) {
	h.T.Helper()
	if status, err := h.Call(context.Background(), h.Token, method, path, body, nil); err != nil || status >= 300 {
		h.T.Fatalf("%s %s: %d %v", method, path, status, err)
	}
}

func (h Hand) user(username string) string {
	h.T.Helper()
	for cursor := ""; ; {
		var page struct {
			Items      []struct{ ID, Username string }
			NextCursor *string
		}
		if _, err := h.Call(context.Background(), h.Token, "GET", "/v1/users?limit=100&cursor="+cursor, nil, &page); err != nil {
			h.T.Fatal(err)
		}
		for _, user := range page.Items {
			if user.Username == username {
				return "/v1/users/" + user.ID
			}
		}
		if page.NextCursor == nil {
			h.T.Fatalf("there is no %s", username)
		}
		cursor = *page.NextCursor
	}
}

// SetAccess uses the calls of one library at a time, as people do.
func (h Hand) SetAccess(username string, access media.Access) {
	user := h.user(username)
	h.Do("PUT", user+"/access", Object{"all": false, "libraries": []any{}})
	for id := range access.Libraries {
		h.Do("POST", "/v1/libraries/"+string(id)+"/permissions", Object{"userId": filepath.Base(user)})
	}
}

// SetDisabled disables or enables an account.
func (h Hand) SetDisabled(username string, disabled bool) {
	h.Do("PATCH", h.user(username), Object{"disabled": disabled})
}

// DeleteAccount deletes an account.
func (h Hand) DeleteAccount(username string) { h.Do("DELETE", h.user(username), nil) }

// RenameLibrary renames a library.
func (h Hand) RenameLibrary(id media.LibraryID, name string) {
	h.Do("PATCH", "/v1/libraries/"+string(id), Object{"name": name})
}

// Directory returns a directory below a media root, made for that name and taken away with the test. Where this machine
// cannot make it, since the server is on another one, all libraries share the root.
func Directory(t testing.TB, root, name string) string {
	path := filepath.Join(root, name)
	if err := os.MkdirAll(path, 0o755); err != nil {
		return root
	}
	t.Cleanup(func() { _ = os.Remove(path) })
	return path
}

// Serve describes a running server to the suite. The token is of an administrator; empty on a server without accounts.
func Serve(t testing.TB, config media.Config, root, token string) drivertest.Server {
	s := Server{config.URL}
	return drivertest.Server{
		Open: embedded.Open, Config: config, SignIn: s.SignIn, Join: s.Join, Hand: Hand{s, t, token},
		Path: func(name string) string { return Directory(t, root, name) },
	}
}

// Harness is what the suite must know of every embedded server; Start is missing.
func Harness() drivertest.Harness {
	return drivertest.Harness{
		HTTP: true,
		Refusal: func(status int) (string, string) {
			return "application/json", fmt.Sprintf(`{"error":%q}`, http.StatusText(status))
		},
		OneAccessWrite: true, PasswordEndsSessions: true,
		Settings: map[string]string{"emoji": "🎬", "publicSharing": "true"},
	}
}

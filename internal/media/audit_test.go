package media_test

import (
	"cmp"
	"context"
	"encoding/json"
	"strings"
	"testing"

	"github.com/go-logr/logr"
	"github.com/go-logr/logr/funcr"

	"github.com/usher-media/usher/internal/media"
	"github.com/usher-media/usher/internal/media/memory"
)

// Every write to a media server leaves one line at info: what was done to whom, why, and what became of it. Reads leave
// none, and no line holds a secret.
func TestWritesAreAudited(t *testing.T) {
	const code = "canary-of-an-invite-code-of-128-bits"
	s := serve(t, memory.Options{})
	var lines []map[string]any
	logger := funcr.NewJSON(func(line string) {
		var fields map[string]any
		must(t, json.Unmarshal([]byte(line), &fields))
		lines = append(lines, fields)
		if strings.Contains(line, "canary") {
			t.Errorf("a secret in the audit log: %s", line)
		}
	}, funcr.Options{})
	ctx := media.WithReason(logr.NewContext(context.Background(), logger), "LibraryGrant kids", "role from Guest to Member")

	role := media.RoleAdmin
	account, err := s.CreateAccount(ctx, media.NewAccount{Username: "leo", Role: media.RoleMember, Password: serverPassword})
	must(t, err)
	leo := media.AccountKey{ID: account.ID, Username: "leo"}
	_, err = s.UpdateAccount(ctx, leo, media.AccountChange{Role: &role})
	must(t, err)
	_, _, err = s.SetAccess(ctx, s.mia, func(media.Account) media.Access {
		return media.Access{Libraries: map[media.LibraryID]media.LibraryRole{s.library: media.LibraryViewer}}
	})
	must(t, err)
	_, err = s.SetDisabled(ctx, s.mia, true)
	must(t, err)
	must(t, s.SetPassword(ctx, s.mia, media.NewPassword{Password: serverPassword + "!"}))
	_, err = s.DeleteAccount(ctx, leo)
	must(t, err)
	library, err := s.CreateLibrary(ctx, media.NewLibrary{Name: "TV", MediaType: "Shows", Paths: []string{"/tv"}})
	must(t, err)
	name := "Television"
	_, err = s.UpdateLibrary(ctx, library.ID, always, media.LibraryChange{Name: &name})
	must(t, err)
	must(t, s.DeleteLibrary(ctx, library.ID, always))
	must(t, s.SetRegistration(ctx, media.RegistrationClosed))
	// This server has no invites: what is refused is audited, too.
	_, err = s.CreateInvite(ctx, media.NewInvite{Code: code, Reference: "usher/media/cousins"})
	wantClass(t, err, media.Unsupported)
	_, err = s.SetInvite(ctx, "invite", media.InviteSettings{Revoked: true})
	wantClass(t, err, media.Unsupported)
	wantClass(t, s.DeleteInvite(ctx, "invite"), media.Unsupported)

	writes := 0
	for _, call := range s.calls {
		if !call.Write {
			continue
		}
		result := cmp.Or(string(call.Code), "OK")
		if writes >= len(lines) || lines[writes]["operation"] != call.Operation || lines[writes]["result"] != result {
			t.Fatalf("write %d, %s, has no line of its own among %d: %v", writes, call.Operation, len(lines), lines)
		}
		if lines[writes]["target"] == "" || lines[writes]["reason"] != "LibraryGrant kids; role from Guest to Member" {
			t.Errorf("%s does not say to whom and why: %v", call.Operation, lines[writes])
		}
		writes++
	}
	if writes != len(lines) || writes < 13 {
		t.Errorf("%d writes, %d lines", writes, len(lines))
	}
}

// A write that fails is audited with the class of its error.
func TestFailedWritesAreAudited(t *testing.T) {
	s := serve(t, memory.Options{})
	var line string
	ctx := logr.NewContext(t.Context(), funcr.NewJSON(func(l string) { line = l }, funcr.Options{}))
	s.store.Fail(memory.SetPassword, 1, answered())
	err := s.SetPassword(ctx, s.mia, media.NewPassword{Password: serverPassword})
	wantClass(t, err, media.Unavailable)
	if !strings.Contains(line, `"target":"mia"`) || !strings.Contains(line, `"result":"Unavailable"`) {
		t.Errorf("logged %s", line)
	}
}

func always(media.Library) bool { return true }

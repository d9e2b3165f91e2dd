package audiobookshelf_test

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/usher-media/usher/internal/media"
	"github.com/usher-media/usher/internal/media/audiobookshelf"
	"github.com/usher-media/usher/internal/media/audiobookshelf/audiobookshelftest"
)

// FuzzBodies gives the driver any words for everything that it puts into a request. Whatever they are, no request ends the
// server, none keeps it from starting again, none is left unanswered, and none has a body of the kinds that the contract
// names (see deadly). What the fake does with the kinds is proven by TestDeadlyBodies.
func FuzzBodies(f *testing.F) {
	for _, word := range []string{
		"", "mia", "null", "[]", "{}", "5", "true", "\x00", "\xff", "a\nb", "é", "../..", ".", "/proc/x/y", "/sys", "/", "C:\\books", "books",
		"99 99 * * *", "* * * * *", "custom-none", "root", "__proto__", "constructor", "[object Object]", strings.Repeat("x", 300),
		"00000000-0000-0000-0000-000000000000", "a,b", "include[]=x",
	} {
		f.Add(word, word, word)
		f.Add("mia", word, "a word")
		f.Add(word, "a password 1", "/books")
	}
	f.Fuzz(func(t *testing.T, first, second, third string) {
		w := newWorld(t, "Alpha")
		account := w.person("somebody", w.ids[0])
		tryEverything(w, w.driver, account, first, second, third)
		w.alive()
		if w.fake.Stuck() > 0 {
			t.Error("a request is never answered")
		}
		w.must(w.fake.Restart())
		if _, err := w.driver.List(w.ctx()); err != nil {
			t.Errorf("after a new start: %v", err)
		}
		for _, b := range w.fake.Bodies() {
			if why := deadly(b); why != "" {
				t.Errorf("%s carries %s: %s", b.Call, b.JSON, why)
			}
		}
	})
}

// tryEverything makes every call that carries a body with those words.
func tryEverything(w *world, d *audiobookshelf.Driver, account media.Account, first, second, third string) {
	ctx := w.ctx()
	for _, all := range []bool{true, false} {
		_, _ = d.CreateAccount(ctx, media.NewAccount{
			Username: first, Password: second, Email: third, Role: media.RoleMember, Access: media.Access{All: all}, Disabled: all,
		})
	}
	_, _ = d.CreateAccount(ctx, media.NewAccount{
		Username: second, Password: first, Role: media.Role(third), Access: access(media.LibraryID(first)),
	})
	role := media.Role(first)
	_, _ = d.UpdateAccount(ctx, account.ID, media.AccountChange{Email: &second})
	_, _ = d.UpdateAccount(ctx, account.ID, media.AccountChange{Role: &role})
	_, _ = d.SetAccess(ctx, account, access(media.LibraryID(first), media.LibraryID(second)))
	_, _ = d.SetAccess(ctx, media.Account{ID: media.AccountID(first)}, access())
	_ = d.SetPassword(ctx, account.ID, media.NewPassword{Password: first})
	_, _ = d.SetDisabled(ctx, media.AccountID(second), true)
	_, _ = d.Authenticate(ctx, first, second)
	_, _ = d.Authenticate(ctx, "somebody", third)
	tryLibraries(ctx, w, d, first, second, third)
	w.fake.SetDevices(device(first, string(account.ID)), device("", second), device("x", third, string(account.ID)))
	_ = d.DeleteAccount(ctx, media.AccountID(third))
	_ = d.DeleteAccount(ctx, account.ID)
}

func tryLibraries(ctx context.Context, w *world, d *audiobookshelf.Driver, first, second, third string) {
	inside := w.TempDir()
	for _, path := range []string{inside, first, second} {
		_, _ = d.CreateLibrary(ctx, media.NewLibrary{
			Name: first, MediaType: "Audiobooks", Paths: []string{path}, Settings: map[string]string{"provider": second, "icon": third},
		})
		_, _ = d.UpdateLibrary(ctx, w.ids[0], media.LibraryChange{Name: &second, Paths: []string{inside, path}})
	}
	_, _ = d.CreateLibrary(ctx, media.NewLibrary{Name: first, MediaType: media.MediaType(second), Paths: []string{inside}})
	_, _ = d.UpdateLibrary(ctx, w.ids[0], media.LibraryChange{Settings: map[string]string{"provider": first, "icon": second}})
	_, _ = d.UpdateLibrary(ctx, w.ids[0], media.LibraryChange{Settings: map[string]string{first: second}, Paths: []string{third}})
	_, _ = d.UpdateLibrary(ctx, media.LibraryID(first), media.LibraryChange{Name: &third})
}

// deadly says of which of the contract's kinds a body is; empty for none. It knows nothing of the driver.
func deadly(b audiobookshelftest.Body) string {
	if len(b.JSON) == 0 {
		return ""
	}
	var body map[string]any
	decoder := json.NewDecoder(bytes.NewReader(b.JSON))
	if err := decoder.Decode(&body); err != nil {
		return "no object"
	}
	if strings.Contains(string(b.JSON), "autoScanCronExpression") {
		return "a schedule"
	}
	if why := typed(body, ""); why != "" {
		return why
	}
	folders, _ := body["folders"].([]any)
	for _, f := range folders {
		folder, _ := f.(map[string]any)
		if id, path := folder["id"], folder["path"]; (id == nil) == (path == nil) {
			return "a folder that is neither one that stays nor one that comes"
		} else if text, ok := path.(string); ok && (strings.HasPrefix(text, "/proc") || strings.HasPrefix(text, "/sys")) {
			return "a folder of the kernel's"
		}
	}
	permissions, _ := body["permissions"].(map[string]any)
	if _, beside := body["librariesAccessible"]; beside {
		return "a list beside the permissions"
	}
	if list, there := permissions["librariesAccessible"]; there {
		if ids, isList := list.([]any); !isList || (permissions["accessAllLibraries"] == true) != (len(ids) == 0) {
			return "a list that does not go with its flag"
		}
	}
	return ""
}

// typed looks at the type of every field: nothing is null, and what the server takes for a text or a list is one.
func typed(value any, name string) string {
	switch v := value.(type) {
	case nil:
		return name + " is null"
	case float64:
		return name + " is a number"
	case []any:
		for _, one := range v {
			if why := typed(one, name); why != "" {
				return why
			}
		}
	case map[string]any:
		for field, one := range v {
			if why := typed(one, field); why != "" {
				return why
			}
			_, isText := one.(string)
			if slices.Contains([]string{"username", "password", "email", "type", "name", "mediaType", "provider", "icon", "path", "id"}, field) && !isText {
				return fmt.Sprintf("%s is no text", field)
			}
		}
	}
	return ""
}

// TestDeadlyBodies: the fake ends by each request of which the contract says so, and starts again but for a schedule.
func TestDeadlyBodies(t *testing.T) {
	library := "/api/libraries/{library}"
	for _, c := range []struct {
		method, path, body string
		forGood            bool
	}{
		{"POST", "/login", `{"username":"Keeper","password":5}`, false},
		{"PATCH", library, `{"folders":[{}]}`, false},
		{"PATCH", library, `{"folders":[null]}`, false},
		{"PATCH", library, `{"folders":["x"]}`, false},
		{"GET", "/api/users?include[]=x", "", false},
		{"GET", "/api/libraries?include[]=x", "", false},
		{"POST", "/api/emails/ereader-devices", `{"ereaderDevices":[null]}`, false},
		{"PATCH", library, `{"settings":{"autoScanCronExpression":"99 99 * * *"}}`, true},
	} {
		w := newWorld(t, "Alpha")
		path := strings.ReplaceAll(c.path, "{library}", string(w.ids[0]))
		var body any
		if c.body != "" {
			w.must(json.Unmarshal([]byte(c.body), &body))
		}
		_, _ = w.keeper.Try(w.ctx(), c.method, path, body, nil)
		if w.fake.Dead() == "" {
			t.Errorf("%s %s %s does not end the server", c.method, c.path, c.body)
		}
		if _, err := w.keeper.Shown(w.ctx()); err == nil {
			t.Error("the server goes on")
		}
		if err := w.fake.Restart(); (err != nil) != c.forGood {
			t.Errorf("%s %s %s: after a new start: %v", c.method, c.path, c.body, err)
		}
	}
	empty := audiobookshelftest.Start(t, audiobookshelftest.Options{})
	_, _ = (&audiobookshelftest.Visitor{URL: empty.URL}).Try(t.Context(), "POST", "/init", map[string]any{}, nil)
	if empty.Dead() == "" {
		t.Error("a set-up without an account does not end the server")
	}
}

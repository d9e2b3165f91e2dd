package cli_test

import (
	"bytes"
	"context"
	"flag"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"k8s.io/cli-runtime/pkg/genericiooptions"
	"k8s.io/klog/v2"

	"github.com/usher-media/usher/api/v1alpha1"
	"github.com/usher-media/usher/internal/cli"
	"github.com/usher-media/usher/internal/cli/connect"
	"github.com/usher-media/usher/internal/media"
	"github.com/usher-media/usher/internal/media/embedded"
	"github.com/usher-media/usher/internal/media/embedded/embeddedtest"
	"github.com/usher-media/usher/internal/media/memory"
	"github.com/usher-media/usher/internal/mediaserver"
)

var update = flag.Bool("update", false, "write the golden files anew")

// ran is what a command did.
type ran struct {
	out, errOut string
	err         error
}

// run runs a command as the program does.
func run(t *testing.T, env map[string]string, open media.Open, args ...string) ran {
	t.Helper()
	streams, _, out, errOut := genericiooptions.NewTestIOStreams()
	command := cli.New(cli.Environment{
		Streams: streams, Getenv: func(key string) string { return env[key] },
		Drivers:   map[v1alpha1.MediaServerType]media.Open{v1alpha1.MediaServerEmbedded: open},
		SetLogger: klog.SetLogger,
	})
	command.SetArgs(args)
	err := command.ExecuteContext(t.Context())
	return ran{out.String(), errOut.String(), err}
}

// golden compares a text with a file, whose lines have at most 80 columns where fits says so.
func golden(t *testing.T, name, got string, fits bool) {
	t.Helper()
	file := filepath.Join("testdata", name)
	if *update {
		if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(file, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if got != string(want) {
		t.Errorf("%s differs; look at it, then run: go test ./internal/cli -update\n%s", name, got)
	}
	for line := range strings.Lines(got) {
		if n := len([]rune(strings.TrimSuffix(line, "\n"))); fits && n > 80 {
			t.Errorf("%s: %d columns: %s", name, n, line)
		}
	}
}

// family is a server in memory: an owner who is called as the Store's is, an administrator, six people.
func family() *memory.Store {
	store := memory.NewStore(memory.Options{Owner: "alice", Password: "alice's password"})
	ids := map[string]media.LibraryID{}
	for _, name := range []string{"Movies", "TV Shows", "Kids Movies", "Horror"} {
		ids[name] = store.AddLibrary(media.Library{ID: media.LibraryID("id-" + strings.ToLower(strings.Fields(name)[0])), Name: name, MediaType: "Movies", Paths: []string{"/media/" + name}})
	}
	store.AddLibrary(media.Library{Name: "Mia's own", MediaType: "Movies", Personal: true})
	store.AddAccount(media.Account{Username: "bob", Role: media.RoleAdmin, DisplayName: "Bob", Email: "bob@example.org"}, "the password of bob")
	for person, libraries := range map[string][]string{
		"carol": {"Movies", "TV Shows", "Kids Movies", "Horror"}, "dave": {"Movies", "TV Shows", "Kids Movies", "Horror"},
		"mia": {"Movies", "TV Shows", "Kids Movies"}, "leo": {"Movies", "TV Shows", "Kids Movies"}, "grace": {"Movies", "TV Shows"},
	} {
		access := media.Access{Libraries: map[media.LibraryID]media.LibraryRole{}}
		for _, name := range libraries {
			access.Libraries[ids[name]] = media.LibraryViewer
		}
		store.AddAccount(media.Account{Username: person, DisplayName: strings.ToUpper(person[:1]) + person[1:], Email: person + "@example.org", Access: access, Disabled: person == "grace"}, "the password of "+person)
	}
	store.EditAccount("dave", func(a *media.Account) { a.Access.Libraries[ids["Kids Movies"]] = media.LibraryAdmin })
	store.ResetCalls()
	return store
}

var asAlice = map[string]string{connect.UsernameVariable: "alice", connect.PasswordVariable: "alice's password"}

// TestImport: the folder of a family, as people find it.
func TestImport(t *testing.T) {
	store := family()
	t.Chdir(t.TempDir())
	got := run(t, asAlice, store.Open, "import", "home/", "--type", "Embedded", "--url", "http://127.0.0.1:3000")
	if got.err != nil {
		t.Fatal(got.err)
	}
	files, err := filepath.Glob("home/*")
	if err != nil {
		t.Fatal(err)
	}
	texts := map[string]string{}
	for _, file := range append(files, "home/.gitignore") {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		texts[filepath.Base(file)] = string(text)
	}
	if n := store.WriteCount(); n != 0 {
		t.Errorf("%d writes to the server", n)
	}
	if again := run(t, asAlice, store.Open, "import", "home/", "--type", "Embedded", "--url", "http://127.0.0.1:3000"); again.err == nil || !strings.Contains(again.err.Error(), "name a new folder") {
		t.Errorf("a second import to the same folder: %v", again.err)
	}
	t.Chdir(sources)
	for name, text := range texts {
		name = strings.Replace(name, ".md", ".golden", 1) // test/docs reads every page as one of the repository's
		golden(t, filepath.Join("import", name), text, false)
	}
	golden(t, "import.golden", got.out, false)
}

// sources is where the tests are.
var sources, _ = os.Getwd()

// TestHelp reads well at 80 columns.
func TestHelp(t *testing.T) {
	for name, args := range map[string][]string{
		"help": {"--help"}, "help-import": {"import", "--help"}, "help-access": {"access", "--help"}, "help-explain": {"explain", "--help"}, "help-doctor": {"doctor", "--help"},
		"help-user": {"user", "--help"}, "help-user-extend": {"user", "extend", "--help"}, "help-invite": {"invite", "--help"}, "help-invite-extend": {"invite", "extend", "--help"},
	} {
		got := run(t, nil, nil, args...)
		if got.err != nil {
			t.Fatal(got.err)
		}
		golden(t, name+".golden", got.out, true)
	}
}

// TestMistakesSayWhatToDo before anything is asked of a server.
func TestMistakesSayWhatToDo(t *testing.T) {
	store := family()
	for want, args := range map[string][]string{
		"name one new folder":   {"import"},
		"--type is one of":      {"import", "x", "--type", "Emby", "--url", "http://127.0.0.1"},
		"--url http://":         {"import", "x", "--type", "Embedded"},
		"no name in Kubernetes": {"import", "x", "--type", "Embedded", "--url", "http://127.0.0.1", "--name", "My Home"},
		"USHER_IMPORT_PASSWORD": {"import", "x", "--type", "Embedded", "--url", "http://127.0.0.1"},
		"--allow-plain-http":    {"import", "x", "--type", "Embedded", "--url", "http://8.8.8.8"},
	} {
		env := asAlice
		if want == "USHER_IMPORT_PASSWORD" {
			env = nil
		}
		if got := run(t, env, store.Open, args...); got.err == nil || !strings.Contains(got.err.Error(), want) {
			t.Errorf("%v: %v, want %q", args, got.err, want)
		}
	}
	if n := store.Count(memory.Any); n != 0 {
		t.Errorf("%d calls to the server", n)
	}
}

// TestARefusedImportLeavesNothing behind, and says what to do.
func TestARefusedImportLeavesNothing(t *testing.T) {
	store := family()
	folder := filepath.Join(t.TempDir(), "home")
	wrong := map[string]string{connect.UsernameVariable: "alice", connect.PasswordVariable: "a wrong password"}
	got := run(t, wrong, store.Open, "import", folder, "--type", "Embedded", "--url", "http://127.0.0.1")
	if got.err == nil || !strings.Contains(got.err.Error(), "check username and password") {
		t.Errorf("with a wrong password: %v", got.err)
	}
	if entries, _ := os.ReadDir(filepath.Dir(folder)); len(entries) > 0 {
		t.Errorf("left behind: %v", entries)
	}
}

// served is a real embedded server on loopback, with people in it.
func served(t *testing.T, people int) (embeddedtest.Server, *recorded) {
	t.Helper()
	root := t.TempDir()
	server, err := mediaserver.New(context.Background(), mediaserver.Config{
		DataDir: t.TempDir(), MediaRoots: []string{root}, CheapPasswordHashing: true, Version: "1.2.3",
	})
	if err != nil {
		t.Fatal(err)
	}
	log := &recorded{next: server.Handler()}
	web := httptest.NewServer(log)
	t.Cleanup(func() {
		web.Close()
		if err := server.Close(); err != nil {
			t.Error(err)
		}
	})
	s := embeddedtest.Server{URL: web.URL}
	var in struct{ Token string }
	if status, err := s.Call(t.Context(), "", "POST", "/v1/auth/register", embeddedtest.Object{"username": "alice", "password": canary}, &in); err != nil || status != http.StatusCreated {
		t.Fatalf("register: %d %v", status, err)
	}
	fillServer(t, s, root, people)
	log.requests = nil
	return s, log
}

// canary is a password that nothing may hold.
const canary = "canary-7f3a-password"

// fillServer makes libraries and people by the driver.
func fillServer(t *testing.T, s embeddedtest.Server, root string, people int) {
	t.Helper()
	driver, err := embedded.Open(media.Config{URL: s.URL, Allowed: media.Loopback(), Credentials: media.Credentials{Username: "alice", Password: canary}})
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = driver.Close() }()
	if _, err := driver.Probe(t.Context()); err != nil {
		t.Fatal(err)
	}
	var ids []media.LibraryID
	for i := range 5 {
		path := filepath.Join(root, fmt.Sprint(i))
		if err := os.Mkdir(path, 0o755); err != nil {
			t.Fatal(err)
		}
		library, err := driver.CreateLibrary(t.Context(), media.NewLibrary{Name: fmt.Sprintf("Library %d", i), MediaType: "Movies", Paths: []string{path}})
		if err != nil {
			t.Fatal(err)
		}
		ids = append(ids, library.ID)
	}
	for i := range people {
		access := media.Access{All: i%11 == 10, Libraries: map[media.LibraryID]media.LibraryRole{}}
		for j, id := range ids {
			if (i%3+j)%2 == 0 {
				access.Libraries[id] = media.LibraryViewer
			}
		}
		if _, err := driver.CreateAccount(t.Context(), media.NewAccount{
			Username: fmt.Sprintf("person%03d", i), Email: fmt.Sprintf("person%03d@example.org", i), Role: media.RoleMember, Access: access, Password: canary + "-of-another", Disabled: i == 1,
		}); err != nil {
			t.Fatal(err)
		}
	}
}

// recorded keeps the requests to a server, without their bodies.
type recorded struct {
	next     http.Handler
	requests []string
	tokens   []string
}

// ServeHTTP implements http.Handler.
func (r *recorded) ServeHTTP(w http.ResponseWriter, request *http.Request) {
	r.requests = append(r.requests, request.Method+" "+request.URL.Path)
	if token := strings.TrimPrefix(request.Header.Get("Authorization"), "Bearer "); token != "" {
		r.tokens = append(r.tokens, token)
	}
	r.next.ServeHTTP(w, request)
}

// TestImportOfARealServer writes nothing to it but a sign-in, and no secret to anywhere, at the highest verbosity.
func TestImportOfARealServer(t *testing.T) {
	s, log := served(t, 30)
	folder := filepath.Join(t.TempDir(), "home")
	got := run(t, map[string]string{connect.UsernameVariable: "alice", connect.PasswordVariable: canary}, embedded.Open,
		"import", folder, "--type", "Embedded", "--url", s.URL, "-v", "10")
	if got.err != nil {
		t.Fatal(got.err)
	}
	for _, request := range log.requests {
		if !strings.HasPrefix(request, "GET ") && request != "POST /v1/auth/sign-in" {
			t.Errorf("a write: %s", request)
		}
	}
	if !strings.Contains(got.errOut, "media server call") || !strings.Contains(got.errOut, "Proved for 31 accounts") {
		t.Errorf("the progress lacks something:\n%s", got.errOut)
	}
	secrets := append([]string{canary}, log.tokens...)
	if len(secrets) < 2 {
		t.Fatal("no token was seen")
	}
	whole := bytes.NewBufferString(got.out + got.errOut)
	files, err := os.ReadDir(folder)
	if err != nil || len(files) != 7 {
		t.Fatalf("%d files: %v", len(files), err)
	}
	for _, file := range files {
		text, err := os.ReadFile(filepath.Join(folder, file.Name()))
		if err != nil {
			t.Fatal(err)
		}
		whole.Write(text)
		if strings.Contains(string(text), "kind: Secret") {
			t.Errorf("%s holds a Secret", file.Name())
		}
	}
	for _, secret := range secrets {
		if strings.Contains(whole.String(), secret) {
			t.Error("a password or a token is written")
		}
	}
	if strings.Contains(whole.String(), "@example.org") {
		t.Error("an email address is written")
	}
}

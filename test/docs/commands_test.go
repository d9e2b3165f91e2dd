package docs

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/usher-media/usher/internal/testenv"
)

// programs are what commands of the pages may begin with. A shell that knows nothing else reads the pages; each program
// notes how it was called.
var programs = []string{
	"kubectl", "make", "usher", "mediaserver", "bin/mediaserver", "go", "docker", "curl", "git", "base64", "sed", "date", "rm", "psql",
	"helm", "createuser", "createdb", "pg_dump", "touch", "head", "sudo", "mkdir", "mv", "hack/controlplane.sh", "cat",
}

// call is a program with its arguments, and where a page has it.
type call struct {
	where string
	args  []string
}

var (
	placeholder = regexp.MustCompile(`<[\w-]+>|\[[A-Z]+=[^\]]*\]|\.\.\.`)
	beginning   = regexp.MustCompile(`^(?:[A-Z_]+=\S+ )*([\w./-]+)`)
)

// script returns the commands of a block as a shell reads them; empty where it holds none.
func (b block) script() string {
	var prompted []string
	for line := range strings.Lines(b.text) {
		if rest, ok := strings.CutPrefix(line, "$ "); ok {
			prompted = append(prompted, rest)
		}
	}
	switch {
	case prompted != nil:
		return strings.Join(prompted, "")
	case b.language == "sh", b.language == "bash":
		return b.text
	case b.language == "" && begins(b.text):
		return b.text
	}
	return ""
}

func begins(text string) bool {
	match := beginning.FindStringSubmatch(text)
	return match != nil && slices.Contains(programs, match[1])
}

// shell reads what people are told to type. Nothing is started but programs that note their arguments.
type shell struct {
	t *testing.T
	// folder is the only one in which it finds programs, and where it is; noted is where these write, each its own file, since
	// those of a pipe run at the same time.
	folder, noted, bash string
}

func newShell(t *testing.T) *shell {
	t.Helper()
	bash, err := exec.LookPath("bash")
	if err != nil {
		t.Fatal(err)
	}
	sh := &shell{t: t, folder: t.TempDir(), noted: t.TempDir(), bash: bash}
	stub := "#!" + bash + "\nprintf '%s\\0' \"${0#" + sh.folder + "/}\" \"$@\" >" + sh.noted + "/$$\n"
	for _, program := range programs {
		path := filepath.Join(sh.folder, program)
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(stub), 0o755); err != nil {
			t.Fatal(err)
		}
	}
	return sh
}

// read returns the calls of a script.
func (sh *shell) read(where, script string) (found []call) {
	sh.t.Helper()
	command := exec.CommandContext(sh.t.Context(), sh.bash, "-c", placeholder.ReplaceAllString(script, "x"))
	command.Dir, command.Env = sh.folder, []string{"PATH=" + sh.folder, "HOME=" + sh.folder}
	if out, err := command.CombinedOutput(); err != nil || len(out) > 0 {
		sh.t.Errorf("%s: a shell cannot read this: %v\n%s", where, err, out)
	}
	files, err := filepath.Glob(filepath.Join(sh.noted, "*"))
	if err != nil {
		sh.t.Fatal(err)
	}
	for _, file := range files {
		args := strings.Split(strings.TrimSuffix(read(sh.t, file), "\x00"), "\x00")
		found = append(found, call{where: where, args: args})
		if err := os.Remove(file); err != nil {
			sh.t.Fatal(err)
		}
	}
	return found
}

// calls returns what everything that the pages tell people to type would start.
func calls(t *testing.T) (found []call) {
	t.Helper()
	sh := newShell(t)
	for _, p := range own(t) {
		blocks, _ := p.blocks()
		for _, b := range blocks {
			if script := b.script(); script != "" {
				found = append(found, sh.read(fmt.Sprintf("%s:%d", b.page, b.line), script)...)
			}
		}
		for _, s := range p.spans() {
			if begins(s.text) && strings.Count(s.text, " ") > 2 || strings.HasPrefix(s.text, "make ") {
				found = append(found, sh.read(fmt.Sprintf("%s:%d", s.page, s.line), s.text)...)
			}
		}
	}
	return found
}

// TestCommandsAreRead: a shell reads everything that a page tells people to type, and knows each program.
func TestCommandsAreRead(t *testing.T) {
	if found := calls(t); len(found) < 100 {
		t.Errorf("only %d calls were found", len(found))
	}
}

// TestCommands: everything that a page tells people to type can be typed.
func TestCommands(t *testing.T) {
	env := testenv.Get(t)
	kubeconfig := env.Kubeconfig(t)
	makefile := read(t, filepath.Join(env.Root, "Makefile"))
	flags, plugin := helpOfPrograms(t), buildPlugin(t)
	count, tried := map[string]int{}, map[string]bool{}
	for _, c := range calls(t) {
		program, line := filepath.Base(c.args[0]), strings.Join(c.args, "\x00")
		if count[program]++; tried[line] {
			continue
		}
		tried[line] = true
		switch program {
		case "kubectl":
			if len(c.args) > 1 && c.args[1] == "usher" {
				tryPlugin(t, plugin, kubeconfig, c)
				continue
			}
			tryKubectl(t, env, kubeconfig, c)
		case "helm":
			tryHelm(t, c)
		case "make":
			tryMake(t, makefile, c)
		case "usher", "mediaserver":
			tryFlags(t, flags[program], c)
		case "go":
			tryGo(t, env.Root, c)
		}
	}
	for program, least := range map[string]int{"kubectl": 30, "helm": 3, "make": 15, "mediaserver": 3, "go": 3} {
		if count[program] < least {
			t.Errorf("only %d calls of %s were found: %v", count[program], program, count)
		}
	}
}

// written names kubectl's commands that change something, and can be asked what they would change.
var written = []string{"apply", "create", "annotate", "patch", "delete", "label", "replace"}

// absent is what kubectl says of an object or a file that a reader has, and this cluster has not.
var absent = regexp.MustCompile(`\(NotFound\)|not found|no matching resources|No resources found|no objects passed|path "[\w./-]+" does not exist`)

// tryKubectl runs a command on a cluster with Usher's kinds, so that kubectl itself says what it does not know. Nothing is changed.
func tryKubectl(t *testing.T, env *testenv.Environment, kubeconfig string, c call) {
	t.Helper()
	args := slices.Clone(c.args[1:])
	verb := slices.IndexFunc(args, func(arg string) bool { return slices.Contains(written, arg) })
	force := slices.Index(args, "--force")
	if slices.Contains(args, "--server-side") { // this cluster's kinds were installed by the test environment
		args = append(args, "--force-conflicts")
	}
	switch {
	case slices.Contains(args, "rollout"), slices.Contains(args, "logs"), slices.Contains(args, "port-forward"):
	case verb >= 0 && force >= 0: // --force and --dry-run do not go together
		args[force] = "--dry-run=server"
	case verb >= 0:
		args = append(args, "--dry-run=server")
	case slices.Contains(args, "wait"):
		args = append(args, "--timeout=0s")
	}
	command := exec.CommandContext(t.Context(), env.Kubectl(), append([]string{"--kubeconfig", kubeconfig}, args...)...)
	command.Dir = env.Root
	out, err := command.CombinedOutput()
	if err != nil && !absent.Match(out) && !slices.Contains(args, "can-i") {
		t.Errorf("%s: %s: %v\n%s", c.where, strings.Join(c.args, " "), err, out)
	}
}

// tryHelm: an installation is tried without being made, with the chart of the repository for one that is elsewhere; of other
// commands, Helm knows the flags.
func tryHelm(t *testing.T, c call) {
	t.Helper()
	args, help := slices.Clone(c.args[1:]), helm(t, c.args[1], "--help")
	for _, arg := range args {
		if name, _, _ := strings.Cut(arg, "="); strings.HasPrefix(name, "--") && !hasFlag(help, name) {
			t.Errorf("%s: helm %s has no flag %s", c.where, args[0], name)
		}
	}
	for i, arg := range args {
		if strings.HasPrefix(arg, "oci://") || strings.HasSuffix(arg, ".tgz") {
			args[i] = "charts/usher"
		}
	}
	switch args[0] {
	case "install", "upgrade":
		// The kinds of this cluster are of no release, and an upgrade makes what it does not find.
		args = slices.DeleteFunc(args, func(arg string) bool {
			return slices.Contains([]string{"--wait", "--install", "--create-namespace", "--take-ownership", "--reuse-values", "--reset-then-reuse-values"}, arg)
		})
		helm(t, append([]string{"template"}, args[1:]...)...)
	}
}

// helm runs Helm at the root of the repository, and returns what it says.
func helm(t *testing.T, args ...string) string {
	t.Helper()
	path, err := exec.CommandContext(t.Context(), filepath.Join(repository(t), "hack", "helm.sh")).Output()
	if err != nil {
		t.Fatalf("get Helm: %v", err)
	}
	command := exec.CommandContext(t.Context(), strings.TrimSpace(string(path)), args...)
	command.Dir = repository(t)
	out, err := command.CombinedOutput()
	if err != nil {
		t.Errorf("helm %s: %v\n%s", strings.Join(args, " "), err, out)
	}
	return string(out)
}

// buildPlugin builds kubectl-usher.
func buildPlugin(t *testing.T) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "kubectl-usher")
	build := exec.CommandContext(t.Context(), "go", "build", "-o", path, "./cmd/kubectl-usher")
	build.Dir = repository(t)
	if out, err := build.CombinedOutput(); err != nil {
		t.Fatalf("go build: %v\n%s", err, out)
	}
	return path
}

// missing is what the plugin says where a server, credentials or an object is not there: it took the command as it is.
var missing = regexp.MustCompile(`no credentials: set|there is no (?:MediaServer|User|Library|Invite)|things do not work`)

// tryPlugin: the plugin has the command, and takes its flags and arguments.
func tryPlugin(t *testing.T, plugin, kubeconfig string, c call) {
	t.Helper()
	command := exec.CommandContext(t.Context(), plugin, append(slices.Clone(c.args[2:]), "--kubeconfig", kubeconfig)...)
	command.Dir = t.TempDir()
	if out, err := command.CombinedOutput(); err != nil && !missing.Match(out) {
		t.Errorf("%s: %s: %v\n%s", c.where, strings.Join(c.args, " "), err, out)
	}
}

// tryMake: the target is there, and the Makefile reads the variables.
func tryMake(t *testing.T, makefile string, c call) {
	t.Helper()
	for _, arg := range c.args[1:] {
		name, _, isVariable := strings.Cut(arg, "=")
		there := regexp.MustCompile(`(?m)^` + regexp.QuoteMeta(name) + `:`).MatchString(makefile)
		if isVariable {
			there = strings.Contains(makefile, "$("+name+")")
		}
		if !there {
			t.Errorf("%s: make knows no %s", c.where, name)
		}
	}
}

// tryFlags: the program has each flag.
func tryFlags(t *testing.T, help string, c call) {
	t.Helper()
	for _, arg := range c.args[1:] {
		if name, _, _ := strings.Cut(arg, "="); strings.HasPrefix(name, "--") && !hasFlag(help, name) {
			t.Errorf("%s: %s has no flag %s", c.where, c.args[0], name)
		}
	}
}

func hasFlag(help, name string) bool {
	return regexp.MustCompile(`(?m)(?:^|[\s,])` + regexp.QuoteMeta(name) + `(?:[\s=[]|$)`).MatchString(help)
}

// tryGo: each package that is named is there.
func tryGo(t *testing.T, root string, c call) {
	t.Helper()
	for _, arg := range c.args[1:] {
		folder := strings.TrimSuffix(arg, "x") // ./internal/...
		if !strings.HasPrefix(arg, "./") || strings.Contains(arg, "betamax") {
			continue
		}
		if _, err := os.Stat(filepath.Join(root, folder)); err != nil {
			t.Errorf("%s: there is no package %s", c.where, arg)
		}
	}
}

// helpOfPrograms builds the programs and returns what they say of their flags.
func helpOfPrograms(t *testing.T) map[string]string {
	t.Helper()
	folder, help := t.TempDir(), map[string]string{}
	build := exec.CommandContext(t.Context(), "go", "build", "-o", folder, "./cmd/usher", "./cmd/mediaserver")
	build.Dir = repository(t)
	if out, err := build.CombinedOutput(); err != nil {
		t.Fatalf("go build: %v\n%s", err, out)
	}
	for _, program := range []string{"usher", "mediaserver"} {
		out, _ := exec.CommandContext(t.Context(), filepath.Join(folder, program), "--help").CombinedOutput()
		help[program] = string(out)
	}
	return help
}

var (
	flagName    = regexp.MustCompile(`^--[a-z][a-z-]+`)
	environment = regexp.MustCompile(`\bMEDIASERVER_([A-Z_]+)\b`)
)

// TestFlags: a flag that a page names in a sentence is one of our programs', kubectl's for a Secret, or Helm's; and so is a variable of
// the environment.
func TestFlags(t *testing.T) {
	help, plugin := helpOfPrograms(t), buildPlugin(t)
	for _, command := range []string{"import", "access", "explain", "doctor", "user extend", "invite extend"} {
		out, _ := exec.CommandContext(t.Context(), plugin, append(strings.Fields(command), "--help")...).CombinedOutput()
		help["kubectl usher "+command] = string(out)
	}
	out, err := exec.CommandContext(t.Context(), testenv.Get(t).Kubectl(), "create", "secret", "generic", "--help").Output()
	if err != nil {
		t.Fatal(err)
	}
	ofOthers := string(out) + helm(t, "upgrade", "--help")
	for _, p := range own(t) {
		for _, s := range p.spans() {
			for _, name := range flagName.FindAllString(s.text, 1) {
				known := hasFlag(ofOthers, name)
				for _, text := range help {
					known = known || hasFlag(text, name)
				}
				if !known {
					t.Errorf("%s:%d: no program has the flag %s", s.page, s.line, name)
				}
			}
		}
		for _, match := range environment.FindAllStringSubmatch(p.text, -1) {
			if name := "--" + strings.ToLower(strings.ReplaceAll(match[1], "_", "-")); !hasFlag(help["mediaserver"], name) {
				t.Errorf("%s: mediaserver has no %s, and so no %s", p.name, name, match[0])
			}
		}
	}
}

func read(t *testing.T, name string) string {
	t.Helper()
	text, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

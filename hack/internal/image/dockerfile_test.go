package image

import (
	"encoding/json"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"reflect"
	"strconv"
	"strings"
	"testing"

	v1 "github.com/google/go-containerregistry/pkg/v1"

	"github.com/usher-media/usher/internal/testenv"
)

// TestDockerfile: the Dockerfile makes the same files, and they run the same way.
func TestDockerfile(t *testing.T) {
	root, err := testenv.Root()
	if err != nil {
		t.Fatal(err)
	}
	text, err := os.ReadFile(filepath.Join(root, "Dockerfile"))
	if err != nil {
		t.Fatal(err)
	}
	variant := native(t)
	copied, err := sources()
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	if err := source(copied).Stage(t.Context(), variant.Platform, filepath.Join(dir, "out")); err != nil {
		t.Fatal(err)
	}
	build, final := stages(t, string(text))
	if want := "go run ./hack/image --stage /out --platform "; !strings.HasPrefix(build["RUN"][len(build["RUN"])-1], want) {
		t.Errorf("the Dockerfile builds by %q, which this test does not know", build["RUN"])
	}
	d := &container{t: t, from: dir, files: map[string]entry{}}
	for _, arguments := range final["COPY"] {
		d.copy(strings.Fields(arguments))
	}
	image := contents(t, variant)
	if got, want := listing(d.files), listing(image); got != want {
		t.Errorf("the Dockerfile's image holds\n%s\nnot\n%s", got, want)
	}
	for path, file := range d.files {
		if string(file.content) != string(image[path].content) {
			t.Errorf("/%s differs", path)
		}
	}
	config, err := variant.ConfigFile()
	if err != nil {
		t.Fatal(err)
	}
	if got := configOf(t, final); !reflect.DeepEqual(got, config.Config) {
		t.Errorf("the Dockerfile's image runs as\n%+v\nnot as\n%+v", got, config.Config)
	}
}

// stages are the instructions of the two stages of the Dockerfile, by their name.
func stages(t *testing.T, text string) (build, final map[string][]string) {
	t.Helper()
	var all []map[string][]string
	for line := range strings.Lines(strings.ReplaceAll(text, "\\\n", " ")) {
		instruction, arguments, _ := strings.Cut(strings.TrimSpace(line), " ")
		if instruction == "" || strings.HasPrefix(instruction, "#") {
			continue
		}
		if instruction == "FROM" {
			all = append(all, map[string][]string{})
		}
		all[len(all)-1][instruction] = append(all[len(all)-1][instruction], arguments)
	}
	if len(all) != 2 || all[1]["FROM"][0] != "scratch" {
		t.Fatalf("the Dockerfile has %d stages, or its last is not from scratch", len(all))
	}
	return all[0], all[1]
}

// container is what COPY has made so far.
type container struct {
	t     *testing.T
	from  string
	files map[string]entry
}

// copy does what COPY --from=build does: what is below a folder, or a file, without its owner.
func (c *container) copy(arguments []string) {
	c.t.Helper()
	owner := 0
	for strings.HasPrefix(arguments[0], "--") {
		flag, value, _ := strings.Cut(arguments[0], "=")
		arguments = arguments[1:]
		switch flag {
		case "--from":
		case "--chown":
			user, group, _ := strings.Cut(value, ":")
			number, err := strconv.Atoi(user)
			if err != nil || user != group {
				c.t.Fatalf("COPY --chown=%s", value)
			}
			owner = number
		default:
			c.t.Fatalf("COPY %s: this test does not know it", flag)
		}
	}
	target := arguments[len(arguments)-1]
	for _, from := range arguments[:len(arguments)-1] {
		err := filepath.WalkDir(filepath.Join(c.from, from), func(found string, d fs.DirEntry, err error) error {
			if err != nil {
				return err
			}
			below, err := filepath.Rel(filepath.Join(c.from, from), found)
			if err != nil {
				return err
			}
			to := path.Join(target, below)
			if strings.HasSuffix(target, "/") {
				to = path.Join(target, path.Base(from), below)
			}
			return c.add(strings.TrimPrefix(to, "/"), found, d, owner)
		})
		if err != nil {
			c.t.Fatal(err)
		}
	}
}

func (c *container) add(to, from string, d fs.DirEntry, owner int) error {
	info, err := d.Info()
	if err != nil {
		return err
	}
	e := entry{path: to, mode: info.Mode(), owner: owner}
	if !d.IsDir() {
		if e.content, err = os.ReadFile(from); err != nil {
			return err
		}
	}
	c.files[to] = e
	return nil
}

// configOf is what the instructions of a stage say about how it runs.
func configOf(t *testing.T, stage map[string][]string) v1.Config {
	t.Helper()
	config := v1.Config{User: stage["USER"][0], WorkingDir: stage["WORKDIR"][0], Env: stage["ENV"], Labels: map[string]string{}}
	if err := json.Unmarshal([]byte(stage["ENTRYPOINT"][0]), &config.Entrypoint); err != nil {
		t.Fatal(err)
	}
	for rest := stage["LABEL"][0]; rest != ""; {
		key, quoted, _ := strings.Cut(rest, "=")
		value, err := strconv.QuotedPrefix(quoted)
		if err != nil {
			t.Fatalf("LABEL %s: %v", rest, err)
		}
		rest = strings.TrimSpace(strings.TrimPrefix(quoted, value))
		config.Labels[strings.TrimSpace(key)] = strings.ReplaceAll(strings.Trim(value, `"`), "$VERSION", version)
	}
	for instruction := range stage {
		switch instruction {
		case "FROM", "ARG", "COPY", "USER", "WORKDIR", "ENV", "LABEL", "ENTRYPOINT":
		default:
			t.Errorf("%s: this test does not know it", instruction)
		}
	}
	return config
}

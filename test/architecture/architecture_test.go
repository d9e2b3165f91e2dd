// Package architecture holds the bounds between packages that the design draws: data flows one way, from the manifests
// by pure rules and the controllers to the drivers, and a driver can be written without knowing Kubernetes.
package architecture

import (
	"encoding/json"
	"errors"
	"io"
	"os/exec"
	"slices"
	"strings"
	"testing"

	"github.com/usher-media/usher/internal/testenv"
)

const (
	ours    = "github.com/usher-media/usher/"
	planner = "internal/access/plan"
)

// listed is a package as `go list` tells of it.
type listed struct {
	ImportPath string
	Imports    []string
	Deps       []string
}

// bound is a rule over the packages below some folders.
type bound struct {
	name string
	// within are the folders that the rule is for.
	within []string
	// but is a folder below them that has a rule of its own.
	but string
	// forbidden is asked about each import; deep asks about everything that is linked in.
	forbidden func(importPath string) bool
	deep      bool
}

var bounds = []bound{
	{name: "the kinds import nothing of ours", within: []string{"api"}, forbidden: outside("api")},
	{name: "the rules import nothing of ours but the kinds", within: []string{"internal/access"}, but: planner, forbidden: outside("internal/access", "api"), deep: true},
	{name: "the planner imports nothing of ours but the rules and the kit", within: []string{planner}, forbidden: outside("internal/access", "api", "internal/media"), deep: true},
	{name: "controllers import no driver", within: []string{"internal/controller"}, forbidden: isDriver, deep: true},
	{name: "drivers and their kit import no Kubernetes", within: []string{"internal/media"}, forbidden: isKubernetes, deep: true},
	{name: "drivers and their kit import nothing of ours but the kit", within: []string{"internal/media"}, forbidden: outside("internal/media"), deep: true},
	{
		name: "the media server stands alone, but for the invite pages", within: []string{"internal/mediaserver", "cmd/mediaserver"},
		forbidden: func(path string) bool {
			return isKubernetes(path) || outside("internal/mediaserver", "cmd/mediaserver", "internal/portal", "internal/version")(path)
		}, deep: true,
	},
	{name: "when objects are reconciled is decided without knowing their kinds", within: []string{"internal/enqueue"}, forbidden: outside("internal/enqueue"), deep: true},
	{name: "the invite pages know no server", within: []string{"internal/portal"}, forbidden: outside("internal/portal"), deep: true},
	{
		name: "the redemption engine knows no driver and has no pages", within: []string{"internal/redeem"},
		forbidden: func(path string) bool { return isDriver(path) || under("internal/portal", "internal/controller")(path) }, deep: true,
	},
	{name: "what is shipped holds no test environment", within: []string{"cmd"}, forbidden: under("internal/testenv", "internal/media/drivertest"), deep: true},
	{name: "nothing imports the programs", within: []string{"api", "internal"}, forbidden: under("cmd", "hack", "test"), deep: true},
}

func TestBounds(t *testing.T) {
	packages := list(t)
	for _, rule := range bounds {
		t.Run(rule.name, func(t *testing.T) {
			for _, p := range packages {
				if !under(rule.within...)(p.ImportPath) || (rule.but != "" && under(rule.but)(p.ImportPath)) {
					continue
				}
				imports := p.Imports
				if rule.deep {
					imports = p.Deps
				}
				if i := slices.IndexFunc(imports, rule.forbidden); i >= 0 {
					t.Errorf("%s imports %s", p.ImportPath, imports[i])
				}
			}
		})
	}
}

// TestBoundsAreNotEmpty: a rule whose folder was renamed would hold for ever.
func TestBoundsAreNotEmpty(t *testing.T) {
	packages := list(t)
	for _, rule := range bounds {
		for _, folder := range rule.within {
			if !slices.ContainsFunc(packages, func(p listed) bool { return under(folder)(p.ImportPath) }) {
				t.Errorf("%s: there is no package below %s", rule.name, folder)
			}
		}
	}
}

// under says whether a path is one of our folders or below.
func under(folders ...string) func(string) bool {
	return func(path string) bool {
		return slices.ContainsFunc(folders, func(folder string) bool {
			return path == ours+folder || strings.HasPrefix(path, ours+folder+"/")
		})
	}
}

// outside says whether a path is ours, but not one of these folders or below.
func outside(folders ...string) func(string) bool {
	allowed := under(folders...)
	return func(path string) bool { return strings.HasPrefix(path, ours) && !allowed(path) }
}

func isKubernetes(path string) bool {
	root, _, _ := strings.Cut(path, "/")
	return root == "k8s.io" || root == "sigs.k8s.io"
}

// isDriver says whether a package is a driver: one folder below internal/media, but for the parts of the kit.
func isDriver(path string) bool {
	return under("internal/media")(path) && path != ours+"internal/media" && !under("internal/media/wire", "internal/media/fold")(path)
}

func list(t *testing.T) []listed {
	t.Helper()
	root, err := testenv.Root()
	if err != nil {
		t.Fatal(err)
	}
	command := exec.CommandContext(t.Context(), "go", "list", "-json=ImportPath,Imports,Deps", "./...")
	command.Dir = root
	out, err := command.Output()
	if err != nil {
		t.Fatalf("go list: %v", err)
	}
	var packages []listed
	for decoder := json.NewDecoder(strings.NewReader(string(out))); ; {
		var p listed
		if err := decoder.Decode(&p); errors.Is(err, io.EOF) {
			return packages
		} else if err != nil {
			t.Fatal(err)
		}
		packages = append(packages, p)
	}
}

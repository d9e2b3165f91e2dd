// Command chart writes what of charts/usher comes from elsewhere: the kinds, policies and roles from config/, the version from
// internal/version, and the table of values in README.md from values.yaml. With --check it writes nothing, and fails where
// something differs. `make manifests` runs it.
package main

import (
	"errors"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
)

func main() {
	check := flag.Bool("check", false, "write nothing; fail where a file differs from what it would be")
	root := flag.String("root", ".", "root of the repository")
	flag.Parse()
	if err := run(*root, *check); err != nil {
		fmt.Fprintln(os.Stderr, "chart:", err)
		os.Exit(1)
	}
}

func run(root string, check bool) error {
	files, err := generate(root)
	if err != nil {
		return err
	}
	stale, err := leftOver(root, files)
	if err != nil {
		return err
	}
	for _, name := range stale {
		if !check {
			if err := os.Remove(filepath.Join(root, name)); err != nil {
				return err
			}
		}
	}
	for name, text := range files {
		is, err := os.ReadFile(filepath.Join(root, name))
		if err != nil && !errors.Is(err, os.ErrNotExist) {
			return err
		}
		if err == nil && string(is) == text {
			continue
		}
		if stale = append(stale, name); check {
			continue
		}
		if err := os.MkdirAll(filepath.Dir(filepath.Join(root, name)), 0o755); err != nil {
			return err
		}
		if err := os.WriteFile(filepath.Join(root, name), []byte(text), 0o644); err != nil {
			return err
		}
	}
	if check && len(stale) > 0 {
		slices.Sort(stale)
		return fmt.Errorf("run make manifests; these are out of date: %s", strings.Join(stale, ", "))
	}
	return nil
}

// copied are the folders of the chart whose files come from config/, each with where they come from.
var copied = map[string][]string{
	"charts/usher/files/crds":      {"config/crd/bases/*.yaml"},
	"charts/usher/files/admission": {"config/admission/*.yaml"},
	"charts/usher/files/userroles": {"config/rbac/viewer_role.yaml", "config/rbac/editor_role.yaml", "config/rbac/administrator_role.yaml"},
	"charts/usher/files/operator":  {"config/rbac/role.yaml", "config/rbac/operator_role.yaml"},
}

// generate returns all files that are generated, by their names below root.
func generate(root string) (map[string]string, error) {
	files := map[string]string{}
	for folder, patterns := range copied {
		for _, pattern := range patterns {
			sources, err := filepath.Glob(filepath.Join(root, pattern))
			if err != nil || len(sources) == 0 {
				return nil, fmt.Errorf("nothing is at %s (%v)", pattern, err)
			}
			for _, source := range sources {
				if filepath.Base(source) == "kustomization.yaml" {
					continue
				}
				text, err := os.ReadFile(source)
				if err != nil {
					return nil, err
				}
				files[folder+"/"+filepath.Base(source)] = string(text)
			}
		}
	}
	for name, make := range map[string]func(root string) (string, error){"charts/usher/Chart.yaml": versioned, "charts/usher/README.md": documented} {
		text, err := make(root)
		if err != nil {
			return nil, err
		}
		files[name] = text
	}
	return files, nil
}

// leftOver returns what is in the chart's folders and comes from nowhere any more.
func leftOver(root string, files map[string]string) (stale []string, err error) {
	for folder := range copied {
		there, err := filepath.Glob(filepath.Join(root, folder, "*"))
		if err != nil {
			return nil, err
		}
		for _, path := range there {
			if name := folder + "/" + filepath.Base(path); files[name] == "" {
				stale = append(stale, name)
			}
		}
	}
	return stale, nil
}

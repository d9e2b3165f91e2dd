package chart

import (
	"crypto/sha256"
	"encoding/hex"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/usher-media/usher/internal/testenv"
	"github.com/usher-media/usher/internal/version"
)

const pinned = "images.example.org/media/usher@sha256:0e072dddd1f7f8fc8909a2ca6f65e76c5f0d2fcfb8be47935ae3457e8bbceb20"

// makeRelease makes a release with an image into a folder.
func makeRelease(t *testing.T, image ...string) string {
	t.Helper()
	folder, hooks := filepath.Join(t.TempDir(), "dist"), t.TempDir()
	hook := "#!/bin/sh\necho \"$2 $3\" >\"$1/from-the-hook\"\n"
	for name, mode := range map[string]os.FileMode{"10-more": 0o700, "README": 0o600} {
		if err := os.WriteFile(filepath.Join(hooks, name), []byte(hook), mode); err != nil {
			t.Fatal(err)
		}
	}
	command := exec.CommandContext(t.Context(), in(t, "hack", "release.sh"), append([]string{folder}, image...)...)
	command.Env = append(os.Environ(), "kubectl="+testenv.Get(t).Kubectl(), "RELEASE_HOOKS="+hooks)
	if out, err := command.CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	return folder
}

// TestRelease: the folder of a release is whole, of one version, and everything in it names the image.
func TestRelease(t *testing.T) {
	folder := makeRelease(t, pinned)
	chart := filepath.Join(folder, "usher-"+version.Number()+".tgz")
	out, err := helm(t, "template", release, chart, "--namespace", namespace)
	if err != nil {
		t.Fatal(err)
	}
	made := map[string][]*unstructured.Unstructured{"the chart": objects(t, out)}
	for _, name := range []string{"install.yaml", "install-namespaced.yaml", "crds.yaml"} {
		made[name] = objects(t, read(t, folder, name))
	}
	for name, all := range made {
		images := 0
		for _, pod := range pods(all) {
			if images++; pod.Spec.Containers[0].Image != pinned {
				t.Errorf("%s names the image %s", name, pod.Spec.Containers[0].Image)
			}
		}
		if want := map[bool]int{true: 0, false: 1}[name == "crds.yaml"]; images != want {
			t.Errorf("%s has %d operators, want %d", name, images, want)
		}
	}
	if n := len(made["crds.yaml"]); n != 6+2*8+3 {
		t.Errorf("crds.yaml has %d objects", n)
	}
	if n, less := len(made["install.yaml"]), len(made["the chart"]); n != less+1 {
		t.Errorf("install.yaml has %d objects, and the chart makes %d: only the namespace is its own", n, less)
	}
	if labels := made["the chart"][0].GetLabels(); labels["app.kubernetes.io/version"] != version.Number() || labels["helm.sh/chart"] != "usher-"+version.Number() {
		t.Errorf("the chart's objects are labelled %v, and the version is %s", labels, version.Number())
	}
	if changes := read(t, folder, "CHANGELOG.md"); !strings.HasPrefix(changes, "## ") || strings.Count(changes, "\n## ") != 0 {
		t.Errorf("CHANGELOG.md is not one section:\n%.200s", changes)
	}
	if got, want := read(t, folder, "from-the-hook"), version.Number()+" "+pinned+"\n"; got != want {
		t.Errorf("what adds to a release is told %q, want %q", got, want)
	}
	checkSums(t, folder)
}

func read(t *testing.T, folder, name string) string {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(folder, name))
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// checkSums compares every file with its sum.
func checkSums(t *testing.T, folder string) {
	t.Helper()
	sums := map[string]string{}
	for line := range strings.Lines(read(t, folder, "SHA256SUMS")) {
		sum, name, _ := strings.Cut(strings.TrimSpace(line), "  ")
		sums[name] = sum
	}
	files, err := os.ReadDir(folder)
	if err != nil || len(files) < 7 || len(sums) != len(files)-1 {
		t.Fatalf("%d files with %d sums: %v", len(files), len(sums), err)
	}
	for name, want := range sums {
		if sum := sha256.Sum256([]byte(read(t, folder, name))); hex.EncodeToString(sum[:]) != want {
			t.Errorf("%s is not what SHA256SUMS says", name)
		}
	}
}

// TestReleaseNamesAnImage: without an image, with a tag, with both.
func TestReleaseNamesAnImage(t *testing.T) {
	for given, want := range map[string]string{
		"":                                 "usher:" + version.Number(),
		"images.example.org:5000/usher":    "images.example.org:5000/usher:" + version.Number(),
		"images.example.org:5000/usher:v1": "images.example.org:5000/usher:v1",
		"images.example.org/usher:v1" + strings.TrimPrefix(pinned, "images.example.org/media/usher"): "images.example.org/usher:v1" + strings.TrimPrefix(pinned, "images.example.org/media/usher"),
	} {
		folder := makeRelease(t, strings.Fields(given)...)
		out, err := helm(t, "template", release, filepath.Join(folder, "usher-"+version.Number()+".tgz"))
		if err != nil {
			t.Fatal(err)
		}
		for what, all := range map[string][]*unstructured.Unstructured{"the chart": objects(t, out), "install.yaml": objects(t, read(t, folder, "install.yaml"))} {
			if got := pods(all)[0].Spec.Containers[0].Image; got != want {
				t.Errorf("given %q, %s names %s, want %s", given, what, got, want)
			}
		}
	}
}

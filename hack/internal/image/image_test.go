package image

import (
	"archive/tar"
	"bytes"
	"context"
	"debug/elf"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"

	"github.com/google/go-containerregistry/pkg/name"
	"github.com/google/go-containerregistry/pkg/registry"
	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/layout"
	"github.com/google/go-containerregistry/pkg/v1/mutate"
	"github.com/google/go-containerregistry/pkg/v1/remote"
	"github.com/google/go-containerregistry/pkg/v1/validate"
	"github.com/spdx/tools-golang/spdx/v2/v2_3"

	"github.com/usher-media/usher/internal/testenv"
)

const version = "v0.0.0-test"

// scratch of the image that the tests share.
var scratch string

func TestMain(m *testing.M) {
	dir, err := os.MkdirTemp("", "image-test-")
	if err != nil {
		panic(err)
	}
	scratch = dir
	code := m.Run()
	_ = os.RemoveAll(dir)
	os.Exit(code)
}

// sources is a copy of what images are built from, so that nothing changes it between two builds.
var sources = sync.OnceValues(func() (string, error) {
	root, err := testenv.Root()
	if err != nil {
		return "", err
	}
	dir := filepath.Join(scratch, "sources")
	return dir, copySources(root, dir)
})

func copySources(from, to string) error {
	for _, folder := range []string{"api", "cmd", "internal"} {
		if err := os.CopyFS(filepath.Join(to, folder), os.DirFS(filepath.Join(from, folder))); err != nil {
			return err
		}
	}
	for _, file := range []string{"go.mod", "go.sum"} {
		text, err := os.ReadFile(filepath.Join(from, file))
		if err != nil {
			return err
		}
		if err := os.WriteFile(filepath.Join(to, file), text, 0o644); err != nil {
			return err
		}
	}
	return nil
}

var shared = sync.OnceValues(func() (*Image, error) {
	root, err := sources()
	if err != nil {
		return nil, err
	}
	return Build(context.Background(), source(root), filepath.Join(scratch, "shared"))
})

func source(root string) Source {
	return Source{Root: root, Version: version, Platforms: Platforms(), Log: os.Stderr}
}

func built(t *testing.T) *Image {
	t.Helper()
	image, err := shared()
	if err != nil {
		t.Fatal(err)
	}
	return image
}

// native is the variant that this machine can run.
func native(t *testing.T) Variant {
	t.Helper()
	for _, variant := range built(t).Variants {
		if variant.Platform.Architecture == runtime.GOARCH {
			return variant
		}
	}
	t.Fatalf("there is no image for %s", runtime.GOARCH)
	return Variant{}
}

type digester interface{ Digest() (v1.Hash, error) }

func digest(t *testing.T, of digester) string {
	t.Helper()
	d, err := of.Digest()
	if err != nil {
		t.Fatal(err)
	}
	return d.String()
}

// TestSameSourcesMakeTheSameImage: another copy of the sources, in another folder, makes the same image and the same archive.
func TestSameSourcesMakeTheSameImage(t *testing.T) {
	root, err := sources()
	if err != nil {
		t.Fatal(err)
	}
	copied := t.TempDir()
	if err := copySources(root, copied); err != nil {
		t.Fatal(err)
	}
	again, err := Build(t.Context(), source(copied), filepath.Join(scratch, "again"))
	if err != nil {
		t.Fatal(err)
	}
	first := built(t)
	if a, b := digest(t, first.Index), digest(t, again.Index); a != b {
		t.Errorf("two builds have two digests: %s and %s", a, b)
	}
	for i := range first.Variants {
		if !bytes.Equal(first.Variants[i].SBOM, again.Variants[i].SBOM) {
			t.Errorf("two builds have two SBOMs for %s", first.Variants[i].Platform)
		}
	}
	if a, b := saved(t, first), saved(t, again); !bytes.Equal(a, b) {
		t.Error("two builds have two archives")
	}
}

// saved is the archive of an image.
func saved(t *testing.T, image *Image) []byte {
	t.Helper()
	paths, err := image.Save(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	if len(paths) != 1+len(image.Variants) {
		t.Fatalf("saved as %v", paths)
	}
	archive, err := os.ReadFile(paths[0])
	if err != nil {
		t.Fatal(err)
	}
	return archive
}

// TestPlatforms: the index has both platforms, and the programs in each are of its architecture.
func TestPlatforms(t *testing.T) {
	manifest, err := built(t).Index.IndexManifest()
	if err != nil {
		t.Fatal(err)
	}
	machines := map[string]elf.Machine{"linux/amd64": elf.EM_X86_64, "linux/arm64": elf.EM_AARCH64}
	if len(manifest.Manifests) != len(machines) {
		t.Errorf("the index names %d images", len(manifest.Manifests))
	}
	for i, variant := range built(t).Variants {
		if p := manifest.Manifests[i].Platform; p == nil || !p.Equals(variant.Platform) {
			t.Errorf("the index names %v as the platform of the image for %s", p, variant.Platform)
		}
		config, err := variant.ConfigFile()
		if err != nil {
			t.Fatal(err)
		}
		if got := config.OS + "/" + config.Architecture; got != variant.Platform.String() {
			t.Errorf("the image for %s says that it is for %s", variant.Platform, got)
		}
		files := contents(t, variant)
		for _, program := range programs {
			binary, err := elf.NewFile(bytes.NewReader(files[program].content))
			if err != nil {
				t.Fatal(err)
			}
			if want := machines[variant.Platform.String()]; binary.Machine != want {
				t.Errorf("/%s of %s is for %s", program, variant.Platform, binary.Machine)
			}
		}
	}
}

// contents are the files and folders of an image, as a container would have them.
func contents(t *testing.T, image v1.Image) map[string]entry {
	t.Helper()
	found := map[string]entry{}
	flat := mutate.Extract(image)
	defer func() { _ = flat.Close() }()
	archive := tar.NewReader(flat)
	for {
		header, err := archive.Next()
		if errors.Is(err, io.EOF) {
			return found
		}
		if err != nil {
			t.Fatal(err)
		}
		content, err := io.ReadAll(archive)
		if err != nil {
			t.Fatal(err)
		}
		if header.Uid != header.Gid {
			t.Errorf("/%s belongs to user %d and group %d", header.Name, header.Uid, header.Gid)
		}
		path := strings.TrimSuffix(header.Name, "/")
		found[path] = entry{path: path, mode: header.FileInfo().Mode(), owner: header.Uid, content: content}
	}
}

// listing shows entries as ls -ln would.
func listing(entries map[string]entry) string {
	var lines []string
	for path, e := range entries {
		lines = append(lines, fmt.Sprintf("/%s %s %d", path, e.mode, e.owner))
	}
	slices.Sort(lines)
	return strings.Join(lines, "\n")
}

// TestContent: an image holds the programs and what they need, nothing that an intruder could use, and runs as nobody.
func TestContent(t *testing.T) {
	want := strings.Join([]string{
		"/data drwxr-xr-x 65532",
		"/etc drwxr-xr-x 0",
		"/etc/passwd -rw-r--r-- 0",
		"/etc/ssl drwxr-xr-x 0",
		"/etc/ssl/certs drwxr-xr-x 0",
		"/etc/ssl/certs/ca-certificates.crt -rw-r--r-- 0",
		"/mediaserver -rwxr-xr-x 0",
		"/tmp dtrwxrwxrwx 0",
		"/usher -rwxr-xr-x 0",
	}, "\n")
	for _, variant := range built(t).Variants {
		if got := listing(contents(t, variant)); got != want {
			t.Errorf("%s holds\n%s\nnot\n%s", variant.Platform, got, want)
		}
		config, err := variant.ConfigFile()
		if err != nil {
			t.Fatal(err)
		}
		if config.Config.User != "65532:65532" {
			t.Errorf("%s runs as %q", variant.Platform, config.Config.User)
		}
	}
}

// TestProgramsRun: each program says its version with nothing around it but the image, as the user that the image names.
func TestProgramsRun(t *testing.T) {
	root := t.TempDir()
	for _, e := range contents(t, native(t)) {
		path := filepath.Join(root, e.path)
		if e.mode.IsDir() {
			if err := os.MkdirAll(path, e.mode.Perm()); err != nil {
				t.Fatal(err)
			}
			continue
		}
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, e.content, e.mode.Perm()); err != nil {
			t.Fatal(err)
		}
	}
	for _, program := range programs {
		command := exec.Command("/" + program)
		if os.Getuid() == 0 {
			command.SysProcAttr = &syscall.SysProcAttr{Chroot: root, Credential: &syscall.Credential{Uid: nonroot, Gid: nonroot}}
			command.Dir = "/data"
		} else {
			t.Log("not root: the programs run outside of their image")
			command = exec.Command(filepath.Join(root, program))
		}
		command.Args, command.Env = append(command.Args, "--version"), []string{"PATH=/"}
		out, err := command.CombinedOutput()
		if err != nil || !strings.HasPrefix(string(out), program+" "+version+" ") {
			t.Errorf("%s --version: %v, %q", program, err, out)
		}
	}
}

// TestSBOM: what the SBOM lists is what the Go tool finds in the programs.
func TestSBOM(t *testing.T) {
	for _, variant := range built(t).Variants {
		var document v2_3.Document
		if err := json.Unmarshal(variant.SBOM, &document); err != nil {
			t.Fatal(err)
		}
		listed := map[string]bool{}
		for _, p := range document.Packages {
			listed[p.PackageName+" "+p.PackageVersion] = true
		}
		if len(document.Relationships) < len(document.Packages) {
			t.Errorf("%d packages have %d relationships", len(document.Packages), len(document.Relationships))
		}
		inPrograms := map[string]bool{"usher " + version: true, "mediaserver " + version: true, "stdlib " + strings.TrimPrefix(runtime.Version(), "go"): true}
		for _, program := range programs {
			for _, module := range modules(t, contents(t, variant)[program].content) {
				inPrograms[module] = true
			}
		}
		if len(inPrograms) < 20 {
			t.Errorf("go version -m finds only %v", inPrograms)
		}
		for module := range inPrograms {
			if !listed[module] {
				t.Errorf("the SBOM of %s does not list %s", variant.Platform, module)
			}
		}
		for module := range listed {
			if !inPrograms[module] {
				t.Errorf("the SBOM of %s lists %s, which is not in it", variant.Platform, module)
			}
		}
	}
}

// modules are those that `go version -m` finds in a program.
func modules(t *testing.T, binary []byte) []string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "program")
	if err := os.WriteFile(path, binary, 0o755); err != nil {
		t.Fatal(err)
	}
	out, err := exec.Command("go", "version", "-m", path).Output()
	if err != nil {
		t.Fatal(err)
	}
	var found []string
	for line := range strings.Lines(string(out)) {
		switch fields := strings.Fields(line); {
		case len(fields) >= 3 && fields[0] == "dep":
			found = append(found, fields[1]+" "+fields[2])
		case len(fields) >= 3 && fields[0] == "=>":
			found[len(found)-1] = fields[1] + " " + fields[2]
		}
	}
	return found
}

// TestPushed: a registry has the image under its digest afterwards, and the SBOM of each platform beside it.
func TestPushed(t *testing.T) {
	server := httptest.NewServer(registry.New(registry.WithReferrersSupport(true), registry.Logger(log.New(io.Discard, "", 0))))
	defer server.Close()
	repository := strings.TrimPrefix(server.URL, "http://") + "/usher"
	image := built(t)
	if err := image.Push(t.Context(), repository+":"+version); err != nil {
		t.Fatal(err)
	}
	tag, err := name.ParseReference(repository + ":" + version)
	if err != nil {
		t.Fatal(err)
	}
	pulled, err := remote.Index(tag)
	if err != nil {
		t.Fatal(err)
	}
	if got, want := digest(t, pulled), digest(t, image.Index); got != want {
		t.Errorf("the registry has %s, not %s", got, want)
	}
	if err := validate.Index(pulled); err != nil {
		t.Error(err)
	}
	for _, variant := range image.Variants {
		if got := pulledSBOM(t, tag.Context(), digest(t, variant)); !bytes.Equal(got, variant.SBOM) {
			t.Errorf("the registry has another SBOM for %s: %q", variant.Platform, got)
		}
	}
}

// pulledSBOM is what refers to an image in a registry.
func pulledSBOM(t *testing.T, repository name.Repository, subject string) []byte {
	t.Helper()
	referrers, err := remote.Referrers(repository.Digest(subject))
	if err != nil {
		t.Fatal(err)
	}
	manifest, err := referrers.IndexManifest()
	if err != nil {
		t.Fatal(err)
	}
	if len(manifest.Manifests) != 1 || manifest.Manifests[0].ArtifactType != spdx {
		t.Fatalf("what refers to %s: %+v", subject, manifest.Manifests)
	}
	artifact, err := remote.Image(repository.Digest(manifest.Manifests[0].Digest.String()))
	if err != nil {
		t.Fatal(err)
	}
	layers, err := artifact.Layers()
	if err != nil || len(layers) != 1 {
		t.Fatalf("%d layers, %v", len(layers), err)
	}
	content, err := layers[0].Uncompressed()
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = content.Close() }()
	text, err := io.ReadAll(content)
	if err != nil {
		t.Fatal(err)
	}
	return text
}

// TestArchive: the archive is an OCI layout with this image in it, and no other.
func TestArchive(t *testing.T) {
	dir := t.TempDir()
	archive := tar.NewReader(bytes.NewReader(saved(t, built(t))))
	for {
		header, err := archive.Next()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			t.Fatal(err)
		}
		path := filepath.Join(dir, filepath.FromSlash(header.Name))
		if header.Typeflag == tar.TypeDir {
			if err := os.MkdirAll(path, 0o755); err != nil {
				t.Fatal(err)
			}
			continue
		}
		content, err := io.ReadAll(archive)
		if err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, content, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	index, err := layout.ImageIndexFromPath(dir)
	if err != nil {
		t.Fatal(err)
	}
	manifest, err := index.IndexManifest()
	if err != nil {
		t.Fatal(err)
	}
	if len(manifest.Manifests) != 1 || manifest.Manifests[0].Digest.String() != digest(t, built(t).Index) {
		t.Errorf("the archive holds %+v", manifest.Manifests)
	}
	if err := validate.Index(index); err != nil {
		t.Error(err)
	}
}

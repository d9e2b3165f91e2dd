package image

import (
	"context"
	"fmt"
	"io"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"time"

	v1 "github.com/google/go-containerregistry/pkg/v1"
)

// Source is what an image is built from.
type Source struct {
	// Root of a checkout of this repository.
	Root string
	// Version that the programs and the labels of the image name.
	Version string
	// Created is the time in the image and of each file in it. Zero: the start of 1970, which makes equal images of equal sources.
	Created time.Time
	// Platforms to build for.
	Platforms []v1.Platform
	// Log takes what the Go tool says.
	Log io.Writer
}

// Platforms that an image is for, where nothing else is said.
func Platforms() []v1.Platform {
	return []v1.Platform{{OS: "linux", Architecture: "amd64"}, {OS: "linux", Architecture: "arm64"}}
}

func (s Source) created() time.Time {
	if s.Created.IsZero() {
		return time.Unix(0, 0).UTC()
	}
	return s.Created.UTC()
}

// compile builds the programs for a platform into a folder.
func (s Source) compile(ctx context.Context, platform v1.Platform, dir string) error {
	var packages []string
	for _, name := range programs {
		packages = append(packages, "./cmd/"+name)
	}
	return s.build(ctx, platform, dir, packages...)
}

// build builds main packages for a platform into a folder. They need no C: SQLite is pure Go. Where the checkout lies, and what
// else is in it, is not in what is built.
func (s Source) build(ctx context.Context, platform v1.Platform, dir string, packages ...string) error {
	args := []string{"build", "-trimpath", "-buildvcs=false", "-ldflags=-s -w -X github.com/usher-media/usher/internal/version.stamped=" + s.Version, "-o", dir + string(filepath.Separator)}
	command := exec.CommandContext(ctx, "go", append(args, packages...)...)
	command.Dir = s.Root
	command.Env = append(os.Environ(), "CGO_ENABLED=0", "GOFLAGS=", "GOWORK=off", "GOOS="+platform.OS, "GOARCH="+platform.Architecture)
	if platform.Architecture == "amd64" {
		command.Env = append(command.Env, "GOAMD64=v1")
	}
	command.Stdout, command.Stderr = s.Log, s.Log
	if err := command.Run(); err != nil {
		return fmt.Errorf("build for %s: %w", platform, err)
	}
	return nil
}

// Stage writes the files of the image for a platform into a folder, for a build that makes the image itself, as the
// Dockerfile does. Owners are that build's to set.
func (s Source) Stage(ctx context.Context, platform v1.Platform, dir string) error {
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return err
	}
	if err := s.compile(ctx, platform, dir); err != nil {
		return err
	}
	for _, e := range surroundings() {
		if err := e.write(dir); err != nil {
			return err
		}
	}
	return nil
}

func (e entry) write(dir string) error {
	path := filepath.Join(dir, filepath.FromSlash(e.path))
	var err error
	if e.mode.IsDir() {
		err = os.MkdirAll(path, 0o755)
	} else {
		err = os.WriteFile(path, e.content, 0o644)
	}
	if err != nil {
		return err
	}
	return os.Chmod(path, e.mode&(fs.ModePerm|fs.ModeSticky)) // whatever the umask
}

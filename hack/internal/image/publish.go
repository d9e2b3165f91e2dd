package image

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"github.com/google/go-containerregistry/pkg/authn"
	"github.com/google/go-containerregistry/pkg/name"
	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/empty"
	"github.com/google/go-containerregistry/pkg/v1/layout"
	"github.com/google/go-containerregistry/pkg/v1/mutate"
	"github.com/google/go-containerregistry/pkg/v1/partial"
	"github.com/google/go-containerregistry/pkg/v1/remote"
	"github.com/google/go-containerregistry/pkg/v1/static"
	"github.com/google/go-containerregistry/pkg/v1/types"
)

// spdx is the media type of an SBOM, and the type of the artifact that holds it.
const spdx = "application/spdx+json"

// Save writes the image into a folder: an OCI archive, which container engines load, and an SBOM a platform. It returns the
// paths.
func (i *Image) Save(dir string) ([]string, error) {
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return nil, err
	}
	base := filepath.Join(dir, "usher-"+i.Version)
	paths := []string{base + ".oci.tar"}
	if err := i.archive(paths[0]); err != nil {
		return nil, err
	}
	for _, variant := range i.Variants {
		path := fmt.Sprintf("%s-%s.spdx.json", base, strings.ReplaceAll(variant.Platform.String(), "/", "-"))
		if err := os.WriteFile(path, variant.SBOM, 0o644); err != nil {
			return nil, err
		}
		paths = append(paths, path)
	}
	return paths, nil
}

// archive writes the image as an OCI layout in a tar file.
func (i *Image) archive(path string) (err error) {
	scratch, err := os.MkdirTemp(filepath.Dir(path), ".layout-*")
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(scratch)) }()
	written, err := layout.Write(scratch, empty.Index)
	if err != nil {
		return err
	}
	tag := layout.WithAnnotations(map[string]string{"org.opencontainers.image.ref.name": i.Version, "io.containerd.image.name": "docker.io/library/usher:" + i.Version})
	if err := written.AppendIndex(i.Index, tag); err != nil {
		return err
	}
	file, err := os.Create(path)
	if err != nil {
		return err
	}
	if err := writeFolder(file, scratch); err != nil {
		_ = file.Close()
		return err
	}
	return file.Close()
}

// writeFolder writes what is in a folder as a tar file in which no time and no owner of this machine is.
func writeFolder(w io.Writer, dir string) error {
	var entries []entry
	err := filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err != nil || path == dir {
			return err
		}
		relative, err := filepath.Rel(dir, path)
		if err != nil {
			return err
		}
		e := entry{path: filepath.ToSlash(relative), mode: 0o644, file: path}
		if d.IsDir() {
			e.mode, e.file = fs.ModeDir|0o755, ""
		}
		entries = append(entries, e)
		return nil
	})
	if err != nil {
		return err
	}
	return writeTar(w, entries, Source{}.created())
}

// Push writes the image to a registry under a reference such as registry.example/usher:v1, and the SBOM of each platform as
// an artifact that refers to it. Credentials are those of docker login; a registry on loopback may speak plain HTTP.
func (i *Image) Push(ctx context.Context, reference string) error {
	tag, err := name.ParseReference(reference)
	if err != nil {
		return err
	}
	options := []remote.Option{remote.WithContext(ctx), remote.WithAuthFromKeychain(authn.DefaultKeychain)}
	if err := remote.WriteIndex(tag, i.Index, options...); err != nil {
		return err
	}
	for _, variant := range i.Variants {
		artifact, err := variant.artifact()
		if err != nil {
			return err
		}
		digest, err := artifact.Digest()
		if err != nil {
			return err
		}
		if err := remote.Write(tag.Context().Digest(digest.String()), artifact, options...); err != nil {
			return err
		}
	}
	return nil
}

// artifact is the SBOM as something that a registry keeps beside the image.
func (v Variant) artifact() (v1.Image, error) {
	subject, err := partial.Descriptor(v.Image)
	if err != nil {
		return nil, err
	}
	artifact := mutate.ConfigMediaType(mutate.MediaType(empty.Image, types.OCIManifestSchema1), spdx)
	if artifact, err = mutate.AppendLayers(artifact, static.NewLayer(v.SBOM, spdx)); err != nil {
		return nil, err
	}
	referring, ok := mutate.Subject(artifact, *subject).(v1.Image)
	if !ok {
		return nil, errors.New("an image with a subject is no image")
	}
	return referring, nil
}

// Package image builds the container image that the Dockerfile describes, without a container engine: the same sources make
// the same image, down to its digest, on whichever machine.
package image

import (
	"compress/gzip"
	"context"
	"fmt"
	"os"
	"path"
	"path/filepath"
	"strings"

	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/empty"
	"github.com/google/go-containerregistry/pkg/v1/mutate"
	"github.com/google/go-containerregistry/pkg/v1/tarball"
	"github.com/google/go-containerregistry/pkg/v1/types"
)

// Image is an image for one or more platforms.
type Image struct {
	// Index names the image of each platform.
	Index v1.ImageIndex
	// Variants of the image, one a platform.
	Variants []Variant
	// Version that the image is of.
	Version string
}

// Variant is the image for one platform.
type Variant struct {
	v1.Image
	// Platform that it is for.
	Platform v1.Platform
	// SBOM lists what is in it, as an SPDX document in JSON.
	SBOM []byte
}

// Build builds the image of a source. Its layers are files in the folder scratch, which must outlive the image.
func Build(ctx context.Context, s Source, scratch string) (*Image, error) {
	built := &Image{Version: s.Version}
	var additions []mutate.IndexAddendum
	for _, platform := range s.Platforms {
		dir := filepath.Join(scratch, strings.ReplaceAll(platform.String(), "/", "-"))
		variant, err := s.variant(ctx, platform, dir)
		if err != nil {
			return nil, fmt.Errorf("image for %s: %w", platform, err)
		}
		built.Variants = append(built.Variants, variant)
		additions = append(additions, mutate.IndexAddendum{Add: variant.Image, Descriptor: v1.Descriptor{Platform: &platform}})
	}
	index := mutate.IndexMediaType(empty.Index, types.OCIImageIndex)
	annotated, ok := mutate.Annotations(mutate.AppendManifests(index, additions...), s.labels()).(v1.ImageIndex)
	if !ok {
		return nil, fmt.Errorf("an annotated index is no index")
	}
	built.Index = annotated
	return built, nil
}

func (s Source) variant(ctx context.Context, platform v1.Platform, dir string) (Variant, error) {
	bin := filepath.Join(dir, "bin")
	if err := os.MkdirAll(bin, 0o755); err != nil {
		return Variant{}, err
	}
	if err := s.compile(ctx, platform, bin); err != nil {
		return Variant{}, err
	}
	base, err := s.layer(filepath.Join(dir, "base.tar"), surroundings(), "certificates, user and folders")
	if err != nil {
		return Variant{}, err
	}
	added, err := s.layer(filepath.Join(dir, "programs.tar"), binaries(bin, programs...), strings.Join(programs, " and "))
	if err != nil {
		return Variant{}, err
	}
	image, err := s.assemble(platform, s.config(), base, added)
	if err != nil {
		return Variant{}, err
	}
	sbom, err := s.sbom(image, platform, bin)
	return Variant{Image: image, Platform: platform, SBOM: sbom}, err
}

// Single builds an image with one program of the checkout and nothing else, for the first of the source's platforms.
func Single(ctx context.Context, s Source, pkg, scratch string) (v1.Image, error) {
	if err := os.MkdirAll(scratch, 0o755); err != nil {
		return nil, err
	}
	if err := s.build(ctx, s.Platforms[0], scratch, pkg); err != nil {
		return nil, err
	}
	name := path.Base(pkg)
	layer, err := s.layer(filepath.Join(scratch, "layer.tar"), binaries(scratch, name), name)
	if err != nil {
		return nil, err
	}
	return s.assemble(s.Platforms[0], v1.Config{Entrypoint: []string{"/" + name}, User: user}, layer)
}

// assemble makes an image of layers.
func (s Source) assemble(platform v1.Platform, how v1.Config, layers ...mutate.Addendum) (v1.Image, error) {
	image, err := mutate.Append(mutate.ConfigMediaType(mutate.MediaType(empty.Image, types.OCIManifestSchema1), types.OCIConfigJSON), layers...)
	if err != nil {
		return nil, err
	}
	config, err := image.ConfigFile()
	if err != nil {
		return nil, err
	}
	config = config.DeepCopy()
	config.Created, config.OS, config.Architecture, config.Config = v1.Time{Time: s.created()}, platform.OS, platform.Architecture, how
	return mutate.ConfigFile(image, config)
}

// layer writes entries into a tar file and makes a layer of it.
func (s Source) layer(path string, entries []entry, comment string) (mutate.Addendum, error) {
	file, err := os.Create(path)
	if err != nil {
		return mutate.Addendum{}, err
	}
	if err := writeTar(file, entries, s.created()); err != nil {
		_ = file.Close()
		return mutate.Addendum{}, err
	}
	if err := file.Close(); err != nil {
		return mutate.Addendum{}, err
	}
	layer, err := tarball.LayerFromFile(path, tarball.WithMediaType(types.OCILayer),
		tarball.WithCompressionLevel(gzip.DefaultCompression), tarball.WithCompressedCaching)
	history := v1.History{Created: v1.Time{Time: s.created()}, CreatedBy: "hack/image", Comment: comment}
	return mutate.Addendum{Layer: layer, History: history, MediaType: types.OCILayer}, err
}

// user and group that containers run as.
var user = fmt.Sprintf("%d:%[1]d", nonroot)

// config is how a container of the image runs. The Dockerfile says the same.
func (s Source) config() v1.Config {
	return v1.Config{
		User:       user,
		WorkingDir: "/data",
		Entrypoint: []string{"/usher"},
		Env:        []string{"PATH=/"},
		Labels:     s.labels(),
	}
}

func (s Source) labels() map[string]string {
	return map[string]string{
		"org.opencontainers.image.title":       "usher",
		"org.opencontainers.image.description": "Access-as-code for self-hosted media servers: the operator and the embedded media server",
		"org.opencontainers.image.licenses":    "Apache-2.0",
		"org.opencontainers.image.version":     s.Version,
	}
}

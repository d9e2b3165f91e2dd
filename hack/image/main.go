// Command image builds Usher's container image without a container engine: `make image`.
package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"os"
	"os/signal"
	"strconv"
	"strings"
	"syscall"
	"time"

	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/spf13/pflag"

	"github.com/usher-media/usher/hack/internal/image"
	"github.com/usher-media/usher/internal/testenv"
	"github.com/usher-media/usher/internal/version"
)

type options struct {
	out, push, stage, version string
	platforms                 []string
}

func main() {
	var o options
	pflag.StringVar(&o.out, "out", "bin/image", "folder for the OCI archive and the SBOMs")
	pflag.StringVar(&o.push, "push", "", "push the image under this reference, as registry.example/usher:v1")
	pflag.StringVar(&o.stage, "stage", "", "only write the files of the image into this folder; for the Dockerfile")
	pflag.StringVar(&o.version, "version", "", "version of the build (default: that of internal/version)")
	pflag.StringSliceVar(&o.platforms, "platform", nil, "platforms to build for (default: linux/amd64 and linux/arm64)")
	pflag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	if err := run(ctx, o); err != nil {
		fmt.Fprintln(os.Stderr, "image:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, o options) (err error) {
	source, err := o.source()
	if err != nil {
		return err
	}
	if o.stage != "" {
		if len(source.Platforms) != 1 {
			return errors.New("--stage needs one --platform")
		}
		return source.Stage(ctx, source.Platforms[0], o.stage)
	}
	scratch, err := os.MkdirTemp("", "usher-image-")
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(scratch)) }()
	fmt.Printf("  … building usher %s for %s\n", source.Version, strings.Join(names(source.Platforms), ", "))
	built, err := image.Build(ctx, source, scratch)
	if err != nil {
		return err
	}
	paths, err := built.Save(o.out)
	if err != nil {
		return err
	}
	for _, path := range paths {
		fmt.Println("  ✓", path)
	}
	digest, err := built.Index.Digest()
	if err != nil {
		return err
	}
	if o.push != "" {
		if err := built.Push(ctx, o.push); err != nil {
			return fmt.Errorf("push %s: %w", o.push, err)
		}
		fmt.Println("  ✓ pushed", o.push)
	}
	fmt.Println("  digest", digest)
	return nil
}

// source is what the flags and the environment say to build.
func (o options) source() (image.Source, error) {
	root, err := testenv.Root()
	if err != nil {
		return image.Source{}, err
	}
	source := image.Source{Root: root, Version: cmp.Or(o.version, version.Number()), Platforms: image.Platforms(), Log: os.Stderr}
	if len(o.platforms) > 0 {
		source.Platforms = nil
	}
	for _, text := range o.platforms {
		platform, err := v1.ParsePlatform(text)
		if err != nil {
			return image.Source{}, fmt.Errorf("--platform %s: %w", text, err)
		}
		source.Platforms = append(source.Platforms, *platform)
	}
	if text := os.Getenv("SOURCE_DATE_EPOCH"); text != "" {
		seconds, err := strconv.ParseInt(text, 10, 64)
		if err != nil {
			return image.Source{}, fmt.Errorf("SOURCE_DATE_EPOCH: %w", err)
		}
		source.Created = time.Unix(seconds, 0)
	}
	return source, nil
}

func names(platforms []v1.Platform) []string {
	var all []string
	for _, platform := range platforms {
		all = append(all, platform.String())
	}
	return all
}

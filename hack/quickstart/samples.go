package main

import (
	"context"
	"os"
	"path/filepath"
	"strings"

	"github.com/usher-media/usher/internal/testenv"
)

// namespace that the samples are in.
const namespace = "media"

// samples returns the folder to apply: config/samples as it is, or a copy where the media server listens on another
// port or the media lie elsewhere than the samples say.
func (q *quickstart) samples() (string, error) {
	original := filepath.Join(q.root, "config", "samples")
	changes := strings.NewReplacer("http://"+samplesAddress, q.serverURL)
	if q.link == "" {
		changes = strings.NewReplacer("http://"+samplesAddress, q.serverURL, samplesPrefix, q.dir)
	} else if q.serverURL == "http://"+samplesAddress {
		return original, nil
	}
	copied := filepath.Join(q.dir, "samples")
	if err := os.MkdirAll(copied, 0o755); err != nil {
		return "", err
	}
	files, err := filepath.Glob(filepath.Join(original, "*.yaml"))
	if err != nil {
		return "", err
	}
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			return "", err
		}
		if err := os.WriteFile(filepath.Join(copied, filepath.Base(file)), []byte(changes.Replace(string(text))), 0o644); err != nil {
			return "", err
		}
	}
	return copied, nil
}

// applySamples does what the README tells people to do.
func (q *quickstart) applySamples(ctx context.Context) error {
	dir, err := q.samples()
	if err != nil {
		return err
	}
	if _, err := q.kubectl(ctx, "apply", "-f", dir); err != nil {
		return err
	}
	objects, err := testenv.Objects(dir)
	if err != nil {
		return err
	}
	q.out.ok("kubectl apply -f %s: %d objects", q.relative(dir), len(objects))
	return nil
}

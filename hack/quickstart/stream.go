package main

import (
	"bytes"
	"context"
	"fmt"
	"net/http"
	"os"
	"path/filepath"

	"github.com/usher-media/usher/hack/internal/household"
)

// stream plays a part of a file as somebody who may, and compares it with the file on disk.
func (p *proof) stream(ctx context.Context) error {
	const listener, from, to = "leo", 1000, 1999
	for _, item := range p.items[household.KidsMovies] {
		if filepath.Ext(item.Path) != ".wav" {
			continue
		}
		status, header, body, err := p.people[listener].Do(ctx, http.MethodGet, "/v1/items/"+item.ID+"/stream", nil,
			"Range", fmt.Sprintf("bytes=%d-%d", from, to))
		if err != nil {
			return err
		}
		onDisk, err := os.ReadFile(filepath.Join(p.media(), "kids-movies", filepath.FromSlash(item.Path)))
		if err != nil {
			return err
		}
		wanted := fmt.Sprintf("bytes %d-%d/%d", from, to, len(onDisk))
		holds := status == http.StatusPartialContent && header.Get("Content-Range") == wanted && bytes.Equal(body, onDisk[from:to+1])
		p.line(holds, "%-9s streams %s of %q: %d, %d bytes", listener, wanted, item.Title, status, len(body))
		return nil
	}
	return fmt.Errorf("%s holds no sound", household.KidsMovies)
}

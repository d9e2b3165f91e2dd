package shishotest

import (
	"archive/zip"
	"context"
	"fmt"
	"io"
	"net/http"
	"os"
	"strconv"
	"time"
)

// WriteBook writes the smallest EPUB that has a title and an author.
func WriteBook(path, title string) (err error) {
	file, err := os.Create(path)
	if err != nil {
		return err
	}
	defer func() {
		if failed := file.Close(); err == nil {
			err = failed
		}
	}()
	archive := zip.NewWriter(file)
	for _, part := range []struct{ name, text string }{
		{"mimetype", "application/epub+zip"},
		{"META-INF/container.xml", `<?xml version="1.0"?><container version="1.0" xmlns="urn:oasis:names:tc:opendocument:xmlns:container"><rootfiles><rootfile full-path="content.opf" media-type="application/oebps-package+xml"/></rootfiles></container>`},
		{"content.opf", fmt.Sprintf(`<?xml version="1.0"?><package xmlns="http://www.idpf.org/2007/opf" version="3.0" unique-identifier="id"><metadata xmlns:dc="http://purl.org/dc/elements/1.1/"><dc:identifier id="id">%s</dc:identifier><dc:title>%s</dc:title><dc:creator>An Author</dc:creator><dc:language>en</dc:language></metadata><manifest><item id="page" href="page.xhtml" media-type="application/xhtml+xml"/></manifest><spine><itemref idref="page"/></spine></package>`, title, title)},
		{"page.xhtml", `<?xml version="1.0"?><html xmlns="http://www.w3.org/1999/xhtml"><head><title>Page</title></head><body><p>Once upon a time.</p></body></html>`},
	} {
		// The first part is told by its first bytes, so none is compressed.
		writer, err := archive.CreateHeader(&zip.FileHeader{Name: part.name, Method: zip.Store})
		if err != nil {
			return err
		}
		if _, err := io.WriteString(writer, part.text); err != nil {
			return err
		}
	}
	return archive.Close()
}

const (
	scanTime  = 2 * time.Minute
	scanEvery = 200 * time.Millisecond
)

// Scan asks a real server to scan, after a scan that is under way, and waits until it has. The visitor needs the
// permission jobs:write.
func (v *Visitor) Scan(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, scanTime)
	defer cancel()
	tick := time.NewTicker(scanEvery)
	defer tick.Stop()
	var job struct {
		ID     int
		Status string
	}
	for {
		if job.ID == 0 {
			status, err := v.Call(ctx, http.MethodPost, "/jobs", map[string]any{"type": "scan", "data": map[string]any{}}, &job)
			if err != nil || (status != http.StatusOK && status != http.StatusConflict) {
				return fmt.Errorf("asked for a scan: status %d: %w", status, err)
			}
		} else if err := v.must(ctx, http.MethodGet, "/jobs/"+strconv.Itoa(job.ID), nil, &job); err != nil {
			return err
		}
		switch job.Status {
		case "completed":
			return nil
		case "failed":
			return fmt.Errorf("the scan failed")
		}
		select {
		case <-tick.C:
		case <-ctx.Done():
			return fmt.Errorf("no scan in time: the server needs WORKER_PROCESSES=1: %w", ctx.Err())
		}
	}
}

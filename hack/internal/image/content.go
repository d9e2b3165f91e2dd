package image

import (
	"archive/tar"
	"bytes"
	"cmp"
	"encoding/pem"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"time"

	"golang.org/x/crypto/x509roots/fallback/bundle"
)

// nonroot is the user and the group that the programs run as.
const nonroot = 65532

// programs of the image, each a folder below cmd/ and a file in the root of the image.
var programs = []string{"usher", "mediaserver"}

// entry is one file or folder of the image.
type entry struct {
	// path in the image, without the slash that it begins with.
	path string
	mode fs.FileMode
	// owner is both its user and its group.
	owner int
	// content of a file, or where on disk it lies.
	content []byte
	file    string
}

// surroundings is what programs need in an image without a distribution: certificates, and a home for data that is not root's.
func surroundings() []entry {
	return []entry{
		{path: "data", mode: fs.ModeDir | 0o755, owner: nonroot},
		{path: "etc", mode: fs.ModeDir | 0o755},
		{path: "etc/passwd", mode: 0o644, content: fmt.Appendf(nil, "nonroot:x:%d:%[1]d:nonroot:/data:/sbin/nologin\n", nonroot)},
		{path: "etc/ssl", mode: fs.ModeDir | 0o755},
		{path: "etc/ssl/certs", mode: fs.ModeDir | 0o755},
		{path: "etc/ssl/certs/ca-certificates.crt", mode: 0o644, content: certificates()},
		{path: "tmp", mode: fs.ModeDir | fs.ModeSticky | 0o777},
	}
}

// binaries are the programs that were built into a folder.
func binaries(dir string, names ...string) []entry {
	var entries []entry
	for _, name := range names {
		entries = append(entries, entry{path: name, mode: 0o755, file: filepath.Join(dir, name)})
	}
	slices.SortFunc(entries, func(a, b entry) int { return cmp.Compare(a.path, b.path) })
	return entries
}

// certificates are the roots that Mozilla trusts, from a module that go.sum pins: those of the machine would make another
// image on another machine. Roots trusted under a condition are left out, since a file of certificates cannot say it.
func certificates() []byte {
	var out bytes.Buffer
	for root := range bundle.Roots() {
		if root.Constraint == nil {
			_ = pem.Encode(&out, &pem.Block{Type: "CERTIFICATE", Bytes: root.Certificate}) // a bytes.Buffer takes everything
		}
	}
	return out.Bytes()
}

// writeTar writes entries as they lie in a layer. Nothing in it depends on when or by whom it is made.
func writeTar(w io.Writer, entries []entry, at time.Time) error {
	archive := tar.NewWriter(w)
	for _, e := range entries {
		header := &tar.Header{
			Typeflag: tar.TypeReg, Name: e.path, Mode: int64(e.mode.Perm()), Uid: e.owner, Gid: e.owner, ModTime: at,
			Format: tar.FormatPAX, Size: int64(len(e.content)),
		}
		if e.mode&fs.ModeSticky != 0 {
			header.Mode |= 0o1000
		}
		var content io.Reader = bytes.NewReader(e.content)
		switch {
		case e.mode.IsDir():
			header.Typeflag, header.Name = tar.TypeDir, e.path+"/"
		case e.file != "":
			file, err := os.Open(e.file)
			if err != nil {
				return err
			}
			defer func() { _ = file.Close() }()
			info, err := file.Stat()
			if err != nil {
				return err
			}
			header.Size, content = info.Size(), file
		}
		if err := archive.WriteHeader(header); err != nil {
			return err
		}
		if _, err := io.Copy(archive, content); err != nil {
			return err
		}
	}
	return archive.Close()
}

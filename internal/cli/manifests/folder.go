package manifests

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/usher-media/usher/internal/cli/importer"
)

// The files of a folder.
const (
	ServerFile    = "mediaserver.yaml"
	LibrariesFile = "libraries.yaml"
	UsersFile     = "users.yaml"
	GrantsFile    = "librarygrants.yaml"
	KustomizeFile = "kustomization.yaml"
	ReadmeFile    = "README.md"
	IgnoreFile    = ".gitignore"
)

// file is one of a folder.
type file struct {
	name string
	text []byte
}

// Write writes a household to a folder that is not there yet, or is empty. Prove is called with what was written, as it was read
// back; where it returns an error, nothing stays.
func Write(folder string, household importer.Household, prove func(importer.Household) error) (err error) {
	if err := mayBeMade(folder); err != nil {
		return err
	}
	files, err := render(household)
	if err != nil {
		return err
	}
	if err := os.MkdirAll(filepath.Dir(filepath.Clean(folder)), 0o755); err != nil {
		return err
	}
	draft, err := os.MkdirTemp(filepath.Dir(filepath.Clean(folder)), ".import-*")
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(draft)) }()
	for _, f := range files {
		if err := os.WriteFile(filepath.Join(draft, f.name), f.text, 0o644); err != nil {
			return err
		}
	}
	written, err := Read(draft)
	if err != nil {
		return fmt.Errorf("read what was written: %w", err)
	}
	written.LeftOut = household.LeftOut
	if err := prove(written); err != nil {
		return err
	}
	if err := os.Chmod(draft, 0o755); err != nil {
		return err
	}
	if err := os.Remove(folder); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	return os.Rename(draft, folder)
}

// mayBeMade refuses a folder that holds something: what people wrote there is not replaced.
func mayBeMade(folder string) error {
	entries, err := os.ReadDir(folder)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return nil
	case err != nil:
		return err
	case len(entries) > 0:
		return fmt.Errorf("%s is not empty, and nothing in it is replaced: name a new folder", folder)
	}
	return nil
}

func render(h importer.Household) ([]file, error) {
	var server, libraries, users, grants bytes.Buffer
	write := func(out *bytes.Buffer, kind, name string, object any) error {
		text, err := Document(object, h.Comments[importer.Key(kind, name)])
		if err != nil {
			return fmt.Errorf("write %s %s: %w", kind, name, err)
		}
		if out.Len() > 0 {
			out.WriteString("---\n")
		}
		out.Write(text)
		return nil
	}
	var errs []error
	server.WriteString(serverHead)
	text, err := Document(h.Server, "")
	errs = append(errs, err)
	server.Write(text)
	for i := range h.Libraries {
		errs = append(errs, write(&libraries, "Library", h.Libraries[i].Name, h.Libraries[i]))
	}
	for i := range h.Users {
		errs = append(errs, write(&users, "User", h.Users[i].Name, h.Users[i]))
	}
	for i := range h.Grants {
		errs = append(errs, write(&grants, "LibraryGrant", h.Grants[i].Name, h.Grants[i]))
	}
	files := []file{{ServerFile, server.Bytes()}}
	for _, f := range []struct {
		file
		head string
	}{{file{LibrariesFile, libraries.Bytes()}, librariesHead}, {file{UsersFile, users.Bytes()}, usersHead}, {file{GrantsFile, grants.Bytes()}, grantsHead}} {
		if len(f.text) > 0 {
			files = append(files, file{f.name, append([]byte(f.head), f.text...)})
		}
	}
	kustomization := kustomizeHead
	for _, f := range files {
		kustomization += "- " + f.name + "\n"
	}
	files = append(files, file{KustomizeFile, []byte(kustomization)}, file{IgnoreFile, []byte(ignore)}, file{ReadmeFile, []byte(readme(h))})
	return files, errors.Join(errs...)
}

package mediafile

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
)

// NotAllowedError says that a directory is no existing directory below a root folder. Its text is for administrators: it
// names the allowed root folders.
type NotAllowedError struct {
	// Path is the directory as it was asked for.
	Path string
	// Reason says what is wrong with it.
	Reason string
	// Roots are the allowed root folders, as configured.
	Roots []string
}

// Error says what is wrong and which root folders are allowed.
func (e *NotAllowedError) Error() string {
	if len(e.Roots) == 0 {
		return e.Reason + "; this server has no root folder, start it with --media-root"
	}
	return fmt.Sprintf("%s; allowed root folders: %s", e.Reason, strings.Join(e.Roots, ", "))
}

// Roots are the folders below which media may lie. The zero value allows nothing.
type Roots struct {
	folders []string
	// private is the folder of the personal libraries, or empty.
	private string
}

// WithPrivate returns roots that allow the folder of the personal libraries, too: to be read, but not to be chosen for
// any other library, be it from above or below.
func (r Roots) WithPrivate(folder string) Roots {
	r.private = folder
	return r
}

// NewRoots returns the given folders as roots. Each must be an absolute path; it may come into being later, as a disk
// that is mounted late does, and allows nothing until then.
func NewRoots(folders []string) (Roots, error) {
	for _, folder := range folders {
		if !filepath.IsAbs(folder) {
			return Roots{}, fmt.Errorf("root folder %q must be an absolute path", folder)
		}
	}
	return Roots{folders: slices.Clone(folders)}, nil
}

// Check reports whether dir can be a library's directory now: an existing, readable directory that lies below a root
// folder (or is one) once all symbolic links are followed. The error is an *NotAllowedError.
func (r Roots) Check(dir string) error {
	if r.private != "" && (within(r.private, dir) || within(dir, r.private)) {
		return r.refuse(dir, "holds people's personal libraries")
	}
	opened, err := r.openDir(dir)
	if err != nil {
		return err
	}
	return opened.Close()
}

// within reports whether the inner directory is the outer one or lies below it, once links are followed.
func within(inner, outer string) bool {
	rel, err := filepath.Rel(followed(outer), followed(inner))
	return err == nil && filepath.IsLocal(rel)
}

// followed follows the links in a path as far as it exists.
func followed(path string) string {
	if resolved, err := filepath.EvalSymlinks(path); err == nil {
		return resolved
	}
	parent, name := filepath.Split(filepath.Clean(path))
	if parent = filepath.Clean(parent); parent == filepath.Clean(path) {
		return path
	}
	return filepath.Join(followed(parent), name)
}

// openDir opens dir so that nothing outside of it can be reached through the result. Links are followed twice: once by
// name, to find the root folder that holds dir, and once by os.Root, which holds even when a link changes meanwhile.
func (r Roots) openDir(dir string) (*os.Root, error) {
	resolved, err := filepath.EvalSymlinks(dir)
	if err != nil {
		return nil, r.refuse(dir, missing(err))
	}
	folder, rel, found := r.locate(resolved)
	if !found {
		return nil, r.refuse(dir, "lies outside of the root folders")
	}
	root, err := os.OpenRoot(folder)
	if err != nil {
		return nil, r.refuse(dir, missing(err))
	}
	defer func() { _ = root.Close() }()
	opened, err := root.OpenRoot(rel)
	if err != nil {
		return nil, r.refuse(dir, missing(err))
	}
	return opened, nil
}

// locate returns the root folder that holds the resolved directory, and the way from there to it.
func (r Roots) locate(resolved string) (folder, rel string, found bool) {
	folders := r.folders
	if r.private != "" {
		folders = append(slices.Clone(folders), r.private)
	}
	for _, folder := range folders {
		folder, err := filepath.EvalSymlinks(folder)
		if err != nil {
			continue
		}
		rel, err := filepath.Rel(folder, resolved)
		if err == nil && filepath.IsLocal(rel) {
			return folder, rel, true
		}
	}
	return "", "", false
}

func (r Roots) refuse(dir, reason string) error {
	return &NotAllowedError{Path: dir, Reason: reason, Roots: slices.Clone(r.folders)}
}

// missing puts the usual file system errors into words.
func missing(err error) string {
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return "does not exist"
	case errors.Is(err, fs.ErrPermission):
		return "cannot be read by this server"
	case errors.Is(err, syscall.ENOTDIR):
		return "is not a directory"
	default:
		return "cannot be opened as a directory"
	}
}

// File is an open media file with the facts that streaming needs. Close it.
type File struct {
	*os.File
	Info fs.FileInfo
}

// Open opens the regular file at rel (slash-separated) within the library directory dir. It fails with fs.ErrNotExist
// for whatever cannot be reached without leaving dir, and for what is not a regular file.
func (r Roots) Open(dir, rel string) (*File, error) {
	root, err := r.openDir(dir)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", fs.ErrNotExist, err)
	}
	defer func() { _ = root.Close() }()
	// Without O_NONBLOCK a named pipe that took the file's place would hold the request for ever.
	file, err := root.OpenFile(filepath.FromSlash(rel), os.O_RDONLY|syscall.O_NONBLOCK, 0)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", fs.ErrNotExist, err)
	}
	info, err := file.Stat()
	if err != nil || !info.Mode().IsRegular() {
		_ = file.Close()
		return nil, fs.ErrNotExist
	}
	return &File{File: file, Info: info}, nil
}

// Folders lists the root folders, as configured. The caller owns the slice.
func (r Roots) Folders() []string { return slices.Clone(r.folders) }

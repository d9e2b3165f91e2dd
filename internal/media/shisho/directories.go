package shisho

import (
	"context"
	"net/url"
	"path"
)

// directory is one page of a directory's entries.
type directory struct {
	CurrentPath string `json:"current_path"`
	Entries     []struct {
		Name  string `json:"name"`
		IsDir bool   `json:"is_dir"`
	} `json:"entries"`
}

// Check implements wire.Checker.
func (d *directory) Check() error { return form(d.CurrentPath != "" && d.Entries != nil) }

// isFile says whether a path is a file: the server answers 500 for one (contract, section 5), as it does when it
// failed, so its directory is looked at.
func (d *Driver) isFile(ctx context.Context, name string) bool {
	var parent directory
	err := d.browse(ctx, url.Values{
		"path": {path.Dir(name)}, "search": {path.Base(name)}, "limit": {"100"}, "show_hidden": {"true"},
	}, &parent)
	if err != nil {
		return false
	}
	for _, entry := range parent.Entries {
		if entry.Name == path.Base(name) {
			return !entry.IsDir
		}
	}
	return false
}

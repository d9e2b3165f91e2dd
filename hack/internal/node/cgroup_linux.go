package node

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"time"
)

// hierarchy is a mounted hierarchy of cgroups, version 1.
type hierarchy struct {
	// mount is where it is mounted, options are what it is mounted with: its controllers, or its name.
	mount, options string
	// own is the cgroup that this process is in.
	own string
}

// hierarchies are those that are mounted. Only version 1 is known here; the unified one beside it is left alone.
func hierarchies() ([]hierarchy, error) {
	mounts, err := os.ReadFile("/proc/self/mountinfo")
	if err != nil {
		return nil, err
	}
	memberships, err := os.ReadFile("/proc/self/cgroup")
	if err != nil {
		return nil, err
	}
	return parseHierarchies(string(mounts), string(memberships)), nil
}

func parseHierarchies(mounts, memberships string) []hierarchy {
	own := map[string]string{}
	for line := range strings.Lines(memberships) {
		parts := strings.SplitN(strings.TrimSpace(line), ":", 3)
		if len(parts) == 3 {
			own[parts[1]] = parts[2]
		}
	}
	var found []hierarchy
	for line := range strings.Lines(mounts) {
		before, after, ok := strings.Cut(strings.TrimSpace(line), " - ")
		left, right := strings.Fields(before), strings.Fields(after)
		if !ok || len(left) < 5 || len(right) < 3 || right[0] != "cgroup" {
			continue
		}
		options := slices.DeleteFunc(strings.Split(right[2], ","), func(o string) bool {
			return o == "rw" || o == "ro" || o == "xattr" || o == "clone_children" || strings.HasPrefix(o, "release_agent")
		})
		h := hierarchy{mount: left[4], options: strings.Join(options, ",")}
		if path, known := own[h.options]; known {
			h.own = path
			found = append(found, h)
		}
	}
	return found
}

// dir is the folder of a cgroup below the one that this process is in.
func (h hierarchy) dir(name string) string { return filepath.Join(h.mount, h.own, name) }

// cgroups is a cgroup of the same name in each hierarchy.
type cgroups struct {
	name string
	in   []hierarchy
}

// newCgroups makes cgroups below those that this process is in.
func newCgroups(name string) (*cgroups, error) {
	in, err := hierarchies()
	if err != nil {
		return nil, err
	}
	c := &cgroups{name: name, in: in}
	for _, controller := range []string{"cpu", "memory", "devices", "pids", "freezer"} {
		if !slices.ContainsFunc(in, func(h hierarchy) bool { return slices.Contains(strings.Split(h.options, ","), controller) }) {
			return nil, fmt.Errorf("no hierarchy of cgroups version 1 with the controller %s is mounted", controller)
		}
	}
	for _, h := range in {
		if err := os.Mkdir(h.dir(name), 0o755); err != nil {
			return nil, errors.Join(err, c.remove())
		}
		if !slices.Contains(strings.Split(h.options, ","), "cpuset") {
			continue
		}
		// A cpuset that names no processor takes no process.
		for _, file := range []string{"cpuset.cpus", "cpuset.mems"} {
			text, err := os.ReadFile(filepath.Join(h.mount, h.own, file))
			if err == nil {
				err = os.WriteFile(filepath.Join(h.dir(name), file), text, 0o644)
			}
			if err != nil {
				return nil, errors.Join(err, c.remove())
			}
		}
		if err := os.WriteFile(filepath.Join(h.dir(name), "cgroup.clone_children"), []byte("1"), 0o644); err != nil {
			return nil, errors.Join(err, c.remove())
		}
	}
	return c, nil
}

// within runs start while this process is in the cgroups, so that what it starts is in them too, and is their root as far as it
// can see.
func (c *cgroups) within(start func() error) (err error) {
	defer func() {
		for _, h := range c.in {
			err = errors.Join(err, join(h.dir("")))
		}
	}()
	for _, h := range c.in {
		if err := join(h.dir(c.name)); err != nil {
			return err
		}
	}
	return start()
}

// join moves this process into a cgroup.
func join(dir string) error {
	return os.WriteFile(filepath.Join(dir, "cgroup.procs"), []byte(strconv.Itoa(os.Getpid())), 0o644)
}

// remove removes the cgroups and those below them. The kernel lets go of one a moment after its last process has ended.
func (c *cgroups) remove() error {
	deadline := time.Now().Add(5 * time.Second)
	for {
		err := c.tryRemove()
		if err == nil || time.Now().After(deadline) {
			return err
		}
		time.Sleep(20 * time.Millisecond)
	}
}

func (c *cgroups) tryRemove() error {
	var failures []error
	for _, h := range c.in {
		var dirs []string
		err := filepath.WalkDir(h.dir(c.name), func(path string, d fs.DirEntry, err error) error {
			if err == nil && d.IsDir() {
				dirs = append(dirs, path)
			}
			if errors.Is(err, fs.ErrNotExist) {
				return nil
			}
			return err
		})
		failures = append(failures, err)
		for _, dir := range slices.Backward(dirs) {
			if err := syscall.Rmdir(dir); err != nil && !errors.Is(err, syscall.ENOENT) {
				failures = append(failures, fmt.Errorf("remove %s: %w", dir, err))
			}
		}
	}
	return errors.Join(failures...)
}

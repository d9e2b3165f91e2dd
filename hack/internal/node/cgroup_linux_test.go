package node

import (
	"reflect"
	"testing"
)

// TestHierarchies: those of version 1 are found with what they are mounted with, wherever they are, and no others.
func TestHierarchies(t *testing.T) {
	const mounts = `25 30 0:23 / /sys rw,nosuid - sysfs sysfs rw
31 25 0:28 / /sys/fs/cgroup rw,relatime - tmpfs tmpfs rw,mode=755
32 31 0:29 / /sys/fs/cgroup/cpu,cpuacct rw,relatime shared:9 - cgroup cgroup rw,cpu,cpuacct
35 31 0:32 / /sys/fs/cgroup/memory rw,relatime - cgroup cgroup rw,memory
40 31 0:37 / /sys/fs/cgroup/systemd rw,relatime - cgroup cgroup rw,xattr,name=systemd
41 31 0:38 / /sys/fs/cgroup/unified rw,relatime - cgroup2 cgroup2 rw,nsdelegate
`
	const memberships = "9:name=systemd:/\n5:memory:/user/1\n1:cpu,cpuacct:/\n0::/user\n"
	want := []hierarchy{
		{mount: "/sys/fs/cgroup/cpu,cpuacct", options: "cpu,cpuacct", own: "/"},
		{mount: "/sys/fs/cgroup/memory", options: "memory", own: "/user/1"},
		{mount: "/sys/fs/cgroup/systemd", options: "name=systemd", own: "/"},
	}
	got := parseHierarchies(mounts, memberships)
	if !reflect.DeepEqual(got, want) {
		t.Errorf("found %+v, not %+v", got, want)
	}
	if dir := got[1].dir("node"); dir != "/sys/fs/cgroup/memory/user/1/node" {
		t.Errorf("a cgroup below it is %s", dir)
	}
}

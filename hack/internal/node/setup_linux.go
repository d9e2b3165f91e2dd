package node

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
)

// Address of the node in its own network.
const Address = "10.99.0.1"

// sysctls that the kubelet sets for the whole machine: it finds files with the values that it wants, and the machine keeps its own.
var sysctls = map[string]string{
	"vm/overcommit_memory": "1", "vm/panic_on_oom": "0", "kernel/panic": "10", "kernel/panic_on_oops": "1",
	"kernel/keys/root_maxkeys": "1000000", "kernel/keys/root_maxbytes": "25000000",
}

// setUp makes the mounts and the network of a node, inside of its namespaces.
func setUp(dir string) error {
	in, err := hierarchies()
	if err != nil {
		return err
	}
	for _, step := range []func() error{
		func() error { return syscall.Sethostname([]byte(Name)) },
		func() error { return mount("", "/", "", syscall.MS_REC|syscall.MS_PRIVATE, "") },
		func() error { return mount("proc", "/proc", "proc", 0, "") },
		func() error { return mountSys(in) },
		func() error { return mountFiles(dir) },
		network,
		func() error { return tryOverlay(dir) },
	} {
		if err := step(); err != nil {
			return err
		}
	}
	return nil
}

func mount(source, target, kind string, flags uintptr, options string) error {
	if err := syscall.Mount(source, target, kind, flags, options); err != nil {
		return fmt.Errorf("mount %s on %s: %w", kind, target, err)
	}
	return nil
}

// mountSys shows the devices of this network, and the cgroups as this namespace sees them.
func mountSys(in []hierarchy) error {
	if err := mount("sysfs", "/sys", "sysfs", 0, ""); err != nil {
		return err
	}
	if err := mount("tmpfs", "/sys/fs/cgroup", "tmpfs", 0, "mode=755"); err != nil {
		return err
	}
	for _, h := range in {
		if err := os.MkdirAll(h.mount, 0o755); err != nil {
			return err
		}
		options := h.options
		if strings.HasPrefix(options, "name=") {
			options = "none," + options
		}
		if err := mount("cgroup", h.mount, "cgroup", 0, options); err != nil {
			return err
		}
	}
	return nil
}

// mountFiles hides the machine's files that programs with fixed paths would write.
func mountFiles(dir string) error {
	for name, value := range sysctls {
		file := filepath.Join(dir, "sysctl-"+strings.ReplaceAll(name, "/", "-"))
		if err := os.WriteFile(file, []byte(value+"\n"), 0o644); err != nil {
			return err
		}
		if err := mount(file, filepath.Join("/proc/sys", name), "", syscall.MS_BIND, ""); err != nil {
			return err
		}
	}
	for _, fixed := range []string{"/run", "/var/log"} {
		if err := mount("tmpfs", fixed, "tmpfs", 0, "mode=755"); err != nil {
			return err
		}
	}
	// Volumes that the kubelet mounts must be seen by containers that are there already.
	kubelet := filepath.Join(dir, "kubelet")
	if err := os.MkdirAll(kubelet, 0o755); err != nil {
		return err
	}
	if err := mount(kubelet, kubelet, "", syscall.MS_BIND, ""); err != nil {
		return err
	}
	if err := mount("", kubelet, "", syscall.MS_SHARED, ""); err != nil {
		return err
	}
	return os.MkdirAll("/run/lock", 0o755)
}

// network makes loopback and an interface with the node's address. Nothing leads out of it.
func network() error {
	for _, line := range []string{
		"ip link set lo up",
		"ip link add node0 type bridge",
		"ip address add " + Address + "/24 dev node0",
		"ip link set node0 up",
		"ip route add default via 10.99.0.254",
		"iptables -t nat -L -n",
	} {
		words := strings.Fields(line)
		if out, err := exec.Command(words[0], words[1:]...).CombinedOutput(); err != nil {
			return fmt.Errorf("%s: %w: %s", line, err, strings.TrimSpace(string(out)))
		}
	}
	return os.WriteFile("/proc/sys/net/ipv4/ip_forward", []byte("1"), 0o644)
}

// tryOverlay mounts an overlay where containers will have theirs.
func tryOverlay(dir string) error {
	base := filepath.Join(dir, "overlay")
	for _, folder := range []string{"lower", "upper", "work", "merged"} {
		if err := os.MkdirAll(filepath.Join(base, folder), 0o755); err != nil {
			return err
		}
	}
	merged := filepath.Join(base, "merged")
	options := fmt.Sprintf("lowerdir=%s/lower,upperdir=%[1]s/upper,workdir=%[1]s/work", base)
	if err := mount("overlay", merged, "overlay", 0, options); err != nil {
		return err
	}
	return syscall.Unmount(merged, 0)
}

package node

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"syscall"
)

// prefix of the names of what a node leaves in the machine's cgroups while it runs.
const prefix = "usher-node-"

// Enter runs this program again with args, as process 1 of namespaces of its own and in a cgroup of its own. That process must
// call Init. When it ends, or this one does, everything that was started below it has ended, and its mounts and its network are
// gone.
func Enter(ctx context.Context, args ...string) (err error) {
	if os.Getuid() != 0 {
		return errors.New("a node needs root")
	}
	if err := sweep(); err != nil {
		return err
	}
	own, err := newCgroups(prefix + strconv.Itoa(os.Getpid()))
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, own.remove()) }()
	self, err := os.Executable()
	if err != nil {
		return err
	}
	// The kernel ends what is started here when this thread ends.
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	command := exec.CommandContext(ctx, self, args...)
	command.Stdout, command.Stderr = os.Stdout, os.Stderr
	// Asked to stop, it stops its own in order; killed, the kernel ends all that are in its namespace.
	command.Cancel = func() error { return command.Process.Signal(syscall.SIGTERM) }
	command.SysProcAttr = &syscall.SysProcAttr{
		Cloneflags: syscall.CLONE_NEWNS | syscall.CLONE_NEWNET | syscall.CLONE_NEWPID | syscall.CLONE_NEWUTS | syscall.CLONE_NEWIPC | syscall.CLONE_NEWCGROUP,
		Pdeathsig:  syscall.SIGKILL,
		Setpgid:    true,
	}
	if err := own.within(command.Start); err != nil {
		return fmt.Errorf("start in namespaces: %w", err)
	}
	return command.Wait()
}

// sweep removes the cgroups of nodes whose process was killed.
func sweep() error {
	in, err := hierarchies()
	if err != nil {
		return err
	}
	var dead []string
	for _, h := range in {
		found, err := filepath.Glob(h.dir(prefix + "*"))
		if err != nil {
			return err
		}
		for _, dir := range found {
			pid, err := strconv.Atoi(strings.TrimPrefix(filepath.Base(dir), prefix))
			if err == nil && errors.Is(syscall.Kill(pid, 0), syscall.ESRCH) && !slices.Contains(dead, filepath.Base(dir)) {
				dead = append(dead, filepath.Base(dir))
			}
		}
	}
	for _, name := range dead {
		if err := (&cgroups{name: name, in: in}).remove(); err != nil {
			return err
		}
	}
	return nil
}

// Init is process 1 of a node: it makes the mounts and the network, runs this program with args, waits for whatever ends, and
// returns the exit code. The state of the node is in the folder dir.
func Init(dir string, args ...string) (int, error) {
	if err := setUp(dir); err != nil {
		return 1, err
	}
	asked := make(chan os.Signal, 1)
	signal.Notify(asked, syscall.SIGTERM, syscall.SIGINT)
	self, err := os.Executable()
	if err != nil {
		return 1, err
	}
	pid, err := syscall.ForkExec(self, append([]string{self}, args...), &syscall.ProcAttr{Env: os.Environ(), Files: []uintptr{0, 1, 2}})
	if err != nil {
		return 1, err
	}
	go func() {
		for sig := range asked {
			if number, ok := sig.(syscall.Signal); ok {
				_ = syscall.Kill(pid, number)
			}
		}
	}()
	for {
		var status syscall.WaitStatus
		ended, err := syscall.Wait4(-1, &status, 0, nil)
		switch {
		case errors.Is(err, syscall.EINTR):
		case err != nil:
			return 1, err
		case ended == pid && status.Exited():
			return status.ExitStatus(), nil
		case ended == pid:
			return 1, fmt.Errorf("ended by %s", status.Signal())
		}
	}
}

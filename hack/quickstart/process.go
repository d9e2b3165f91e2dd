package main

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"syscall"
	"time"
)

// stopWithin is how long a program may take to stop before it is killed.
const stopWithin = 15 * time.Second

// process is a program that runs beside this one, in a process group of its own: Ctrl-C in the terminal reaches only
// this program, which then stops the others in order. Should it die without, the kernel ends them (on Linux).
type process struct {
	name string
	cmd  *exec.Cmd
	done chan struct{}
	err  error
	// asked says that the program was told to stop.
	asked chan struct{}
}

// start runs a program. Its output goes to its log.
func (q *quickstart) start(name, path string, args []string, env ...string) error {
	log, err := q.logFile(name)
	if err != nil {
		return err
	}
	defer func() { _ = log.Close() }()
	p := &process{name: name, cmd: exec.Command(path, args...), done: make(chan struct{}), asked: make(chan struct{})}
	p.cmd.Stdout, p.cmd.Stderr = log, log
	p.cmd.Dir = q.dir
	p.cmd.Env = append(os.Environ(), env...)
	p.cmd.SysProcAttr = ownGroup()
	if err := p.cmd.Start(); err != nil {
		return fmt.Errorf("start %s: %w", filepath.Base(path), err)
	}
	q.processes = append(q.processes, p)
	go func() {
		p.err = p.cmd.Wait()
		close(p.done)
		select {
		case <-p.asked:
		default:
			q.stopped <- name
		}
	}()
	return nil
}

// stop asks the program's whole group to end, and kills it when it does not.
func (p *process) stop() error {
	close(p.asked)
	_ = syscall.Kill(-p.cmd.Process.Pid, syscall.SIGTERM)
	select {
	case <-p.done:
		return nil
	case <-time.After(stopWithin):
	}
	err := syscall.Kill(-p.cmd.Process.Pid, syscall.SIGKILL)
	<-p.done
	return errors.Join(fmt.Errorf("%s did not stop within %s and was killed", p.name, stopWithin), err)
}

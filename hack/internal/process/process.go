// Package process runs programs beside this one, and ends those and no others.
package process

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"syscall"
	"time"
)

// stopWithin is how long a program may take to stop before it is killed.
const stopWithin = 15 * time.Second

// Process is a program that runs beside this one, in a process group of its own: Ctrl-C in the terminal reaches only
// this program, which then stops the others in order. Should it die without, the kernel ends them (on Linux).
type Process struct {
	Name string

	cmd  *exec.Cmd
	done chan struct{}
	// asked says that the program was told to stop.
	asked chan struct{}
}

// Start runs a program in a folder; its output goes to log. Should it end without having been asked to, its name is
// sent to stopped.
func Start(name, dir string, log io.Writer, stopped chan<- string, path string, args ...string) (*Process, error) {
	p := &Process{Name: name, cmd: exec.Command(path, args...), done: make(chan struct{}), asked: make(chan struct{})}
	p.cmd.Stdout, p.cmd.Stderr = log, log
	p.cmd.Dir = dir
	p.cmd.Env = os.Environ()
	p.cmd.SysProcAttr = ownGroup()
	if err := p.cmd.Start(); err != nil {
		return nil, fmt.Errorf("start %s: %w", filepath.Base(path), err)
	}
	go func() {
		_ = p.cmd.Wait()
		close(p.done)
		select {
		case <-p.asked:
		default:
			stopped <- name
		}
	}()
	return p, nil
}

// ID is the program's process id.
func (p *Process) ID() int { return p.cmd.Process.Pid }

// Stop asks the program's whole group to end, and kills it when it does not. Call it once.
func (p *Process) Stop() error {
	close(p.asked)
	_ = syscall.Kill(-p.cmd.Process.Pid, syscall.SIGTERM)
	select {
	case <-p.done:
		return nil
	case <-time.After(stopWithin):
	}
	err := syscall.Kill(-p.cmd.Process.Pid, syscall.SIGKILL)
	<-p.done
	return errors.Join(fmt.Errorf("%s did not stop within %s and was killed", p.Name, stopWithin), err)
}

// Answers says whether a URL answers 200.
func Answers(ctx context.Context, url string) bool {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		return false
	}
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		return false
	}
	defer func() { _ = response.Body.Close() }()
	return response.StatusCode == http.StatusOK
}

// FreeAddress is an address on loopback on which nobody listens.
func FreeAddress() (string, error) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return "", err
	}
	return listener.Addr().String(), listener.Close()
}

// Package reader reads what media files say about themselves in processes of their own, with limits on memory and time.
// Libraries that parse such files believe what the files claim: a file of 200 bytes may ask for gigabytes, or for hours.
// Here that costs the file's metadata and a process, never the server.
package reader

import (
	"context"
	"encoding/gob"
	"errors"
	"io"
	"os/exec"
	"time"

	"github.com/usher-media/usher/internal/mediaserver/mediafile"
)

// The limits of one process. A picture of 4 MiB in a file of which 32 MiB are read is what an honest file takes.
const (
	// maxTime is how long one file may take.
	maxTime = 5 * time.Second
	// patience is how much longer the server waits before it ends the process itself.
	patience = 2 * time.Second
	// maxMemory is how much a process may allocate, in bytes.
	maxMemory = 256 << 20
	// atOnce is how many processes there may be.
	atOnce = 2
)

// tooMuch is what is said of a file that a process did not survive.
const tooMuch = "takes more memory or time than this server spends on one file"

// request asks for one file.
type request struct{ Dir, Path string }

// Reader hands files to processes, which it starts when they are needed and replaces when they end. It is safe for use by
// many goroutines. Close it.
type Reader struct {
	command []string
	// places holds one token for each process that may run; a token carries the process, or nil for one to be started.
	places chan *process
}

// New returns a Reader whose processes are started by a command that calls Serve.
func New(command []string) *Reader {
	r := &Reader{command: command, places: make(chan *process, atOnce)}
	for range atOnce {
		r.places <- nil
	}
	return r
}

// Describe reads what the file at rel within the library directory dir says about itself. A file that takes too much has
// Facts with a Problem. It fails only when ctx ends first, or when no process can be started.
func (r *Reader) Describe(ctx context.Context, dir, rel string) (mediafile.Facts, error) {
	var p *process
	select {
	case p = <-r.places:
	case <-ctx.Done():
		return mediafile.Facts{}, ctx.Err()
	}
	defer func() { r.places <- p }()
	// A process can also die of what is not the file's fault; a file that ends two at once has had its chance.
	for range 2 {
		if p == nil {
			var err error
			if p, err = start(r.command); err != nil {
				return mediafile.Facts{}, err
			}
		}
		begun := time.Now()
		facts, err := p.describe(ctx, request{dir, rel})
		if err == nil {
			return facts, nil
		}
		p.end()
		p = nil
		if ctx.Err() != nil {
			return mediafile.Facts{}, ctx.Err()
		}
		if time.Since(begun) >= maxTime {
			break
		}
	}
	return mediafile.Facts{Problem: tooMuch}, nil
}

// Close ends the processes, and waits for files that are being read. Describe must not be called afterwards.
func (r *Reader) Close() {
	for range atOnce {
		if p := <-r.places; p != nil {
			p.end()
		}
	}
}

// process is one that runs, and reads one file at a time.
type process struct {
	command *exec.Cmd
	in      io.WriteCloser
	ask     *gob.Encoder
	answers *gob.Decoder
}

func start(command []string) (*process, error) {
	p := &process{command: exec.Command(command[0], command[1:]...)}
	p.command.Env = []string{} // nothing that the server was given: a database's password among it
	in, err := p.command.StdinPipe()
	if err != nil {
		return nil, err
	}
	out, err := p.command.StdoutPipe()
	if err != nil {
		return nil, err
	}
	if err := p.command.Start(); err != nil {
		return nil, err
	}
	p.in, p.ask, p.answers = in, gob.NewEncoder(in), gob.NewDecoder(out)
	return p, nil
}

// describe fails when the process ends, takes too long, or is no longer waited for; the process is of no more use then.
func (p *process) describe(ctx context.Context, file request) (facts mediafile.Facts, err error) {
	ctx, cancel := context.WithTimeout(ctx, maxTime+patience)
	defer cancel()
	done := make(chan error, 1)
	go func() { done <- errors.Join(p.ask.Encode(file), p.answers.Decode(&facts)) }()
	select {
	case err = <-done:
		return facts, err
	case <-ctx.Done():
		_ = p.command.Process.Kill()
		<-done
		return mediafile.Facts{}, ctx.Err()
	}
}

func (p *process) end() {
	_ = p.in.Close()
	_ = p.command.Process.Kill()
	_ = p.command.Wait()
}

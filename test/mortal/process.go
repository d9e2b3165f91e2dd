// Package mortal makes processes that fail at a chosen write: everything that an operator, or a redemption engine,
// writes to the API server and to media servers goes through one Process, which counts it, and which dies, loses an
// answer or refuses at the one that a test names. A dead Process reaches nothing any more and gets no answer.
package mortal

import (
	"context"
	"errors"
	"maps"
	"sync"
	"time"
)

// ErrDead is what every call of a process gives after its death.
var ErrDead = errors.New("this process is dead")

// Mode says what happens at the write that a test names.
type Mode string

// The modes.
const (
	// DieBefore: the process dies, and the write is not done.
	DieBefore Mode = "die before"
	// DieAfter: the write is done, and the process dies without knowing.
	DieAfter Mode = "die after"
	// Lose: the write is done, and the process lives on with an error in place of the answer.
	Lose Mode = "lose the answer of"
	// Refuse: the write is not done, and the process lives on with an error.
	Refuse Mode = "refuse"
)

// Modes are all of them.
var Modes = []Mode{DieBefore, DieAfter, Lose, Refuse}

// Process is one process of ours, as far as what it writes is concerned.
type Process struct {
	ctx  context.Context
	stop context.CancelFunc
	// written is told of every write that was done, before the process has its answer.
	written func(name string)
	// LongestCall replaces that of the drivers, so that what may still be under way is soon known to be over; zero keeps it.
	LongestCall time.Duration

	mu     sync.Mutex
	dead   bool
	writes int
	counts map[string]int
	log    []string
	at     int
	mode   Mode
	struck string
	lists  int
}

// New makes a process. written is told of every write that was done, before its answer arrives; may be nil.
func New(written func(name string)) *Process {
	p := &Process{written: written, counts: map[string]int{}}
	p.ctx, p.stop = context.WithCancel(context.Background())
	return p
}

// Context ends when the process dies.
func (p *Process) Context() context.Context { return p.ctx }

// Arm begins to count anew, and names the write, from 1, at which the fault strikes; 0 for none.
func (p *Process) Arm(at int, mode Mode) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.writes, p.at, p.mode, p.struck = 0, at, mode, ""
	p.log = nil
	clear(p.counts)
}

// Disarm keeps the fault from striking any more; the counts go on.
func (p *Process) Disarm() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.at = 0
}

// Writes are the names of the writes since Arm, in their order: those that a fault kept from being done among them.
func (p *Process) Writes() []string {
	p.mu.Lock()
	defer p.mu.Unlock()
	return append([]string{}, p.log...)
}

// Counts are the numbers of the writes since Arm that were done, by name.
func (p *Process) Counts() map[string]int {
	p.mu.Lock()
	defer p.mu.Unlock()
	return maps.Clone(p.counts)
}

// Struck names the write at which the fault struck; empty while it has not.
func (p *Process) Struck() string {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.struck
}

// Done says whether the fault has struck and done all that it does.
func (p *Process) Done() bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	dies := p.mode == DieBefore || p.mode == DieAfter
	return p.struck != "" && (p.dead || !dies)
}

// Lists counts the complete listings of media servers, of all time.
func (p *Process) Lists() int {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.lists
}

func (p *Process) listed() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.lists++
}

// Dead says whether the process is.
func (p *Process) Dead() bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.dead
}

// Kill ends the process without any goodbye.
func (p *Process) Kill() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.die()
}

func (p *Process) die() {
	p.dead = true
	p.stop()
}

// write does one write, or what is to happen in its place. lost and refused make the errors of those modes.
func (p *Process) write(name string, do func() error, lost, refused func() error) error {
	mode, err := p.begin(name)
	switch {
	case err != nil:
		return err
	case mode == Refuse:
		return refused()
	}
	err = do()
	if err == nil && p.written != nil {
		p.written(name)
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	if err == nil {
		p.counts[name]++
	}
	if mode == DieAfter {
		p.die()
	}
	switch {
	case p.dead:
		return ErrDead
	case mode == Lose && err == nil:
		return lost()
	}
	return err
}

func (p *Process) begin(name string) (Mode, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.dead {
		return "", ErrDead
	}
	p.writes++
	p.log = append(p.log, name)
	if p.writes != p.at {
		return "", nil
	}
	p.struck = name
	if p.mode == DieBefore {
		p.die()
		return "", ErrDead
	}
	return p.mode, nil
}

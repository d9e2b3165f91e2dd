package health

import (
	"context"
	"errors"
	"sync"
	"time"
)

// askFor bounds one question.
const askFor = 10 * time.Second

var errNotAsked = errors.New("not known yet")

// Probe is a check that asks somebody else, and remembers the answer.
type Probe struct {
	ask          func(context.Context) error
	every, wrong time.Duration
	mu           sync.Mutex
	last         error
}

// NewProbe makes a Probe that asks every so often, and at another interval while something is wrong.
func NewProbe(every, whileWrong time.Duration, ask func(context.Context) error) *Probe {
	return &Probe{ask: ask, every: every, wrong: whileWrong, last: errNotAsked}
}

// Check returns the last answer.
func (p *Probe) Check() error {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.last
}

func (p *Probe) run(ctx context.Context) {
	for {
		bounded, cancel := context.WithTimeout(ctx, askFor)
		err := p.ask(bounded)
		cancel()
		if ctx.Err() != nil {
			return
		}
		p.mu.Lock()
		p.last = err
		p.mu.Unlock()
		wait := p.every
		if err != nil {
			wait = p.wrong
		}
		select {
		case <-ctx.Done():
			return
		case <-time.After(wait):
		}
	}
}

package main

import "github.com/usher-media/usher/hack/internal/process"

// start runs a program. Its output goes to its log.
func (q *quickstart) start(name, path string, args []string) error {
	log, err := q.logFile(name)
	if err != nil {
		return err
	}
	defer func() { _ = log.Close() }()
	p, err := process.Start(name, q.dir, log, q.stopped, path, args...)
	if err != nil {
		return err
	}
	q.processes = append(q.processes, p)
	return nil
}

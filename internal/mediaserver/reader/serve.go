package reader

import (
	"context"
	"encoding/gob"
	"errors"
	"io"
	"os"
	"runtime/debug"
	"time"

	"github.com/usher-media/usher/internal/mediaserver/mediafile"
)

// InProcess reads files here, without limits on memory and time: for files that are known to be harmless, as in tests.
type InProcess struct{ Roots mediafile.Roots }

// Describe reads what the file at rel within the library directory dir says about itself.
func (r InProcess) Describe(ctx context.Context, dir, rel string) (mediafile.Facts, error) {
	return r.Roots.Describe(dir, rel), ctx.Err()
}

// Serve is what a process of a Reader does until its input ends: it reads the files that it is asked for, within limits on
// memory and time that end the process.
func Serve(in io.Reader, out io.Writer, roots mediafile.Roots) error {
	if err := limitMemory(maxMemory); err != nil {
		return err
	}
	debug.SetMemoryLimit(maxMemory / 2) // collect garbage before the system says no
	requests, answers := gob.NewDecoder(in), gob.NewEncoder(out)
	for {
		var file request
		if err := requests.Decode(&file); err != nil {
			if errors.Is(err, io.EOF) {
				return nil
			}
			return err
		}
		tooLong := time.AfterFunc(maxTime, func() { os.Exit(1) })
		facts := roots.Describe(file.Dir, file.Path)
		if !tooLong.Stop() {
			return nil
		}
		if err := answers.Encode(facts); err != nil {
			return err
		}
	}
}

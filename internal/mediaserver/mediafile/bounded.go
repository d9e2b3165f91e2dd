package mediafile

import (
	"errors"
	"io"
)

// maxRead is how many bytes of a file are read for its metadata; maxArchive how large an archive may be to be looked
// into, since its directory is held in memory.
const (
	maxRead    = 32 << 20
	maxArchive = 512 << 20
)

// stepCost is what a read or seek costs besides the bytes it moves, so that a file cannot send a reader round and round.
const stepCost = 64

var errTooMuch = errors.New("the file asks to read too much")

// bounded is a file of which only so much can be read, however often. It is for one goroutine.
type bounded struct {
	file interface {
		io.ReadSeeker
		io.ReaderAt
	}
	size, left int64
	// extension is the file's, in lower case.
	extension string
}

func (b *bounded) spend(n int) error {
	if b.left -= int64(n) + stepCost; b.left < 0 {
		return errTooMuch
	}
	return nil
}

func (b *bounded) Read(p []byte) (int, error) {
	// Whoever reads asks whether the error is io.EOF, so it is passed on as it is.
	n, err := b.file.Read(p)
	if spent := b.spend(n); spent != nil {
		return 0, spent
	}
	return n, err
}

func (b *bounded) ReadAt(p []byte, offset int64) (int, error) {
	if err := b.spend(len(p)); err != nil {
		return 0, err
	}
	return b.file.ReadAt(p, offset)
}

func (b *bounded) Seek(offset int64, whence int) (int64, error) {
	if err := b.spend(0); err != nil {
		return 0, err
	}
	return b.file.Seek(offset, whence)
}

// readUpTo reads all there is, and fails with errTooMuch when that is more than limit bytes.
func readUpTo(from io.Reader, limit int64) ([]byte, error) {
	data, err := io.ReadAll(io.LimitReader(from, limit+1))
	if int64(len(data)) > limit {
		return nil, errTooMuch
	}
	return data, err
}

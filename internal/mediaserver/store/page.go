package store

import (
	"encoding/base64"
	"errors"
	"strconv"
	"strings"
	"unicode/utf8"
)

// ErrBadCursor says that a cursor is none that this server gave out.
var ErrBadCursor = errors.New("not a cursor of this list")

// Page asks for part of a list.
type Page struct {
	// Cursor is empty for the first page, then the Next of the page before.
	Cursor string
	// Limit is the greatest number of entries wanted, at least 1.
	Limit int
}

// List is one page of a list. Listing while entries come and go neither repeats an entry nor misses one that was there
// all the time.
type List[T any] struct {
	Items []T
	// Next is the cursor of the next page, or empty on the last one.
	Next string
}

// cut makes a page of rows, of which one more than the limit was asked for to see whether there is a next page.
func cut[T any](rows []T, limit int, key func(T) string) List[T] {
	if len(rows) <= limit {
		return List[T]{Items: rows}
	}
	rows = rows[:limit]
	return List[T]{Items: rows, Next: base64.RawURLEncoding.EncodeToString([]byte(key(rows[limit-1])))}
}

func seqKey(seq int64) string { return strconv.FormatInt(seq, 10) }

func (p Page) key() (string, error) {
	raw, err := base64.RawURLEncoding.DecodeString(p.Cursor)
	if err != nil || !utf8.Valid(raw) {
		return "", ErrBadCursor
	}
	return string(raw), nil
}

// afterSeq returns the sequence number that the page begins after; 0 for the first page.
func (p Page) afterSeq() (int64, error) {
	if p.Cursor == "" {
		return 0, nil
	}
	key, err := p.key()
	if err != nil {
		return 0, err
	}
	seq, err := strconv.ParseInt(key, 10, 64)
	if err != nil {
		return 0, ErrBadCursor
	}
	return seq, nil
}

// pathKey orders items. A path holds no zero byte, so the two parts come apart again.
func pathKey(path, id string) string { return path + "\x00" + id }

// afterPath returns the path and id that the page begins after; empty for the first page.
func (p Page) afterPath() (path, id string, err error) {
	if p.Cursor == "" {
		return "", "", nil
	}
	key, err := p.key()
	if err != nil {
		return "", "", err
	}
	path, id, found := strings.Cut(key, "\x00")
	if !found || strings.Contains(id, "\x00") {
		return "", "", ErrBadCursor
	}
	return path, id, nil
}

// afterTime returns the instant and id that the page begins after; the zero values for the first page.
func (p Page) afterTime() (at Instant, id string, err error) {
	text, id, err := p.afterPath()
	if err != nil || text == "" {
		return 0, id, err
	}
	number, err := strconv.ParseInt(text, 10, 64)
	if err != nil {
		return 0, "", ErrBadCursor
	}
	return Instant(number), id, nil
}

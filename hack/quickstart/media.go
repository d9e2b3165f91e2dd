package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"syscall"
)

// samplesPrefix is what the library paths in config/samples begin with.
const samplesPrefix = "/tmp/usher-quickstart"

// file is one file of the media folder: a path and what makes its content.
type file struct {
	path    string
	content func() ([]byte, error)
}

// mediaFiles are real files that real programs open: sound, texts and books, all made here.
var mediaFiles = []file{
	{"movies/The Long Tone (2024).wav", tone(220)},
	{"movies/A Higher Tone (2025).wav", tone(440)},
	{"tv/Scales/Season 1/Scales S01E01 Do.wav", tone(262)},
	{"tv/Scales/Season 1/Scales S01E02 Re.wav", tone(294)},
	{"tv/Scales/Season 1/Scales S01E03 Mi.wav", tone(330)},
	{"kids-movies/The Bear Who Hummed.wav", tone(147)},
	{"kids-movies/The Bear Who Hummed, the Book.epub", book("The Bear Who Hummed", "Once there was a bear who hummed a tone of 147 Hz.")},
	{"anime/Comet Courier 01.wav", tone(523)},
	{"anime/Comet Courier 02.wav", tone(587)},
	{"anime/Comet Courier, liner notes.txt", text("Comet Courier\n\nTwo tones, an octave above the first scale.\n")},
}

// posters are pictures that stand for a file beside them, and are no items of their own.
var posters = []file{
	{"movies/The Long Tone (2024).png", picture(0x2a, 0x6f, 0x97)},
	{"kids-movies/The Bear Who Hummed.png", picture(0xb0, 0x7d, 0x3c)},
}

// makeMedia writes the media folder and the link that the samples' paths go through.
func (q *quickstart) makeMedia(context.Context) error {
	var bytes int
	files := slices.Concat(mediaFiles, posters)
	for _, file := range files {
		content, err := file.content()
		if err != nil {
			return fmt.Errorf("make %s: %w", file.path, err)
		}
		path := filepath.Join(q.media(), filepath.FromSlash(file.path))
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			return err
		}
		if err := os.WriteFile(path, content, 0o644); err != nil {
			return err
		}
		bytes += len(content)
	}
	q.out.ok("%d files, %d kB, in %s", len(files), bytes/1000, q.relative(q.media()))
	q.makeLink()
	return nil
}

func (q *quickstart) media() string { return filepath.Join(q.dir, "media") }

// makeLink lets the paths of config/samples lead here, so that they can be applied as they are. Where the name is
// taken by somebody else, the samples are applied with other paths.
func (q *quickstart) makeLink() {
	if target, err := os.Readlink(samplesPrefix); err == nil && (target == q.dir || abandoned(target)) {
		_ = os.Remove(samplesPrefix)
	}
	if err := os.Symlink(q.dir, samplesPrefix); err != nil {
		q.out.say("    %s is taken: the samples are applied with other paths instead", samplesPrefix)
		return
	}
	q.link = samplesPrefix
}

// abandoned says whether no quickstart runs in a folder (of another clone of this repository).
func abandoned(dir string) bool {
	lock, err := os.Open(filepath.Join(dir, "lock"))
	if err != nil {
		return errors.Is(err, fs.ErrNotExist)
	}
	defer func() { _ = lock.Close() }()
	return syscall.Flock(int(lock.Fd()), syscall.LOCK_EX|syscall.LOCK_NB) == nil
}

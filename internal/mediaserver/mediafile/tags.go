package mediafile

import (
	"bytes"
	"errors"
	"io"

	"github.com/dhowden/tag"
)

// containers says what a file of a type must begin with, from which byte on. MP3 files may begin with anything.
var containers = map[string]struct {
	offset int
	magic  string
}{
	".m4a": {4, "ftyp"}, ".m4b": {4, "ftyp"}, ".mp4": {4, "ftyp"}, ".m4v": {4, "ftyp"},
	".flac": {0, "fLaC"}, ".ogg": {0, "OggS"}, ".oga": {0, "OggS"}, ".opus": {0, "OggS"},
}

// readTags reads the tags of an audio or MP4 file.
func readTags(file *bounded) (Facts, error) {
	if err := checkContainer(file); err != nil {
		return Facts{}, err
	}
	found, err := tag.ReadFrom(file)
	if errors.Is(err, tag.ErrNoTagsFound) {
		return Facts{}, nil
	}
	if err != nil {
		return Facts{}, err
	}
	facts := Facts{
		Title: found.Title(), Creator: found.Artist(), Album: found.Album(), Year: found.Year(), Description: found.Comment(),
	}
	if facts.Creator == "" {
		facts.Creator = found.AlbumArtist()
	}
	facts.Track, _ = found.Track()
	facts.Disc, _ = found.Disc()
	if cover := found.Picture(); cover != nil {
		facts.Picture = picture(cover.Data)
	}
	return facts, nil
}

func checkContainer(file *bounded) error {
	var head [12]byte
	_, err := io.ReadFull(file, head[:])
	if errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
		return errBroken("is too short")
	}
	if err != nil {
		return err
	}
	want, known := containers[file.extension]
	// Some programs put MP3's tags in front of FLAC.
	if known && !bytes.HasPrefix(head[want.offset:], []byte(want.magic)) && !bytes.HasPrefix(head[:], []byte("ID3")) {
		return errBroken("is not what its name says")
	}
	_, err = file.Seek(0, io.SeekStart)
	return err
}

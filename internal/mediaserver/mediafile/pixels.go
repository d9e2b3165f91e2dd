package mediafile

import (
	"bytes"
	"image"

	// The formats of pictures that this server shows: their headers tell the size.
	_ "image/gif"
	_ "image/jpeg"
	_ "image/png"

	_ "golang.org/x/image/webp"
)

// maxPixels and maxSide bound a picture, of which a few bytes may claim any size: whoever decodes it, be it the browser on a
// phone, takes at least four bytes for each pixel.
const (
	maxPixels = 40_000_000
	maxSide   = 20_000
)

// decodable reads a picture's size from its header, and nothing else of it. It reports whether it may be decoded: every picture is
// asked for that, before anything is.
func decodable(data []byte) bool {
	header, _, err := image.DecodeConfig(bytes.NewReader(data))
	if err != nil || header.Width < 1 || header.Height < 1 || header.Width > maxSide || header.Height > maxSide {
		return false
	}
	return header.Width*header.Height <= maxPixels
}

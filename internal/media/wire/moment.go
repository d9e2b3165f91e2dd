package wire

import (
	"encoding/json"
	"time"

	"github.com/usher-media/usher/internal/media"
)

// Moment is a time that an answer may hold, by media.Moment. What is no time (RFC 3339) is the zero time: nothing that
// matters more is refused for it.
type Moment struct{ time.Time }

// UnmarshalJSON takes everything.
func (m *Moment) UnmarshalJSON(raw []byte) error {
	*m = Moment{}
	var text string
	if json.Unmarshal(raw, &text) != nil {
		return nil
	}
	if t, err := time.Parse(time.RFC3339, text); err == nil {
		m.Time = media.Moment(t)
	}
	return nil
}

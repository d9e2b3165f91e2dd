package audiobookshelf

import (
	"context"
	"encoding/json"
	"net/http"
	"slices"

	"github.com/usher-media/usher/internal/media"
	"github.com/usher-media/usher/internal/media/wire"
)

// mail are the settings of the server's mail, of which the devices alone are read.
type mail struct {
	Settings struct {
		Devices []map[string]json.RawMessage `json:"ereaderDevices"`
	} `json:"settings"`
}

// Check implements wire.Checker.
func (m *mail) Check() error { return form(m.Settings.Devices != nil) }

// leaveDevices takes an account off the lists of e-reader devices, which name people beside all other access. A device of
// whom nobody would be left keeps an id that nobody has: without one, the server would give it to all administrators
// (contract, the additions of November 2026).
func (d *Driver) leaveDevices(ctx context.Context, id string) error {
	var m mail
	if err := d.get(ctx, mailPath, &m); err != nil {
		return err
	}
	left := false
	for _, device := range m.Settings.Devices {
		var people ids
		_ = json.Unmarshal(device["users"], &people)
		if !slices.Contains(people, id) {
			continue
		}
		people = slices.DeleteFunc(people, func(other string) bool { return other == id })
		if len(people) == 0 {
			people = ids{nobodys}
		}
		raw, err := json.Marshal(people)
		if err != nil {
			return err
		}
		device["users"], left = raw, true
	}
	changed := devices{m.Settings.Devices}
	if !left || changed.check() != nil { // an id that is left behind is nobody's: it is random
		return nil
	}
	var answer struct {
		Devices []map[string]json.RawMessage `json:"ereaderDevices"`
	}
	_, err := d.send(ctx, wire.Call{Method: http.MethodPost, Path: devicesPath, Into: &answer, Want: http.StatusOK}, changed)
	if err == nil && len(answer.Devices) != len(changed.Devices) {
		err = media.Errorf(media.Ambiguous, "POST %s: the server did not keep the devices", devicesPath)
	}
	return err
}

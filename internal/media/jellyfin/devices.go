package jellyfin

import (
	"context"
	"net/http"
	"net/url"

	"github.com/usher-media/usher/internal/media"
	"github.com/usher-media/usher/internal/media/wire"
)

const devicesPath = "/Devices"

// devicesOf are the devices that somebody signed in with last. The server's own filter by user does not mean that: it lists
// what somebody may use (B.6).
func (d *Driver) devicesOf(ctx context.Context, of string) ([]string, error) {
	var all list[device]
	if err := d.read(ctx, devicesPath, &all); err != nil {
		return nil, err
	}
	var own []string
	seen := map[string]bool{}
	for _, one := range all.Items {
		if id(one.LastUser) == of && one.ID != "" && !seen[one.ID] {
			seen[one.ID] = true
			own = append(own, one.ID)
		}
	}
	return own, nil
}

// endSessions ends all that a person is signed in with, so that no request of theirs is under way that would write their old
// policy back (B.1). The server has no call for that but deleting devices, which signs out whoever shares one (B.6). A new
// password would do it, too, but the person's own would be lost.
func (d *Driver) endSessions(ctx context.Context, of string) error {
	own, err := d.devicesOf(ctx, of)
	if err != nil {
		return err
	}
	for _, one := range own {
		_, err := d.client.Do(ctx, wire.Call{
			Method: http.MethodDelete, Path: devicesPath, Query: url.Values{"id": {one}}, Want: http.StatusNoContent,
		})
		switch media.CodeOf(err) {
		case "", media.NotFound, media.Invalid: // gone already: 404, and 400 since 12.0 (A.5)
		default:
			return err
		}
	}
	return nil
}

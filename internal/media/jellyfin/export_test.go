package jellyfin

import (
	"time"

	"github.com/usher-media/usher/internal/media"
	"github.com/usher-media/usher/internal/media/wire"
)

// Later lets a driver's clock go on.
func Later(d *Driver, by time.Duration) {
	d.mu.Lock()
	defer d.mu.Unlock()
	now := d.now
	d.now = func() time.Time { return now().Add(by) }
}

// LeftAfter is when an account on its way is taken for one that was left behind.
const LeftAfter = leftAfter

// DecodeUsers and DecodeFolders read answers as the driver does, each without the other.
func DecodeUsers(body []byte) ([]media.Account, error) {
	var all users
	if err := wire.Decode(body, &all); err != nil {
		return nil, err
	}
	v, err := newShelf().arrange(folders{})
	accounts := make([]media.Account, 0, len(all))
	for _, u := range all {
		accounts = append(accounts, v.account(u))
	}
	return accounts, err
}

// DecodeFolders is the other.
func DecodeFolders(body []byte) ([]media.Library, error) {
	var all folders
	if err := wire.Decode(body, &all); err != nil {
		return nil, err
	}
	for _, f := range all {
		if f.Item == "" {
			return nil, notReady(f)
		}
	}
	v, err := newShelf().arrange(all)
	return v.libraries(), err
}

// DecodePublic reads what the server says of itself.
func DecodePublic(body []byte) (media.Probe, error) {
	var info public
	err := wire.Decode(body, &info)
	return media.Probe{Identity: info.ID}, err
}

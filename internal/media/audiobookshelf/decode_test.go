package audiobookshelf

import (
	"testing"

	"github.com/usher-media/usher/internal/media"
	"github.com/usher-media/usher/internal/media/drivertest"
	"github.com/usher-media/usher/internal/media/wire"
)

// Answers of the contract, shortened.
const (
	anAccount = `{"id":"c07f","username":"mia","email":null,"type":"user","token":"x","isActive":true,"createdAt":1795397276145,
		"permissions":{"download":true,"accessAllLibraries":false,"accessAllTags":true,"accessExplicitContent":false},
		"librariesAccessible":["c25c"],"itemTagsSelected":[],"hasOpenIDLink":false}`
	aLibrary = `{"id":"c25c","name":"Books","folders":[{"id":"0f86","fullPath":"/audiobooks","libraryId":"c25c"}],"icon":"database",
		"mediaType":"book","provider":"google","createdAt":1795397417917}`
)

func accounts(all ...user) []media.Account {
	var accounts []media.Account
	for _, u := range all {
		accounts = append(accounts, u.account(map[string]bool{"c25c": true}))
	}
	return accounts
}

func FuzzDecode(f *testing.F) {
	drivertest.FuzzDecode(f, map[string]drivertest.Decoder{
		"users": func(body []byte) (d drivertest.Decoded, err error) {
			var all users
			if err = wire.Decode(body, &all); err == nil {
				d.Accounts = accounts(all.Users...)
			}
			return d, err
		},
		"user": func(body []byte) (d drivertest.Decoded, err error) {
			var u user
			if err = wire.Decode(body, &u); err == nil {
				d.Accounts = accounts(u)
			}
			return d, err
		},
		"changed user": func(body []byte) (d drivertest.Decoded, err error) {
			var changed changedUser
			if err = wire.Decode(body, &changed); err == nil {
				d.Accounts = accounts(changed.User)
			}
			return d, err
		},
		"libraries": func(body []byte) (d drivertest.Decoded, err error) {
			var shelf libraries
			if err = wire.Decode(body, &shelf); err == nil {
				for _, l := range shelf.Libraries {
					d.Libraries = append(d.Libraries, l.library())
				}
			}
			return d, err
		},
		"identity": func(body []byte) (d drivertest.Decoded, err error) {
			var all users
			if err = wire.Decode(body, &all); err != nil {
				return d, err
			}
			identity, err := fingerprint(all.Users)
			if err == nil {
				d.Probes = []media.Probe{{Identity: identity}}
			}
			return d, err
		},
	}, anAccount, `{"users":[`+anAccount+`]}`, `{"success":true,"user":`+anAccount+`}`, aLibrary, `{"libraries":[`+aLibrary+`]}`)
}

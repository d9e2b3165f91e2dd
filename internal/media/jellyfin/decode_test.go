package jellyfin_test

import (
	"testing"

	"github.com/usher-media/usher/internal/media"
	"github.com/usher-media/usher/internal/media/drivertest"
	"github.com/usher-media/usher/internal/media/jellyfin"
)

func FuzzDecode(f *testing.F) {
	drivertest.FuzzDecode(f, map[string]drivertest.Decoder{
		"users": func(body []byte) (d drivertest.Decoded, err error) {
			d.Accounts, err = jellyfin.DecodeUsers(body)
			return d, err
		},
		"folders": func(body []byte) (d drivertest.Decoded, err error) {
			d.Libraries, err = jellyfin.DecodeFolders(body)
			return d, err
		},
		"public": func(body []byte) (drivertest.Decoded, error) {
			probe, err := jellyfin.DecodePublic(body)
			return drivertest.Decoded{Probes: []media.Probe{probe}}, err
		},
	},
		`[{"Name":"keeper","ServerId":"0123456789abcdef0123456789abcdef","Id":"00112233445566778899aabbccddeeff","LastLoginDate":"2026-11-01T10:00:00Z","Configuration":{},"Policy":{"IsAdministrator":true,"IsHidden":true,"IsDisabled":false,"BlockedMediaFolders":[],"EnableAllFolders":true,"EnabledFolders":[],"InvalidLoginAttemptCount":0,"LoginAttemptsBeforeLockout":-1,"AuthenticationProviderId":"A","PasswordResetProviderId":"B"}},`+
			`{"Name":"mia","Id":"11112233-4455-6677-8899-aabbccddeeff","Policy":{"IsAdministrator":false,"IsDisabled":true,"BlockedMediaFolders":null,"EnableAllFolders":false,"EnabledFolders":["22112233445566778899aabbccddeeff"],"InvalidLoginAttemptCount":3,"LoginAttemptsBeforeLockout":3,"AuthenticationProviderId":"A","PasswordResetProviderId":"B"}}]`,
		`[{"Name":"Movies","Locations":["/media/movies"],"CollectionType":"movies","LibraryOptions":{},"ItemId":"22112233445566778899aabbccddeeff","RefreshStatus":"Idle"},{"Name":"Mixed","Locations":[],"ItemId":"33112233-4455-6677-8899-aabbccddeeff"}]`,
		`{"LocalAddress":"http://127.0.0.1:8096","ServerName":"cinema","Version":"10.11.11","ProductName":"Jellyfin Server","Id":"0123456789abcdef0123456789abcdef","StartupWizardCompleted":true}`,
	)
}

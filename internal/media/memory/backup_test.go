package memory_test

import (
	"reflect"
	"testing"

	"github.com/usher-media/usher/internal/media"
	"github.com/usher-media/usher/internal/media/memory"
)

func TestBackup(t *testing.T) {
	for reused, name := range map[bool]string{true: "ids are reused", false: "ids are never reused"} {
		t.Run(name, func(t *testing.T) {
			store := memory.NewStore(memory.Options{Traits: func(traits *media.Traits) {
				traits.AccountIDsNeverReused, traits.LibraryIDsNeverReused = !reused, !reused
			}})
			movies := store.AddLibrary(media.Library{Name: "Movies"})
			store.AddAccount(media.Account{Username: "mia", Access: media.Access{Libraries: map[media.LibraryID]media.LibraryRole{movies: media.LibraryViewer}}}, "mia's password")
			accounts, libraries := store.Accounts(), store.Libraries()
			restore := store.Backup()
			for range 2 { // a backup can be restored more than once
				leo := store.AddAccount(media.Account{Username: "leo"}, "leo's password")
				store.EditAccount("mia", func(a *media.Account) { a.Disabled, a.Access = true, media.Access{} })
				store.ChangePassword("mia", "another password")
				store.EditLibrary(movies, func(l *media.Library) { l.Name = "Films" })
				restore()
				if got := store.Accounts(); !reflect.DeepEqual(got, accounts) {
					t.Errorf("accounts %+v, want %+v", got, accounts)
				}
				if got := store.Libraries(); !reflect.DeepEqual(got, libraries) {
					t.Errorf("libraries %+v, want %+v", got, libraries)
				}
				if !store.CheckPassword("mia", "mia's password") {
					t.Error("the password of before is not accepted")
				}
				zoe := store.AddAccount(media.Account{Username: "zoe"}, "zoe's password")
				if (zoe == leo) != reused {
					t.Errorf("%s was given out before as %s", zoe, leo)
				}
				restore()
			}
		})
	}
}

package media_test

import (
	"reflect"
	"testing"
	"time"

	"github.com/usher-media/usher/internal/media"
)

// Every setting counts, those too that are added one day: what Equal overlooks is never written to a server.
func TestInviteSettingsDifferInAnyField(t *testing.T) {
	noon := time.Date(2026, 6, 1, 12, 0, 0, 0, time.UTC)
	full := media.InviteSettings{
		Role: media.RoleGuest, Libraries: map[media.LibraryID]media.LibraryRole{"l": media.LibraryViewer}, MaxUses: 3, PriorUses: 1,
		ExpiresAt: noon, Revoked: true, Held: true, Email: "mia@example.org", Inviter: "Alice", Welcome: "Hi", Foreign: true,
	}
	same := full
	same.ExpiresAt = noon.In(time.FixedZone("", 7200))
	if !full.Equal(same) {
		t.Error("the same time in another zone is another")
	}
	for i := range reflect.TypeFor[media.InviteSettings]().NumField() {
		other := full
		field := reflect.ValueOf(&other).Elem().Field(i)
		name := reflect.TypeFor[media.InviteSettings]().Field(i).Name
		if field.IsZero() {
			t.Errorf("%s is not part of this test", name)
		}
		if field.SetZero(); full.Equal(other) || other.Equal(full) {
			t.Errorf("%s does not count", name)
		}
	}
}

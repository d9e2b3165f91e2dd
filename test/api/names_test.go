package api

import (
	"strings"
	"testing"

	"github.com/usher-media/usher/internal/testenv"
)

// TestNamesLeaveRoomForTheSecret: the Secret of a User or an Invite is named after it.
func TestNamesLeaveRoomForTheSecret(t *testing.T) {
	env := testenv.Get(t)
	namespace := env.Namespace(t)
	for _, kind := range []string{"User", "Invite"} {
		if err := tryCreate(t.Context(), env.Client(), manifest(t, kind, namespace, strings.Repeat("n", 200), `{}`)); err != nil {
			t.Errorf("%s: a name of 200 characters: %v", kind, err)
		}
		err := tryCreate(t.Context(), env.Client(), manifest(t, kind, namespace, strings.Repeat("n", 201), `{}`))
		if err == nil || !strings.Contains(err.Error(), "its Secret is named after it") {
			t.Errorf("%s: a name of 201 characters: %v", kind, err)
		}
	}
}

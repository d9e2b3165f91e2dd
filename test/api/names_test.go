package api

import (
	"strings"
	"testing"

	"github.com/usher-media/usher/internal/testenv"
)

// TestNamesLeaveRoom: the Secret of a User is named after it, and an Invite's name becomes a label.
func TestNamesLeaveRoom(t *testing.T) {
	env := testenv.Get(t)
	namespace := env.Namespace(t)
	for kind, bound := range map[string]struct {
		most int
		says string
	}{
		"User": {200, "its Secret is named after it"}, "Invite": {63, "it becomes a label of the people who come"},
	} {
		mustSay(t, tryCreate(t.Context(), env.Client(), manifest(t, kind, namespace, strings.Repeat("n", bound.most), `{}`)), "")
		mustSay(t, tryCreate(t.Context(), env.Client(), manifest(t, kind, namespace, strings.Repeat("n", bound.most+1), `{}`)), bound.says)
	}
}

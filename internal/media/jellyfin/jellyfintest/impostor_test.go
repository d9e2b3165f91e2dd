package jellyfintest_test

import (
	"net/http"
	"testing"

	"github.com/usher-media/usher/internal/media/jellyfin/jellyfintest"
)

// Navidrome answers as "Jellyfin Server" and shows everybody as seeing everything; the elevated routes are not there
// (Navidrome contract, additions 2).
func TestNavidromeAnswersAsJellyfin(t *testing.T) {
	for _, version := range []jellyfintest.Version{"", jellyfintest.Release1011} {
		i := jellyfintest.StartImpostor(t, version)
		v, err := jellyfintest.Enter(t.Context(), i.URL, "anybody", "anything")
		if err != nil {
			t.Fatal(err)
		}
		var me struct {
			Policy struct{ IsAdministrator, EnableAllFolders bool }
		}
		if status, err := v.Call(t.Context(), http.MethodGet, "/Users/Me", nil, &me); err != nil || status != http.StatusOK || !me.Policy.EnableAllFolders {
			t.Errorf("%d, %v: %v", status, err, me)
		}
		for _, path := range []string{"/Auth/Keys", folders} {
			if status, err := v.Call(t.Context(), http.MethodGet, path, nil, nil); err != nil || status != http.StatusNotFound {
				t.Errorf("%s: %d, %v", path, status, err)
			}
		}
		if status, err := (&jellyfintest.Visitor{URL: i.URL}).Call(t.Context(), http.MethodGet, "/Users/Me", nil, nil); err != nil || status != http.StatusUnauthorized {
			t.Errorf("without a token: %d, %v", status, err)
		}
	}
}

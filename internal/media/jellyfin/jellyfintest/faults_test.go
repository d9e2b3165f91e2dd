package jellyfintest_test

import (
	"net/http"
	"testing"

	"github.com/usher-media/usher/internal/media/jellyfin/jellyfintest"
)

// The fates of a request: what is lost was done, what is dropped or fails was not.
func TestFates(t *testing.T) {
	w := newWorld(t, jellyfintest.Options{})
	for fate, done := range map[jellyfintest.Fate]bool{
		jellyfintest.Serve: true, jellyfintest.Lose: true, jellyfintest.Drop: false, jellyfintest.Fail: false,
	} {
		name := "person" + string(rune('a'+fate))
		w.Decide(func(n int, method, route string) jellyfintest.Fate {
			if n != 1 || method != http.MethodPost || route != "/Users/New" {
				t.Errorf("request %d is %s %s", n, method, route)
			}
			return fate
		})
		var made document
		status, err := w.key.Call(t.Context(), http.MethodPost, "/Users/New", document{"Name": name, "Password": password}, &made)
		if broken := fate == jellyfintest.Lose || fate == jellyfintest.Drop; (err != nil) != broken || (status == http.StatusInternalServerError) != (fate == jellyfintest.Fail) {
			t.Errorf("fate %d: %d, %v", fate, status, err)
		}
		if (w.Person(name).ID != "") != done {
			t.Errorf("fate %d: there are %v", fate, w.People())
		}
	}
	if got := w.Count("POST /Users/New"); got != 4 || w.Counts()["POST /Users/New"] != 4 {
		t.Errorf("counted %d", got)
	}
}

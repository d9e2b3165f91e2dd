package controller

import (
	"slices"
	"testing"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/tools/events"
	clocktesting "k8s.io/utils/clock/testing"

	"github.com/usher-media/usher/api/v1alpha1"
	"github.com/usher-media/usher/internal/media"
)

// TestAGuestWhoHasJustComeIsNoSurplus: an event tells of undeclared accounts that can sign in where there are more of them than
// before, for as long as an import takes, and not of guests, one after another, who are not imported yet.
func TestAGuestWhoHasJustComeIsNoSurplus(t *testing.T) {
	t.Parallel()
	const look = 4 * time.Second // often, as editors may ask for
	for name, c := range map[string]struct {
		// looks are the undeclared accounts that can sign in at each look, and warns those at which it is said.
		looks []string
		warns []int
	}{
		"nobody more":                            {[]string{"a", "a", "a", "a", "a", "a"}, nil},
		"one, for as long as an import takes":    {[]string{"a", "ab", "ab", "a", "a", "a", "a"}, nil},
		"another at each look":                   {[]string{"a", "ab", "ac", "ad", "ae", "af", "ag"}, nil},
		"one who stays":                          {[]string{"a", "ab", "ab", "ab", "ab", "ab", "ab", "ab", "ab"}, []int{4}},
		"one who stays, and guests":              {[]string{"a", "abx", "aby", "abz", "abx", "aby", "ab"}, []int{4}},
		"one who stays, in another's place":      {[]string{"a", "b", "b", "b", "b", "b", "b"}, nil},
		"two, one after another":                 {[]string{"", "a", "a", "a", "a", "ab", "ab", "ab", "ab", "ab"}, []int{4, 8}},
		"one more while another is not said yet": {[]string{"", "a", "a", "ab", "ab", "ab", "ab", "ab"}, []int{4}},
		"gone, and back":                         {[]string{"a", "ab", "ab", "a", "ab", "ab", "ab", "ab"}, []int{7}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			clock := clocktesting.NewFakePassiveClock(time.Date(2026, 11, 28, 20, 0, 0, 0, time.UTC))
			said := events.NewFakeRecorder(10)
			r := &mediaServerReconciler{Kit: &Kit{Clock: clock, Recorder: said}}
			server := &v1alpha1.MediaServer{ObjectMeta: metav1.ObjectMeta{UID: types.UID("home")}}
			var warned []int
			for i, text := range c.looks {
				canSignIn := map[media.AccountID]bool{}
				var names []string
				for _, who := range text {
					canSignIn[media.AccountID(who)] = true
					names = append(names, string(who))
				}
				items := undeclaredItems(names)
				now := &v1alpha1.Undeclared{EnabledAccounts: &items}
				r.warnOfMore(server, now, canSignIn)
				server.Status.Undeclared = now
				for range len(said.Events) {
					<-said.Events
					warned = append(warned, i)
				}
				clock.SetTime(clock.Now().Add(look))
			}
			if !slices.Equal(warned, c.warns) {
				t.Errorf("said at the looks %v, want %v", warned, c.warns)
			}
		})
	}
}

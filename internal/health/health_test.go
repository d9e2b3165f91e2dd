package health

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/go-logr/logr/funcr"
	"github.com/prometheus/client_golang/prometheus/testutil"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/client-go/tools/cache"
)

// lines is a log.
type lines struct {
	mu  sync.Mutex
	all []string
}

func (l *lines) add(prefix, args string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.all = append(l.all, args)
}

func (l *lines) take() []string {
	l.mu.Lock()
	defer l.mu.Unlock()
	all := l.all
	l.all = nil
	return all
}

// TestChangesAreLoggedAndMeasured: once when something begins to be wrong, once when what is wrong changes, once when it ends.
func TestChangesAreLoggedAndMeasured(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		log := &lines{}
		m := New(funcr.New(log.add, funcr.Options{}))
		var mu sync.Mutex
		var answer error
		say := func(err error) { mu.Lock(); defer mu.Unlock(); answer = err }
		asked := 0
		m.Add("always", func() error { return nil })
		m.AddProbe("asking", NewProbe(time.Minute, 5*time.Second, func(ctx context.Context) error {
			mu.Lock()
			defer mu.Unlock()
			asked++
			if _, bounded := ctx.Deadline(); !bounded {
				t.Error("a question without an end")
			}
			return answer
		}))
		if m.Checkers()["asking"](nil) == nil {
			t.Error("ready before anybody was asked")
		}
		ctx, cancel := context.WithCancel(t.Context())
		ended := make(chan struct{})
		go func() { defer close(ended); m.Run(ctx) }()
		expect := func(what string, after time.Duration, ready int, words ...string) {
			t.Helper()
			time.Sleep(after) // of the test's own clock
			synctest.Wait()
			said := log.take()
			if len(said) != len(words) {
				t.Errorf("%s: logged %q, want %q", what, said, words)
			} else if len(words) == 1 && !strings.Contains(said[0], words[0]) {
				t.Errorf("%s: logged %q, want %q", what, said, words)
			}
			want := fmt.Sprintf("# HELP usher_ready 1 while the operator can do its work as far as a check goes; 0 while something keeps it from it.\n# TYPE usher_ready gauge\nusher_ready{check=\"always\"} 1\nusher_ready{check=\"asking\"} %d\n", ready)
			if err := testutil.CollectAndCompare(m, strings.NewReader(want)); err != nil {
				t.Errorf("%s: %v", what, err)
			}
		}
		time.Sleep(2 * time.Second) // of the test's own clock
		synctest.Wait()
		log.take() // that it was not known yet, and now is
		expect("all is well", 10*time.Second, 1)
		say(errors.New("no rights"))
		expect("wrong", time.Minute, 0, "no rights")
		expect("still wrong", 20*time.Second, 0)
		say(errors.New("no kinds"))
		expect("wrong in another way", 7*time.Second, 0, "no kinds")
		say(nil)
		expect("well again", 7*time.Second, 1, "ready again")
		cancel()
		<-ended
	})
}

// TestWatchesThatKeepFailing: one error is none; several in a row are, until there is none for a while.
func TestWatchesThatKeepFailing(t *testing.T) {
	forbidden := apierrors.NewForbidden(schema.GroupResource{Group: "usher.media", Resource: "users"}, "", errors.New("no"))
	gone := apierrors.NewNotFound(schema.GroupResource{Group: "usher.media", Resource: "users"}, "")
	users, invites := &cache.Reflector{}, &cache.Reflector{}
	synctest.Test(t, func(t *testing.T) {
		w := &Watches{}
		says := func(words ...string) {
			t.Helper()
			err := w.Check()
			if (err == nil) != (len(words) == 0) {
				t.Fatalf("%v, want %q", err, words)
			}
			for _, word := range words {
				if !strings.Contains(err.Error(), word) {
					t.Errorf("%v, want %q", err, word)
				}
			}
		}
		for _, err := range []error{io.EOF, io.ErrUnexpectedEOF, fmt.Errorf("watch: %w", io.EOF), apierrors.NewResourceExpired("old"), &cache.VeryShortWatchError{}} {
			for range 5 {
				w.note(users, "User", err)
			}
			says()
		}
		w.note(users, "User", forbidden)
		w.note(invites, "Invite", forbidden)
		says()
		time.Sleep(30 * time.Second) // of the test's own clock
		w.note(users, "User", forbidden)
		time.Sleep(60 * time.Second) // of the test's own clock
		w.note(users, "User", forbidden)
		says("User: the operator may not list or watch them")
		w.note(users, "User", gone)
		says("User: the API server does not know them")
		time.Sleep(time.Second) // of the test's own clock
		w.note(users, "User", errors.New("parsing time"))
		says("User: parsing time")
		time.Sleep(seriesEnds + time.Second) // of the test's own clock
		says()
		for range 2 {
			w.note(users, "User", forbidden)
		}
		says() // another series
		for range 2 {
			w.note(invites, "Invite", forbidden)
		}
		w.note(users, "User", forbidden)
		says("User") // and no Invite: its first error is long ago
	})
}

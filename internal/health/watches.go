package health

import (
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"sync"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/client-go/tools/cache"
)

const (
	// manyErrors is how many errors in a row make a watch one that keeps failing.
	manyErrors = 3
	// seriesEnds is after how long without another error a watch works again: longer than it waits before it tries again.
	seriesEnds = 90 * time.Second
)

// Watches notes which watches of the cache keep failing: what the operator sees of these kinds is old.
type Watches struct {
	mu     sync.Mutex
	series map[any]errorSeries
}

// errorSeries are the errors of one watch, one after the other.
type errorSeries struct {
	kind  string
	count int
	last  time.Time
	err   error
}

// Failed is a cache's handler of errors.
func (w *Watches) Failed(ctx context.Context, reflector *cache.Reflector, err error) {
	w.note(reflector, reflector.TypeDescription(), err)
	cache.DefaultWatchErrorHandler(ctx, reflector, err)
}

func (w *Watches) note(watch any, kind string, err error) {
	if _, short := errors.AsType[*cache.VeryShortWatchError](err); short || errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) ||
		apierrors.IsResourceExpired(err) || apierrors.IsGone(err) {
		return // watches end like that, and begin again
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.series == nil {
		w.series = map[any]errorSeries{}
	}
	s := w.series[watch]
	if time.Since(s.last) > seriesEnds {
		s.count = 0
	}
	w.series[watch] = errorSeries{kind: kind, count: s.count + 1, last: time.Now(), err: err}
}

// Check says which watches keep failing.
func (w *Watches) Check() error {
	w.mu.Lock()
	defer w.mu.Unlock()
	var failing []string
	for _, s := range w.series {
		if s.count >= manyErrors && time.Since(s.last) <= seriesEnds {
			failing = append(failing, s.kind+": "+cause(s.err))
		}
	}
	if len(failing) == 0 {
		return nil
	}
	slices.Sort(failing)
	return fmt.Errorf("changes of these are not seen: %s", strings.Join(slices.Compact(failing), "; "))
}

// cause says what to do about an error of a watch, where that is known.
func cause(err error) string {
	switch {
	case apierrors.IsForbidden(err), apierrors.IsUnauthorized(err):
		return "the operator may not list or watch them (config/rbac)"
	case apierrors.IsNotFound(err):
		return "the API server does not know them (config/crd)"
	}
	return err.Error()
}

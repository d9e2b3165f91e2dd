package controller_test

import (
	"testing"

	"github.com/usher-media/usher/api/v1alpha1"
	"github.com/usher-media/usher/internal/media/memory"
)

func TestWalk(t *testing.T) {
	t.Parallel()
	w := newWorld(t, memory.Options{})
	w.create(w.library("movies", "set=all"), w.library("kids", "set=kids"))
	w.create(w.user("ann", "group=adults"), w.user("mia", "group=kids"))
	w.create(w.grant("everyone", "set=all", "*"), w.grant("kids", "set=kids", "group=kids"))
	w.ready(&v1alpha1.Library{}, "movies", "kids")
	w.ready(&v1alpha1.User{}, "ann", "mia")
	w.seesExactly("ann", "movies")
	w.seesExactly("mia", "movies", "kids")
	w.ready(&v1alpha1.LibraryGrant{}, "everyone", "kids")
	w.condition(&v1alpha1.LibraryGrant{}, "kids", v1alpha1.ConditionApplied, "True", "")
}

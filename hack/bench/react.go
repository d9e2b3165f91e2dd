package main

import (
	"context"
	"fmt"
	"net/http"
	"slices"
	"time"

	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/usher-media/usher/api/v1alpha1"
)

// lookEvery is how often the media server is asked whether a change has come: the times are true to that.
const lookEvery = 5 * time.Millisecond

// person is a user whose access is changed, and the ids of all libraries by name.
type person struct {
	index   int
	id      string
	library map[string]string
}

// react measures, for one change at a time, how long it takes from the write to the API until the media server shows
// the access: a grant of one library to one user, its withdrawal, and a label that swaps five libraries for five others.
func (b *bench) react(ctx context.Context) error {
	if err := b.media.enter(ctx, "/v1/auth/sign-in", map[string]string{"login": owner, "password": ownerPassword}); err != nil {
		return err
	}
	libraries, err := b.libraryIDs(ctx)
	if err != nil {
		return err
	}
	before, err := b.snapshot(ctx)
	if err != nil {
		return err
	}
	var given, taken, relabelled []time.Duration
	for i := range b.reactions {
		p := &person{index: i, library: libraries}
		for _, change := range []struct {
			times *[]time.Duration
			do    func(context.Context, *person) (time.Duration, error)
		}{{&given, b.give}, {&taken, b.takeBack}, {&relabelled, b.relabel}} {
			took, err := change.do(ctx, p)
			if err != nil {
				return fmt.Errorf("%s: %w", userName(p.index), err)
			}
			*change.times = append(*change.times, took)
		}
		if (i+1)%25 == 0 {
			b.say("  %d of %d grants, withdrawals and label changes", i+1, b.reactions)
		}
	}
	after, err := b.idle(ctx)
	if err != nil {
		return err
	}
	b.table.heading("Reaction time, from the write to the API until the media server shows it (median, 99th percentile)")
	b.table.note(fmt.Sprintf("a grant of one library to one user, %d times", len(given)), "%s", percentiles(given))
	b.table.note("that grant disabled", "%s", percentiles(taken))
	b.table.note("a changed label: five libraries for five others", "%s", percentiles(relabelled))
	found := after.since(before)
	b.table.most("media-server writes a change", float64(found.media.only(changes).total())/float64(3*b.reactions), 1)
	b.table.note("Kubernetes writes a change", "%.2f", float64(found.kubernetes.only(writes).total())/float64(3*b.reactions))
	return nil
}

func (b *bench) libraryIDs(ctx context.Context) (map[string]string, error) {
	var libraries v1alpha1.LibraryList
	if err := b.client.List(ctx, &libraries, client.InNamespace(namespace)); err != nil {
		return nil, err
	}
	ids := map[string]string{}
	for i := range libraries.Items {
		ids[libraries.Items[i].Name] = libraries.Items[i].Status.ExternalID
	}
	return ids, nil
}

// give grants the person the first library of a shelf that neither team nor club opens.
func (b *bench) give(ctx context.Context, p *person) (time.Duration, error) {
	var user v1alpha1.User
	if err := b.client.Get(ctx, client.ObjectKey{Namespace: namespace, Name: userName(p.index)}, &user); err != nil {
		return 0, err
	}
	p.id = user.Status.ExternalID
	began := time.Now()
	if err := b.client.Create(ctx, b.oneGrant(p)); err != nil {
		return 0, err
	}
	return b.seen(ctx, began, p, func(has []string) bool { return slices.Contains(has, p.library[b.strange(p)]) })
}

func (b *bench) takeBack(ctx context.Context, p *person) (time.Duration, error) {
	began := time.Now()
	// A deletion waits, in case everything is being deleted; a grant that is disabled is followed at once.
	disabled := client.RawPatch(types.MergePatchType, []byte(`{"spec":{"disabled":true}}`))
	if err := b.client.Patch(ctx, b.oneGrant(p), disabled); err != nil {
		return 0, err
	}
	return b.seen(ctx, began, p, func(has []string) bool { return !slices.Contains(has, p.library[b.strange(p)]) })
}

// strange is a library that the person has by no label, now or later.
func (b *bench) strange(p *person) string { return libName((p.index + 1) % groups) }

func (b *bench) oneGrant(p *person) *v1alpha1.LibraryGrant {
	return &v1alpha1.LibraryGrant{
		ObjectMeta: meta(namespace, "one-"+userName(p.index), nil),
		Spec: v1alpha1.LibraryGrantSpec{
			Libraries: v1alpha1.Targets{Refs: []v1alpha1.LocalReference{{Name: b.strange(p)}}},
			Users:     v1alpha1.Targets{Refs: []v1alpha1.LocalReference{{Name: userName(p.index)}}},
		},
	}
}

// relabel moves the person to the next club.
func (b *bench) relabel(ctx context.Context, p *person) (time.Duration, error) {
	club := p.index/groups + 1
	want := b.shelfIDs(p, club)
	user := &v1alpha1.User{ObjectMeta: meta(namespace, userName(p.index), nil)}
	patch := fmt.Sprintf(`{"metadata":{"labels":{%q:%q}}}`, labelClub, group(club))
	began := time.Now()
	if err := b.client.Patch(ctx, user, client.RawPatch(types.MergePatchType, []byte(patch))); err != nil {
		return 0, err
	}
	return b.seen(ctx, began, p, func(has []string) bool {
		return !slices.ContainsFunc(want, func(id string) bool { return !slices.Contains(has, id) })
	})
}

// shelfIDs are the libraries of a club's shelf.
func (b *bench) shelfIDs(p *person, club int) []string {
	var ids []string
	for i := groups + club%groups; i < b.libraries; i += shelves {
		ids = append(ids, p.library[libName(i)])
	}
	return ids
}

// seen waits until the media server shows the access.
func (b *bench) seen(ctx context.Context, began time.Time, p *person, is func(libraries []string) bool) (time.Duration, error) {
	ctx, cancel := context.WithTimeout(ctx, time.Minute)
	defer cancel()
	for {
		var found account
		if err := b.media.do(ctx, http.MethodGet, "/v1/users/"+p.id, nil, &found); err != nil {
			return 0, err
		}
		var has []string
		for _, entry := range found.Access.Libraries {
			has = append(has, entry.LibraryID)
		}
		if is(has) {
			return time.Since(began), nil
		}
		if err := b.pause(ctx, lookEvery); err != nil {
			return 0, fmt.Errorf("the change did not come: %w", err)
		}
	}
}

func percentiles(durations []time.Duration) string {
	slices.Sort(durations)
	at := func(share float64) int64 {
		return durations[int(share*float64(len(durations)-1)+0.5)].Milliseconds()
	}
	return fmt.Sprintf("%d ms, %d ms", at(0.5), at(0.99))
}

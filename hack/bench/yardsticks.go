package main

import (
	"context"
	"fmt"
	"net/http"
	"time"
)

// yardsticks make the load's writes again without Usher, with nothing else running: those to the media server by a
// bare HTTP client on a fresh media server, those to Kubernetes by a bare client in another namespace.
func (b *bench) yardsticks(ctx context.Context) error {
	if err := b.end(b.operator.Process); err != nil {
		return err
	}
	media, err := b.bareMedia(ctx)
	if err != nil {
		return fmt.Errorf("media server: %w", err)
	}
	written := b.loaded.ready.kubernetes.only(writes)
	cpu := cpuTimes()
	kubernetes, n, err := b.bareKubernetes(ctx, written)
	if err != nil {
		return fmt.Errorf("kubernetes: %w", err)
	}
	after := cpuTimes()
	if err := b.sweep(ctx); err != nil {
		return fmt.Errorf("remove what the bare client made: %w", err)
	}
	bare := media.Seconds() + kubernetes.Seconds()
	ratio := b.loaded.seconds / bare
	t := &b.table
	t.heading("Bare clients, the same writes")
	t.note("a bare HTTP client, the same media-server writes", "%.1f s  (%d writes, %d at once)", media.Seconds(), b.loaded.ready.media.only(changes).total(), driverConcurrency)
	t.note("a bare Kubernetes client, as many writes of each kind", "%.1f s  (%d writes, the applying among them; %.0f a second)", kubernetes.Seconds(), n, float64(n)/kubernetes.Seconds())
	t.reportCPU("  processor time of that, of all processors", cpu, after)
	t.timed("Usher took", times(ratio), "at most "+times(budgetRatio), ratio > budgetRatio)
	if b.operator, err = b.startOperator(ctx); err != nil {
		return err
	}
	return b.awaitReconciles(ctx, b.users)
}

// bareMedia makes the media-server writes that the load made. Libraries come one by one, as Usher makes them.
func (b *bench) bareMedia(ctx context.Context) (time.Duration, error) {
	m, err := b.startMediaServer(ctx, "mediaserver-bare")
	if err != nil {
		return 0, err
	}
	defer func() { _ = b.end(m.Process) }()
	if err := m.enter(ctx, "/v1/auth/register", map[string]string{"username": owner, "password": ownerPassword}); err != nil {
		return 0, err
	}
	made := b.loaded.ready.media.only(changes)
	began := time.Now()
	ids := make([]string, b.libraries)
	for i := range ids {
		var library struct{ ID string }
		body := map[string]any{"name": fmt.Sprintf("Library %d", i), "type": "movies", "paths": []string{m.folders + "/" + libName(i)}}
		if err := m.do(ctx, http.MethodPost, "/v1/libraries", body, &library); err != nil {
			return 0, err
		}
		ids[i] = library.ID
	}
	accounts := make([]string, made["POST /v1/users"])
	err = each(ctx, driverConcurrency, len(accounts), func(ctx context.Context, i int) error {
		var created account
		err := m.do(ctx, http.MethodPost, "/v1/users", map[string]any{
			"username": userName(i), "displayName": fmt.Sprintf("User %d", i), "role": "member",
			"password": fmt.Sprintf("password of %d, as long as a made one", i), "access": accessOf(i, ids),
		}, &created)
		accounts[i] = created.ID
		return err
	})
	if err != nil {
		return 0, err
	}
	err = each(ctx, driverConcurrency, made["PUT /v1/users/{id}/access"], func(ctx context.Context, i int) error {
		return m.do(ctx, http.MethodPut, "/v1/users/"+accounts[i%len(accounts)]+"/access", accessOf(i+1, ids), nil)
	})
	took := time.Since(began)
	known := b.libraries + len(accounts) + made["PUT /v1/users/{id}/access"]
	if err == nil && known != made.total() {
		err = fmt.Errorf("the load made writes that the bare client does not know: %v", made)
	}
	return took, err
}

// accessOf is the access that the grants give a user.
func accessOf(user int, ids []string) map[string]any {
	var libraries []map[string]string
	for i, id := range ids {
		if shelf := i % shelves; shelf == user%groups || shelf == groups+user/groups%groups {
			libraries = append(libraries, map[string]string{"libraryId": id, "role": "viewer"})
		}
	}
	return map[string]any{"all": false, "libraries": libraries}
}

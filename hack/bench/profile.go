package main

import (
	"context"
	"fmt"
	"net/http"
)

// startProfile begins the operator's CPU profile, where profiles are wanted.
func (b *bench) startProfile(ctx context.Context) error { return b.control(ctx, "/start") }

// writeProfiles writes the CPU profile since the start, and one of the heap, as NAME.cpu and NAME.heap.
func (b *bench) writeProfiles(ctx context.Context, name string) error {
	return b.control(ctx, "/write?name="+name)
}

func (b *bench) control(ctx context.Context, path string) error {
	if b.profile == "" {
		return nil
	}
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, b.operator.control+path, nil)
	if err != nil {
		return err
	}
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		return err
	}
	defer func() { _ = response.Body.Close() }()
	if response.StatusCode != http.StatusOK {
		return fmt.Errorf("profiles: %s", response.Status)
	}
	return nil
}

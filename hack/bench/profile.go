package main

import (
	"context"
	"fmt"
	"net/http"
	"os"
	"path/filepath"

	"k8s.io/client-go/discovery"
)

// serverProfile is how long the API server's profile is taken for, in seconds.
const serverProfile = 5

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

// profileServer writes a CPU profile of the API server's next seconds as NAME-apiserver.cpu, where profiles are wanted. Wait
// for what it returns.
func (b *bench) profileServer(ctx context.Context, name string) <-chan error {
	done := make(chan error, 1)
	if b.profile == "" {
		done <- nil
		return done
	}
	go func() {
		client, err := discovery.NewDiscoveryClientForConfig(b.env.Config())
		if err != nil {
			done <- err
			return
		}
		profile, err := client.RESTClient().Get().AbsPath("/debug/pprof/profile").Param("seconds", fmt.Sprint(serverProfile)).DoRaw(ctx)
		if err == nil {
			err = os.WriteFile(filepath.Join(b.profile, name+"-apiserver.cpu"), profile, 0o644)
		}
		done <- err
	}()
	return done
}

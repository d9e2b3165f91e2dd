package controller_test

import (
	"context"
	"fmt"
	"maps"
	"sync"

	"k8s.io/client-go/rest"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/client/interceptor"
)

// countingClient counts the writes of a manager's client, by verb and kind.
type countingClient struct {
	mu     sync.Mutex
	writes map[string]int
	// refuse says why a patch of an object is refused; nil to refuse none.
	refuse func(client.Object) error
	// liveGet changes what a live read has read; nil to change nothing.
	liveGet func(client.Object)
}

// onLiveGet sets what a live read is changed by from now on.
func (c *countingClient) onLiveGet(change func(client.Object)) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.liveGet = change
}

func (c *countingClient) changed(object client.Object) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.liveGet != nil {
		c.liveGet(object)
	}
}

func (c *countingClient) refusal(object client.Object) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.refuse == nil {
		return nil
	}
	return c.refuse(object)
}

// refusing sets what is refused from now on.
func (c *countingClient) refusing(refuse func(client.Object) error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.refuse = refuse
}

func (c *countingClient) count(verb string, object client.Object) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.writes == nil {
		c.writes = map[string]int{}
	}
	c.writes[fmt.Sprintf("%s %T", verb, object)]++
}

// take returns the counts since the last take.
func (c *countingClient) take() map[string]int {
	c.mu.Lock()
	defer c.mu.Unlock()
	taken := maps.Clone(c.writes)
	clear(c.writes)
	return taken
}

func (c *countingClient) wrap(config *rest.Config, options client.Options) (client.Client, error) {
	base, err := client.NewWithWatch(config, options)
	if err != nil {
		return nil, err
	}
	live := options.Cache == nil
	return interceptor.NewClient(base, interceptor.Funcs{
		Get: func(ctx context.Context, w client.WithWatch, key client.ObjectKey, o client.Object, opts ...client.GetOption) error {
			err := w.Get(ctx, key, o, opts...)
			if live && err == nil {
				c.changed(o)
			}
			return err
		},
		Create: func(ctx context.Context, w client.WithWatch, o client.Object, opts ...client.CreateOption) error {
			c.count("create", o)
			return w.Create(ctx, o, opts...)
		},
		Update: func(ctx context.Context, w client.WithWatch, o client.Object, opts ...client.UpdateOption) error {
			c.count("update", o)
			return w.Update(ctx, o, opts...)
		},
		Patch: func(ctx context.Context, w client.WithWatch, o client.Object, p client.Patch, opts ...client.PatchOption) error {
			c.count("patch", o)
			if err := c.refusal(o); err != nil {
				return err
			}
			return w.Patch(ctx, o, p, opts...)
		},
		Delete: func(ctx context.Context, w client.WithWatch, o client.Object, opts ...client.DeleteOption) error {
			c.count("delete", o)
			return w.Delete(ctx, o, opts...)
		},
		SubResourcePatch: func(ctx context.Context, cl client.Client, sub string, o client.Object, p client.Patch, opts ...client.SubResourcePatchOption) error {
			c.count("patch "+sub, o)
			return cl.SubResource(sub).Patch(ctx, o, p, opts...)
		},
	}), nil
}

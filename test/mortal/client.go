package mortal

import (
	"context"
	"fmt"
	"reflect"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/client-go/rest"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/client/interceptor"
)

// NewClient makes clients of the API server that are the process's. It is a client.NewClientFunc.
func (p *Process) NewClient(config *rest.Config, options client.Options) (client.Client, error) {
	base, err := client.NewWithWatch(config, options)
	if err != nil {
		return nil, err
	}
	return interceptor.NewClient(base, interceptor.Funcs{
		Get: func(ctx context.Context, c client.WithWatch, key client.ObjectKey, o client.Object, opts ...client.GetOption) error {
			if p.Dead() {
				return ErrDead
			}
			return c.Get(ctx, key, o, opts...)
		},
		List: func(ctx context.Context, c client.WithWatch, l client.ObjectList, opts ...client.ListOption) error {
			if p.Dead() {
				return ErrDead
			}
			return c.List(ctx, l, opts...)
		},
		Create: func(ctx context.Context, c client.WithWatch, o client.Object, opts ...client.CreateOption) error {
			return p.toAPI("create", "", o, func() error { return c.Create(ctx, o, opts...) })
		},
		Update: func(ctx context.Context, c client.WithWatch, o client.Object, opts ...client.UpdateOption) error {
			return p.toAPI("update", "", o, func() error { return c.Update(ctx, o, opts...) })
		},
		Patch: func(ctx context.Context, c client.WithWatch, o client.Object, patch client.Patch, opts ...client.PatchOption) error {
			return p.toAPI("patch", "", o, func() error { return c.Patch(ctx, o, patch, opts...) })
		},
		Delete: func(ctx context.Context, c client.WithWatch, o client.Object, opts ...client.DeleteOption) error {
			return p.toAPI("delete", "", o, func() error { return c.Delete(ctx, o, opts...) })
		},
		SubResourcePatch: func(ctx context.Context, c client.Client, sub string, o client.Object, patch client.Patch, opts ...client.SubResourcePatchOption) error {
			return p.toAPI("patch", "/"+sub, o, func() error { return c.SubResource(sub).Patch(ctx, o, patch, opts...) })
		},
	}), nil
}

func (p *Process) toAPI(verb, sub string, o client.Object, do func() error) error {
	name := fmt.Sprintf("api: %s %s%s %s", verb, reflect.TypeOf(o).Elem().Name(), sub, o.GetName())
	timeout := func() error { return apierrors.NewTimeoutError("the answer was lost", 1) }
	internal := func() error { return apierrors.NewInternalError(fmt.Errorf("refused by the test")) }
	return p.write(name, do, timeout, internal)
}

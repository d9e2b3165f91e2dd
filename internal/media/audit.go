package media

import (
	"context"
	"strings"

	"github.com/go-logr/logr"
)

type reasonKey struct{}

// WithReason returns a context under which each write to a media server is logged with why it is made, in words for
// people. The words must hold no secret.
func WithReason(ctx context.Context, words ...string) context.Context {
	return context.WithValue(ctx, reasonKey{}, strings.Join(words, "; "))
}

// audit logs a write: one line at info, whatever became of it. The context's logger says for which object, in a reconcile.
func audit(ctx context.Context, t task, err error) {
	if !t.write {
		return
	}
	result := "OK"
	if err != nil {
		result = string(CodeOf(err))
	}
	reason, _ := ctx.Value(reasonKey{}).(string)
	logr.FromContextOrDiscard(ctx).Info("media server write",
		"operation", t.operation, "target", presentable(t.target, t.secrets), "reason", presentable(reason, t.secrets), "result", result)
}

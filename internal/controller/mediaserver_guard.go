package controller

import (
	"context"
	"strings"

	"k8s.io/apimachinery/pkg/api/meta"

	"github.com/usher-media/usher/api/v1alpha1"
	"github.com/usher-media/usher/internal/media"
)

// mend shuts a hole of the server again that somebody opened since the last look.
func (r *mediaServerReconciler) mend(ctx context.Context, server *v1alpha1.MediaServer, connection media.Connection) *outcome {
	if server.Spec.Mode == v1alpha1.ModeObserve || (site{server: server}).retained() {
		return nil
	}
	amiss, err := connection.Server.Mend(ctx)
	if len(amiss) > 0 {
		r.warn(server, "Mended", "Mend", "%s", bounded(strings.Join(amiss, "; "), 500))
	}
	if err == nil && len(amiss) > 0 {
		err = connection.Server.Refresh(ctx, connection.Probe.Self)
	}
	if err != nil {
		o := connectionOutcome(err)
		return &o
	}
	return nil
}

// warnAgain emits an event of each warning that the status does not hold yet.
func (r *mediaServerReconciler) warnAgain(server *v1alpha1.MediaServer, warnings []string) {
	ready := meta.FindStatusCondition(server.Status.Conditions, v1alpha1.ConditionReady)
	for _, warning := range warnings {
		if known := strings.TrimSuffix(bounded(warning, 200), "..."); ready == nil || !strings.Contains(ready.Message, known) {
			r.warn(server, "ServerWarning", "Probe", "%s", bounded(warning, 500))
		}
	}
}

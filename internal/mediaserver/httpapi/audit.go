package httpapi

import (
	"context"
	"encoding/json"
	"net/http"
	"time"

	"github.com/usher-media/usher/internal/mediaserver/rules"
	"github.com/usher-media/usher/internal/mediaserver/store"
)

// AuditActor is who did something.
type AuditActor struct {
	ID   string `json:"id" doc:"Empty for a stranger"`
	Name string `json:"name"`
}

// AuditTarget is to what something was done.
type AuditTarget struct {
	Type string `json:"type" enum:"user,library,invite,item,role,server"`
	ID   string `json:"id"`
	Name string `json:"name" doc:"As it was called then"`
}

// AuditEntry is one line of the audit log. It holds no secret.
type AuditEntry struct {
	ID      string         `json:"id"`
	At      time.Time      `json:"at"`
	Action  string         `json:"action" example:"user.update"`
	Actor   AuditActor     `json:"actor"`
	Target  AuditTarget    `json:"target"`
	Client  string         `json:"client" doc:"The network address that the request came from"`
	Details map[string]any `json:"details" nullable:"false" doc:"What it was made with; of a change, each field with its value before and after"`
}

// Job is the latest scan of a library.
type Job struct {
	Type        string `json:"type" enum:"scan"`
	LibraryID   string `json:"libraryId"`
	LibraryName string `json:"libraryName"`
	Scan
}

// Configuration is how the server was started.
type Configuration struct {
	Database          string   `json:"database" enum:"sqlite,postgresql"`
	MediaRoots        []string `json:"mediaRoots" nullable:"false"`
	SessionDays       int      `json:"sessionDays"`
	SignInsPerClient  int      `json:"signInsPerClient" doc:"A minute; 0: no limit"`
	SignInsPerAccount int      `json:"signInsPerAccount" doc:"A minute; 0: no limit"`
	TrustedProxies    []string `json:"trustedProxies" nullable:"false" doc:"Networks whose X-Forwarded-For is believed"`
}

// auditRoutes are what administrators look at and never change.
func (a *api) auditRoutes() {
	add(a, route{method: http.MethodGet, path: "/v1/audit-log", id: "list-audit-log", tag: "server", needs: rules.ViewAuditLogs,
		summary: "Every change and sign-in, the newest first"}, a.listAudit)
	add(a, route{method: http.MethodGet, path: "/v1/jobs", id: "list-jobs", tag: "server", needs: rules.ViewJobs,
		summary: "The latest scan of each library that one may see"}, a.listJobs)
	add(a, route{method: http.MethodGet, path: "/v1/server/config", id: "get-config", tag: "server", needs: rules.ViewSettings,
		summary: "How the server was started"}, a.getConfig)
}

func (a *api) listAudit(ctx context.Context, in *PageQuery) (*body[Page[AuditEntry]], error) {
	list, err := a.store.Audit(ctx, in.page())
	return pageOf(list, auditView), err
}

func auditView(e *store.AuditEntry) AuditEntry {
	view := AuditEntry{
		ID: e.ID, At: e.At.Time(), Action: e.Action, Actor: AuditActor{ID: e.ActorID, Name: e.ActorName},
		Target: AuditTarget{Type: e.TargetType, ID: e.TargetID, Name: e.TargetName}, Client: e.Client,
	}
	if json.Unmarshal([]byte(e.Details), &view.Details) != nil || view.Details == nil {
		view.Details = map[string]any{}
	}
	return view
}

func (a *api) listJobs(ctx context.Context, in *PageQuery) (*body[Page[Job]], error) {
	list, err := a.store.Libraries(ctx, callerOf(ctx).account.Viewer(), in.page())
	return pageOf(list, func(l *store.Library) Job {
		return Job{Type: "scan", LibraryID: l.ID, LibraryName: l.Name, Scan: scanView(l)}
	}), err
}

func (a *api) getConfig(context.Context, *none) (*body[Configuration], error) {
	config := Configuration{
		Database: a.store.Engine(), MediaRoots: append([]string{}, a.roots.Folders()...),
		SessionDays:      int(sessionLife / (24 * time.Hour)),
		SignInsPerClient: a.limits.limits.PerClient, SignInsPerAccount: a.limits.limits.PerAccount,
		TrustedProxies: []string{},
	}
	for _, proxy := range a.proxies {
		config.TrustedProxies = append(config.TrustedProxies, proxy.String())
	}
	return &body[Configuration]{Body: config}, nil
}

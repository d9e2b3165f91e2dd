// Package httpapi is the embedded media server's HTTP interface: the paths and conventions of Dubby (Dubby access
// seed, lines 20 to 31, and Dubby contract, section 2), described by OpenAPI 3.1 at /v1/openapi.json and readable at /docs.
package httpapi

import (
	"context"
	"log/slog"
	"net/http"
	"net/netip"
	"time"

	"github.com/danielgtaylor/huma/v2"
	"github.com/danielgtaylor/huma/v2/adapters/humago"

	"github.com/usher-media/usher/internal/mediaserver/auth"
	"github.com/usher-media/usher/internal/mediaserver/mediafile"
	"github.com/usher-media/usher/internal/mediaserver/rules"
	"github.com/usher-media/usher/internal/mediaserver/scan"
	"github.com/usher-media/usher/internal/mediaserver/store"
)

// maxBody is how many bytes a request body may have (Dubby contract, section 2).
const maxBody = 1 << 20

// sessionLife is how long a sign-in lasts (Shisho seed, line 42: "Sessions last 7 days").
const sessionLife = 7 * 24 * time.Hour

// Config is what the HTTP interface needs. Every field but Limits is required.
type Config struct {
	Store  *store.Store
	Hasher *auth.Hasher
	Scans  *scan.Runner
	Roots  mediafile.Roots
	Logger *slog.Logger
	Clock  func() time.Time
	// Version is told to everybody who asks.
	Version string
	Limits  Limits
	// Proxies are the networks whose X-Forwarded-For is believed.
	Proxies []netip.Prefix
	// BodyTimeout is how long the body of one request may take to arrive.
	BodyTimeout time.Duration
}

type api struct {
	store *store.Store
	// watching is the store for what streams ask while they are sent.
	watching *store.Store
	hasher   *auth.Hasher
	scans    *scan.Runner
	roots    mediafile.Roots
	log      *slog.Logger
	now      func() time.Time
	version  string
	limits   *limiter
	proxies  []netip.Prefix
	proven   *proven
	streams  *streams
	// bodyTimeout is set anew by the framework when it begins to read.
	bodyTimeout time.Duration
	huma        huma.API
}

// New returns a handler that serves the whole interface, and one with metrics, which is for whoever runs the server and is not
// part of the first. Handlers share nothing with each other.
func New(config Config) (handler, metrics http.Handler) {
	mux := http.NewServeMux()
	a := &api{
		store: config.Store, watching: config.Store.Watching(), hasher: config.Hasher, scans: config.Scans, roots: config.Roots, log: config.Logger,
		now: config.Clock, version: config.Version, limits: &limiter{limits: config.Limits, store: config.Store},
		proxies: config.Proxies, proven: newProven(), bodyTimeout: config.BodyTimeout,
	}
	a.streams = newStreams(a.watching, config.Logger, config.Clock)
	a.huma = humago.New(mux, describe(config.Version))
	a.serverRoutes()
	a.sessionRoutes()
	a.dubbyRoutes()
	a.userRoutes()
	a.libraryRoutes()
	a.permissionRoutes()
	a.memberRoutes()
	a.roleRoutes()
	a.auditRoutes()
	a.inviteRoutes()
	a.invitationRoutes()
	a.itemRoutes()
	a.browseRoutes()
	a.catalogRoutes()
	a.contentRoutes()
	a.shareRoutes()
	a.documentRoutes(mux)
	a.pageRoutes(mux)
	a.webRoutes(mux)
	seen := newObserver(config.Logger, a.clientOfRequest)
	seen.watch(config.Hasher)
	a.operationRoutes(mux)
	return limitBodies(seen.wrap(mux), config.BodyTimeout), seen.metrics()
}

func describe(version string) huma.Config {
	config := huma.DefaultConfig("Usher media server", version)
	config.Info.Description = "Libraries over real directories, and who may see them. Sign in at /v1/auth/sign-in and " +
		"send the token as a bearer token. A library that you may not see does not exist for you."
	// The document and its page are served by this package, and answers carry no links to their schemas.
	config.OpenAPIPath, config.DocsPath, config.SchemasPath, config.CreateHooks = "", "", "", nil
	config.Components.SecuritySchemes = map[string]*huma.SecurityScheme{
		"bearer": {Type: "http", Scheme: "bearer"}, "basic": {Type: "http", Scheme: "basic"},
	}
	return config
}

// route is one operation and who gets through to it.
type route struct {
	method, path, id, summary, tag string
	// status is that of success; 0 means 200.
	status int
	// public lets anybody in.
	public bool
	// greets, on a public route, finds out who comes with a valid token; others come as strangers.
	greets bool
	// basic takes HTTP Basic, and nothing else.
	basic bool
	// beforeChange lets in accounts that must change their password first.
	beforeChange bool
	// needs is the capability that it takes, if any.
	needs rules.Capability
}

type (
	// body is an answer with a JSON body.
	body[T any] struct{ Body T }
	// none is an answer without a body, and a request without parameters.
	none struct{}
	// byID names one thing in the path.
	byID struct {
		ID string `path:"id"`
	}
)

// PageQuery asks for a page. It is exported because the framework fills in embedded parameters only then.
type PageQuery struct {
	Cursor string `query:"cursor" doc:"The nextCursor of the page before"`
	Limit  int    `query:"limit" minimum:"1" maximum:"100" default:"20"`
}

func (q PageQuery) page() store.Page { return store.Page{Cursor: q.Cursor, Limit: q.Limit} }

// add registers an operation. Whatever its handler returns as an error is explained to the client.
func add[I, O any](a *api, r route, handle func(context.Context, *I) (*O, error)) {
	operation := huma.Operation{
		OperationID: r.id, Method: r.method, Path: r.path, Summary: r.summary, Tags: []string{r.tag},
		DefaultStatus: r.status, MaxBodyBytes: maxBody + 1, BodyReadTimeout: a.bodyTimeout, Middlewares: huma.Middlewares{a.guard(r)},
	}
	if !r.public {
		operation.Security = []map[string][]string{{"bearer": {}}}
	}
	if r.basic {
		operation.Security = []map[string][]string{{"basic": {}}}
	}
	if r.greets {
		operation.Security = []map[string][]string{{}, {"bearer": {}}}
	}
	if r.needs != "" {
		operation.Description = "Needs the capability " + string(r.needs) + "."
	}
	huma.Register(a.huma, operation, func(ctx context.Context, in *I) (*O, error) {
		out, err := handle(ctx, in)
		if err != nil {
			return nil, a.explain(err)
		}
		return out, nil
	})
}

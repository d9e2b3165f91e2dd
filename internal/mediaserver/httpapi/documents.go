package httpapi

import (
	"bytes"
	"context"
	_ "embed" // for the page's template
	"encoding/json"
	"html/template"
	"net/http"
	"sync"
	"time"

	"github.com/danielgtaylor/huma/v2"
)

// readyTimeout bounds how long a readiness check waits for the database.
const readyTimeout = 2 * time.Second

//go:embed docs.html
var docsPage string

// documentRoutes serves the OpenAPI document and a page made of it. Both are made once, on demand, so that starting is
// fast; the page loads nothing from elsewhere, so that it works without the internet.
func (a *api) documentRoutes(mux *http.ServeMux) {
	document := sync.OnceValues(func() ([]byte, error) { return json.Marshal(a.huma.OpenAPI()) })
	page := sync.OnceValues(func() ([]byte, error) { return renderDocs(a.huma.OpenAPI()) })
	mux.HandleFunc("GET /v1/openapi.json", a.static("application/json", document))
	mux.HandleFunc("GET /docs", a.static("text/html; charset=utf-8", page))
}

func (a *api) static(contentType string, content func() ([]byte, error)) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) {
		data, err := content()
		if err != nil {
			a.log.Error("document cannot be made", "error", err)
			answer(w, http.StatusInternalServerError, textInternal)
			return
		}
		w.Header().Set("Content-Type", contentType)
		w.Header().Set("Content-Security-Policy", "default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'none'")
		_, _ = w.Write(data)
	}
}

// documented is one operation as the page shows it.
type documented struct {
	Method, Path string
	*huma.Operation
}

func renderDocs(document *huma.OpenAPI) ([]byte, error) {
	parsed, err := template.New("docs").Funcs(template.FuncMap{"json": indented}).Parse(docsPage)
	if err != nil {
		return nil, err
	}
	var operations []documented
	for path, item := range document.Paths {
		operations = append(operations, operationsOf(path, item)...)
	}
	var page bytes.Buffer
	err = parsed.Execute(&page, map[string]any{
		"Info": document.Info, "Chapters": inChapters(sorted(operations)), "Schemas": document.Components.Schemas.Map(),
	})
	return page.Bytes(), err
}

func indented(v any) (string, error) {
	data, err := json.MarshalIndent(v, "", "  ")
	return string(data), err
}

// operationRoutes serves what keeps the server running: is it alive, is it ready.
func (a *api) operationRoutes(mux *http.ServeMux) {
	mux.HandleFunc("GET /healthz", func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write([]byte("ok\n")) })
	mux.HandleFunc("GET /readyz", a.ready)
	mux.HandleFunc("/", func(w http.ResponseWriter, _ *http.Request) { answer(w, http.StatusNotFound, "Not found") })
}

func (a *api) ready(w http.ResponseWriter, r *http.Request) {
	ctx, cancel := context.WithTimeout(r.Context(), readyTimeout)
	defer cancel()
	if err := a.store.Ping(ctx); err != nil {
		answer(w, http.StatusServiceUnavailable, "The database does not answer")
		return
	}
	_, _ = w.Write([]byte("ok\n"))
}

// answer writes an error outside of the framework, in the same form.
func answer(w http.ResponseWriter, status int, text string) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(newProblem(status, text))
}

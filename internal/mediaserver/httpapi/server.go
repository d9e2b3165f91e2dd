package httpapi

import (
	"context"
	"net/http"

	"github.com/usher-media/usher/internal/mediaserver/rules"
	"github.com/usher-media/usher/internal/mediaserver/store"
)

// Server is what anybody may know about this server.
type Server struct {
	ID            string             `json:"id" doc:"Made with the database; tells this server from any other"`
	Name          string             `json:"name"`
	Version       string             `json:"version"`
	SetupRequired bool               `json:"setupRequired" doc:"True until the first account, the owner, is registered"`
	Registration  rules.Registration `json:"registration" enum:"open,invite_only,closed"`
	ChosenUserIDs bool               `json:"chosenUserIds" doc:"A new user takes the id that the request has"`
}

type serverChange struct {
	Body struct {
		Name         *string             `json:"name,omitempty" minLength:"1" maxLength:"100"`
		Registration *rules.Registration `json:"registration,omitempty" enum:"open,invite_only,closed"`
	}
}

func (a *api) serverRoutes() {
	add(a, route{method: http.MethodGet, path: "/v1/server", id: "get-server", tag: "server", public: true,
		summary: "What this server is"}, a.getServer)
	add(a, route{method: http.MethodPatch, path: "/v1/server", id: "update-server", tag: "server",
		summary: "Rename the server or say who may register", needs: rules.ManageSettings}, a.patchServer)
}

func (a *api) getServer(ctx context.Context, _ *none) (*body[Server], error) {
	settings, setupRequired, err := a.store.Settings(ctx)
	return &body[Server]{Body: a.serverView(settings, setupRequired)}, err
}

func (a *api) patchServer(ctx context.Context, in *serverChange) (*body[Server], error) {
	if in.Body.Name != nil {
		if err := invalidField("name", rules.CheckServerName(*in.Body.Name)); err != nil {
			return nil, err
		}
	}
	settings, err := a.store.UpdateSettings(ctx, func(s *store.Settings) {
		set(&s.Name, in.Body.Name)
		set(&s.Registration, in.Body.Registration)
	})
	return &body[Server]{Body: a.serverView(settings, false)}, err
}

func (a *api) serverView(s store.Settings, setupRequired bool) Server {
	return Server{ID: s.ID, Name: s.Name, Version: a.version, SetupRequired: setupRequired, Registration: s.Registration, ChosenUserIDs: true}
}

package api

import (
	"strings"
	"testing"
)

var goodMediaServers = map[string]string{
	"the smallest": `{}`,
	"everything": `{type: Alcoves, url: "https://alcoves.media.svc:3000/base", database: {secretRef: {name: db}}, tls: {caSecretRef: {name: ca}},
		publicURL: "https://media.example.org", bootstrap: true, syncInterval: 1h30m, mode: Observe, registration: InviteOnly,
		unmanagedAccess: Remove, adoptionPolicy: Always, deletionPolicy: Cascade, mediaRoots: [/media, 'D:\Films']}`,
	"a bare host":           `{url: "http://home"}`,
	"an IPv6 address":       `{url: "http://[::1]:3000"}`,
	"the shortest interval": `{syncInterval: 10s}`,
	"the longest interval":  `{syncInterval: 24h}`,
	"no public URL":         `{publicURL: ""}`,
	"insecure TLS":          `{url: "https://home:3000", tls: {insecureSkipVerify: true}}`,
}

const (
	badURL       = "url must look like http://host:port or https://host/path, without user, query or fragment: credentials belong into the Secret"
	badPublicURL = "publicURL must look like https://media.example.org, without user, query or fragment"
	badInterval  = "syncInterval must be between 10s and 24h"
)

var badMediaServers = []refusal{
	{"no type", `{type: null}`, "spec.type: Required value"},
	{"an unknown type", `{type: Plex}`, `spec.type: Unsupported value: "Plex": supported values: "Embedded", "Dubby", "Alcoves", "Shisho", "Audiobookshelf", "Jellyfin"`},
	{"no url", `{url: null}`, "spec.url: Required value"},
	{"a short url", `{url: "http://"}`, "spec.url"},
	{"a long url", `{url: "http://` + strings.Repeat("h", 512) + `"}`, "spec.url: Too long"},
	{"a url without scheme", `{url: "localhost:3000"}`, badURL},
	{"a url of a file", `{url: "file:///etc/passwd"}`, badURL},
	{"a url with credentials", `{url: "http://admin:secret@home:3000"}`, badURL},
	{"a url with a query", `{url: "http://home:3000/?token=x"}`, badURL},
	{"a url with a fragment", `{url: "http://home:3000/#x"}`, badURL},
	{"a url with a space", `{url: "http://ho me:3000"}`, badURL},
	{"no credentials", `{credentials: null}`, "spec.credentials: Required value"},
	{"no Secret", `{credentials: {secretRef: null}}`, "spec.credentials.secretRef: Required value"},
	{"an empty Secret name", `{credentials: {secretRef: {name: ""}}}`, "spec.credentials.secretRef.name"},
	{"a long Secret name", `{credentials: {secretRef: {name: ` + strings.Repeat("s", 254) + `}}}`, "spec.credentials.secretRef.name: Too long"},
	{"a database without need", `{database: {secretRef: {name: db}}}`, "database is only for a type that needs SQL (Alcoves): remove it"},
	{"a database without a Secret", `{type: Alcoves, database: {}}`, "spec.database.secretRef: Required value"},
	{"an empty database Secret name", `{type: Alcoves, database: {secretRef: {name: ""}}}`, "spec.database.secretRef.name"},
	{"a long database Secret name", `{type: Alcoves, database: {secretRef: {name: ` + strings.Repeat("s", 254) + `}}}`, "spec.database.secretRef.name: Too long"},
	{"tls without https", `{tls: {insecureSkipVerify: true}}`, "tls needs a url that begins with https://"},
	{"an empty CA Secret name", `{url: "https://home", tls: {caSecretRef: {name: ""}}}`, "spec.tls.caSecretRef.name"},
	{"a long CA Secret name", `{url: "https://home", tls: {caSecretRef: {name: ` + strings.Repeat("s", 254) + `}}}`, "spec.tls.caSecretRef.name: Too long"},
	{"a public url without scheme", `{publicURL: media.example.org}`, badPublicURL},
	{"a public url with a query", `{publicURL: "https://media.example.org/?a=b"}`, badPublicURL},
	{"a long public url", `{publicURL: "https://` + strings.Repeat("h", 512) + `"}`, "spec.publicURL: Too long"},
	{"an interval that is a number", `{syncInterval: 300}`, "spec.syncInterval"},
	{"an interval without a unit", `{syncInterval: "300"}`, "spec.syncInterval in body should match"},
	{"a negative interval", `{syncInterval: "-5m"}`, "spec.syncInterval in body should match"},
	{"an interval in words", `{syncInterval: daily}`, "spec.syncInterval in body should match"},
	{"a long interval text", `{syncInterval: ` + strings.Repeat("1m", 17) + `}`, "spec.syncInterval: Too long"},
	{"a short interval", `{syncInterval: 9s}`, badInterval},
	{"a long interval", `{syncInterval: 24h1s}`, badInterval},
	{"an unknown mode", `{mode: Plan}`, `spec.mode: Unsupported value: "Plan": supported values: "Enforce", "Observe"`},
	{"an unknown registration", `{registration: Ask}`, `spec.registration: Unsupported value: "Ask": supported values: "Open", "InviteOnly", "Closed"`},
	{"an unknown unmanaged access", `{unmanagedAccess: Drop}`, `spec.unmanagedAccess: Unsupported value: "Drop": supported values: "Keep", "Remove"`},
	{"an unknown deletion policy", `{deletionPolicy: Orphan}`, `spec.deletionPolicy: Unsupported value: "Orphan": supported values: "Retain", "Cascade"`},
	{"an unknown adoption policy", `{adoptionPolicy: Ask}`, `spec.adoptionPolicy: Unsupported value: "Ask": supported values: "Never", "IfDisabled", "Always"`},
	{"a relative media root", `{mediaRoots: [media]}`, "a path must be absolute, as the media server sees it, and hold no .. and no control characters"},
	{"a media root that climbs", `{mediaRoots: [/media/../etc]}`, "a path must be absolute"},
	{"an empty media root", `{mediaRoots: [""]}`, "spec.mediaRoots[0] in body should be at least 1 chars long"},
	{"a long media root", `{mediaRoots: [/` + strings.Repeat("m", 1024) + `]}`, "spec.mediaRoots[0]: Too long"},
	{"many media roots", `{mediaRoots: [` + strings.Repeat("/m,", 33) + `]}`, "spec.mediaRoots: Too many"},
	{"a media root twice", `{mediaRoots: [/media, /media]}`, "spec.mediaRoots[1]: Duplicate value"},
	{"an unknown field", `{token: secret}`, `unknown field "spec.token"`},
}

var mediaServerChanges = []change{
	{"to another type", `{}`, `{type: Dubby}`, "type is immutable: delete this MediaServer and make a new one"},
	{"to another url", `{}`, `{url: "http://127.0.0.1:3001"}`, ""},
	{"to other credentials", `{}`, `{credentials: {secretRef: {name: other}}}`, ""},
	{"to tls without https", `{}`, `{tls: {insecureSkipVerify: true}}`, "tls needs a url that begins with https://"},
}

func TestMediaServer(t *testing.T) {
	testKind(t, "MediaServer", goodMediaServers, badMediaServers, mediaServerChanges)
}

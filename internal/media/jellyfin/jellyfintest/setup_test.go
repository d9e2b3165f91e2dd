package jellyfintest_test

import (
	"net/http"
	"testing"

	"github.com/usher-media/usher/internal/media/jellyfin/jellyfintest"
)

// Trap: 503 phase with lying `/System/Info/Public` (section 2).
func TestSetupServer(t *testing.T) {
	w := newWorld(t, jellyfintest.Options{Version: jellyfintest.Release1011})
	_, _, real := w.raw(http.MethodGet, "/System/Info/Public", http.Header{})
	w.SetPhase(jellyfintest.PhaseStarting)
	status, _, lie := w.raw(http.MethodGet, "/System/Info/Public", http.Header{})
	truth, lied := decoded(t, real), decoded(t, lie)
	if status != http.StatusOK || truth["StartupWizardCompleted"] != true || lied["StartupWizardCompleted"] != false || lied["Id"] != truth["Id"] {
		t.Errorf("%d: %v, and %v by the real server", status, lied, truth)
	}
	health := func(phase jellyfintest.Phase) string {
		w.SetPhase(phase)
		_, _, body := w.raw(http.MethodGet, "/health", http.Header{})
		return string(body)
	}
	if got := health(jellyfintest.PhaseStarting); got != "Degraded" {
		t.Errorf("/health says %q", got)
	}
	for _, path := range []string{"/Startup/User", "/Users", "/nowhere"} {
		status, header, _ := w.raw(http.MethodGet, path, http.Header{})
		if status != http.StatusServiceUnavailable || header.Get("Retry-After") == "" || header.Get("Content-Type") != "text/html" {
			t.Errorf("%s: %d %v", path, status, header)
		}
	}
	w.SetPhase(jellyfintest.PhaseLoading)
	w.want(http.StatusServiceUnavailable, w.nobody(), http.MethodGet, "/System/Info/Public", nil)
	w.SetPhase(jellyfintest.PhaseFailed)
	w.want(http.StatusServiceUnavailable, w.nobody(), http.MethodGet, "/health", nil)
	if got := health(jellyfintest.PhaseRunning); got != "Healthy" {
		t.Errorf("/health says %q", got)
	}
}

// The wizard is open to everybody until it is completed, and so are the libraries (section 3). The steps are those of
// SetUp.
func TestWizard(t *testing.T) {
	for _, version := range jellyfintest.Versions() {
		t.Run(string(version), func(t *testing.T) {
			s := jellyfintest.Start(t, jellyfintest.Options{Version: version})
			w := &world{TB: t, Server: s, version: version}
			w.want(http.StatusOK, w.nobody(), http.MethodGet, folders, nil)
			w.want(http.StatusOK, w.nobody(), http.MethodGet, "/System/Info", nil)
			w.want(http.StatusUnauthorized, w.nobody(), http.MethodGet, "/Users", nil)
			if err := jellyfintest.SetUp(t.Context(), s.URL); err != nil {
				t.Fatal(err)
			}
			for _, path := range []string{folders, "/Startup/User", "/Startup/Configuration", "/System/Info"} {
				w.want(http.StatusUnauthorized, w.nobody(), http.MethodGet, path, nil)
			}
			if _, err := jellyfintest.Enter(t.Context(), s.URL, jellyfintest.Owner, jellyfintest.OwnerPassword); err != nil {
				t.Error(err)
			}
			if owner := s.Person(jellyfintest.Owner); !owner.Administrator || len(s.People()) != 1 {
				t.Errorf("made %v", s.People())
			}
		})
	}
}

// Trap: `/Startup/User` GET creates the user (section 3).
func TestGetMakesTheFirstUser(t *testing.T) {
	for version, want := range map[jellyfintest.Version]int{
		jellyfintest.Release1010: http.StatusInternalServerError, jellyfintest.Release1011: http.StatusNotFound, jellyfintest.Release12: http.StatusNotFound,
	} {
		s := jellyfintest.Start(t, jellyfintest.Options{Version: version})
		w := &world{TB: t, Server: s, version: version}
		form := document{"Name": "Keeper", "Password": password}
		w.want(want, w.nobody(), http.MethodPost, "/Startup/User", form)
		w.want(http.StatusOK, w.nobody(), http.MethodGet, "/Startup/User", nil)
		if len(s.People()) != 1 {
			t.Errorf("%s: %v", version, s.People())
		}
		w.want(http.StatusBadRequest, w.nobody(), http.MethodPost, "/Startup/User", document{"Name": "Keeper"})
		w.want(http.StatusNoContent, w.nobody(), http.MethodPost, "/Startup/User", form)
		again := map[bool]int{true: http.StatusForbidden, false: http.StatusNoContent}[version == jellyfintest.Release12]
		w.want(again, w.nobody(), http.MethodPost, "/Startup/User", form)
		_, _, body := w.raw(http.MethodGet, "/Startup/User", http.Header{})
		if _, leaks := decoded(t, body)["Password"]; leaks != (version == jellyfintest.Release1010) {
			t.Errorf("%s: %s", version, body)
		}
	}
}

// What the wizard's configuration leaves out becomes empty; ServerName is there since 10.11 (section 3).
func TestStartupConfigurationIsReplaced(t *testing.T) {
	for _, version := range jellyfintest.Versions() {
		s := jellyfintest.Start(t, jellyfintest.Options{Version: version})
		w := &world{TB: t, Server: s, version: version}
		w.want(http.StatusNoContent, w.nobody(), http.MethodPost, "/Startup/Configuration", document{"UICulture": "de"})
		_, _, body := w.raw(http.MethodGet, "/Startup/Configuration", http.Header{})
		form := decoded(t, body)
		name, named := form["ServerName"]
		if form["UICulture"] != "de" || form["MetadataCountryCode"] != "" || named != (version != jellyfintest.Release1010) || named && name != "" {
			t.Errorf("%s: %v", version, form)
		}
	}
}

// Who believes the flag runs the wizard on a live server, and renames its first user: until 12.0, which refuses (section
// 2, section 3).
func TestTheWizardRenamesTheFirstUser(t *testing.T) {
	each(t, func(w *world) {
		status := w.by(w.key, http.MethodPost, "/Startup/User", document{"Name": "Intruder", "Password": password})
		renamed := w.Person("Intruder").ID != ""
		if refused := w.version == jellyfintest.Release12; renamed == refused || (status == http.StatusForbidden) != refused {
			w.Errorf("%d, renamed: %v", status, renamed)
		}
	})
}

// A 12.0 whose flag was lost restores it at its start, where there is an administrator with a password (section 3).
func TestTheFlagIsRestoredAtBoot(t *testing.T) {
	for _, version := range jellyfintest.Versions() {
		s := jellyfintest.Start(t, jellyfintest.Options{Version: version})
		w := &world{TB: t, Server: s, version: version}
		w.want(http.StatusOK, w.nobody(), http.MethodGet, "/Startup/User", nil)
		s.Restart()
		w.want(http.StatusOK, w.nobody(), http.MethodGet, "/Startup/User", nil)
		w.want(http.StatusNoContent, w.nobody(), http.MethodPost, "/Startup/User", document{"Name": "Keeper", "Password": password})
		s.Restart()
		want := map[bool]int{true: http.StatusUnauthorized, false: http.StatusOK}[version == jellyfintest.Release12]
		w.want(want, w.nobody(), http.MethodGet, "/Startup/Configuration", nil)
	}
}

// The base path is the server's own; nothing is beside it.
func TestBasePath(t *testing.T) {
	w := newWorld(t, jellyfintest.Options{BasePath: "/jellyfin"})
	w.want(http.StatusOK, w.nobody(), http.MethodGet, "/System/Info/Public", nil)
	w.want(http.StatusOK, w.nobody(), http.MethodGet, "/system/info/public", nil)
	beside := &jellyfintest.Visitor{URL: w.URL[:len(w.URL)-len("/jellyfin")]}
	w.want(http.StatusNotFound, beside, http.MethodGet, "/System/Info/Public", nil)
	w.want(http.StatusMethodNotAllowed, w.nobody(), http.MethodPut, "/System/Info/Public", nil)
}

package jellyfintest_test

import (
	"net/http"
	"slices"
	"testing"
	"time"

	"github.com/usher-media/usher/internal/media/jellyfin/jellyfintest"
)

// providers are the two fields that a policy must have.
func providers(policy document, fields document) document {
	made := document{"AuthenticationProviderId": policy["AuthenticationProviderId"], "PasswordResetProviderId": policy["PasswordResetProviderId"]}
	for name, value := range fields {
		made[name] = value
	}
	return made
}

// Trap: partial policy opens everything (section 5).
func TestPartialPolicyOpensEverything(t *testing.T) {
	each(t, func(w *world) {
		movies := w.AddLibrary("Movies", "movies")
		w.AddLibrary("Shows", "tvshows")
		id := w.person("mia", movies)
		w.change(id, document{"EnableContentDownloading": false, "MaxActiveSessions": 1})
		mia := w.enter("mia")
		w.sees(mia, "Movies")
		partial := providers(w.policy(id), document{"EnabledFolders": []any{string(movies)}})
		w.want(http.StatusNoContent, w.key, http.MethodPost, "/Users/"+id+"/Policy", partial)
		w.sees(mia, "Movies", "Shows")
		policy := w.policy(id)
		for name, want := range (document{
			"EnableAllFolders": true, "EnableLiveTvManagement": true, "EnableContentDownloading": true, "EnableRemoteAccess": true,
			"EnableAllChannels": true, "EnableAllDevices": true, "IsHidden": true, "LoginAttemptsBeforeLockout": -1.0, "MaxActiveSessions": 0.0,
		}) {
			if policy[name] != want {
				w.Errorf("%s is %v, want %v", name, policy[name], want)
			}
		}
	})
}

// An empty list with EnableAllFolders left out opens everything; with false written, nothing (section 5).
func TestEmptyListOfFolders(t *testing.T) {
	w := newWorld(t, jellyfintest.Options{})
	movies := w.AddLibrary("Movies", "movies")
	id := w.person("mia", movies)
	mia := w.enter("mia")
	w.change(id, document{"EnabledFolders": []any{}})
	w.sees(mia)
	w.change(id, document{"EnabledFolders": []any{}, "EnableAllFolders": nil})
	w.sees(mia, "Movies")
	w.change(id, document{"EnabledFolders": []any{"00000000000000000000000000000001"}, "EnableAllFolders": false})
	w.sees(mia)
	if granted := w.Person("mia").Granted; len(granted) != 1 {
		t.Errorf("an id that there is not is kept silently: %v", granted)
	}
}

// Trap: missing provider ids 400 (section 5).
func TestProvidersAreRequired(t *testing.T) {
	each(t, func(w *world) {
		id := w.person("mia")
		for _, field := range []string{"AuthenticationProviderId", "PasswordResetProviderId"} {
			for _, value := range []any{nil, ""} {
				body := w.changed(id, document{field: value, "IsDisabled": true})
				w.want(http.StatusBadRequest, w.key, http.MethodPost, "/Users/"+id+"/Policy", body)
			}
		}
		if w.Person("mia").Disabled {
			w.Error("a refused policy was written")
		}
	})
}

// Bodies are refused by the types of the OpenAPI document, and fields that it does not have are ignored and noted.
func TestTypesOfThePolicy(t *testing.T) {
	each(t, func(w *world) {
		id := w.person("mia")
		for name, value := range (document{
			"IsDisabled": "true", "MaxActiveSessions": 1.5, "EnabledFolders": []any{"movies"}, "BlockUnratedItems": []any{"Film"},
			"SyncPlayAccess": "Sometimes", "AccessSchedules": []any{"always"}, "EnableAllFolders": 1, "BlockedTags": "horror",
		}) {
			w.want(http.StatusBadRequest, w.key, http.MethodPost, "/Users/"+id+"/Policy", w.changed(id, document{name: value}))
		}
		if notes := w.Notes(); len(notes) > 0 {
			w.Errorf("noted %q", notes)
		}
		w.change(id, document{"enableAllFolders": false, "MaxParentalRating": 10, "MaxParentalSubRating": 1})
		old := w.version == jellyfintest.Release1010
		if _, there := w.policy(id)["MaxParentalSubRating"]; there == old {
			w.Errorf("MaxParentalSubRating, which is there since 10.11: %v", there)
		}
		if w.Person("mia").ID == "" || slices.Contains(w.Notes(), "POST /Users/{id}/Policy has no field MaxParentalSubRating") != old {
			w.Errorf("noted %q", w.Notes())
		}
		w.change(id, document{"MaxParentalRating": nil, "MaxParentalSubRating": nil})
		if _, there := w.policy(id)["MaxParentalRating"]; there {
			w.Error("a null is written out")
		}
	})
}

// A field of a later release is lost by whoever posts only what they know (section 5).
func TestNewerFields(t *testing.T) {
	w := newWorld(t, jellyfintest.Options{NewerFields: map[string]any{"EnableSomethingNew": true}})
	id := w.person("mia")
	w.change(id, document{"EnableSomethingNew": false})
	w.change(id, document{"IsHidden": false})
	if got := w.policy(id)["EnableSomethingNew"]; got != false {
		t.Errorf("carried along it is %v", got)
	}
	w.change(id, document{"EnableSomethingNew": nil})
	if got := w.policy(id)["EnableSomethingNew"]; got != true {
		t.Errorf("left out it is %v", got)
	}
	if notes := w.Notes(); len(notes) > 0 {
		t.Errorf("noted %q", notes)
	}
}

// Trap: EnableLyricManagement write-only (section 5).
func TestLyricManagementIsWriteOnly(t *testing.T) {
	each(t, func(w *world) {
		id := w.person("mia")
		w.change(id, document{"EnableLyricManagement": true})
		if got := w.policy(id)["EnableLyricManagement"]; got != false || !w.Person("mia").LyricManagement {
			w.Errorf("GET says %v, stored is %v", got, w.Person("mia").LyricManagement)
		}
		w.change(id, document{"IsHidden": false})
		if w.Person("mia").LyricManagement {
			w.Error("GET and POST left it")
		}
	})
}

// Trap: BlockedMediaFolders override (section 5).
func TestBlockedFoldersOverride(t *testing.T) {
	each(t, func(w *world) {
		movies, shows := w.AddLibrary("Movies", "movies"), w.AddLibrary("Shows", "tvshows")
		id := w.person("mia", movies)
		w.BlockFolders("mia", movies)
		mia := w.enter("mia")
		w.sees(mia, "Shows")
		if blocked := w.policy(id)["BlockedMediaFolders"].([]any); len(blocked) != 1 || blocked[0] != string(movies) {
			w.Errorf("GET shows %v", blocked)
		}
		w.change(id, document{"BlockedMediaFolders": []any{string(shows)}})
		w.sees(mia, "Shows")
	})
}

// Trap: 0→3 lockout (section 5).
func TestZeroAttemptsAreThree(t *testing.T) {
	each(t, func(w *world) {
		id := w.person("mia")
		for given, want := range map[int]float64{0: 3, -7: -1, 5: 5} {
			w.change(id, document{"LoginAttemptsBeforeLockout": given})
			if got := w.policy(id)["LoginAttemptsBeforeLockout"]; got != want {
				w.Errorf("%d is stored as %v, want %v", given, got, want)
			}
		}
	})
}

// Trap: admin disable 403 even when demoting (section 5).
func TestAdministratorsAreNotDisabled(t *testing.T) {
	each(t, func(w *world) {
		id := w.create("mia")
		w.change(id, document{"IsAdministrator": true})
		for _, stays := range []bool{true, false} {
			body := w.changed(id, document{"IsAdministrator": stays, "IsDisabled": true})
			w.want(http.StatusForbidden, w.key, http.MethodPost, "/Users/"+id+"/Policy", body)
		}
		w.change(id, document{"IsAdministrator": false})
		w.change(id, document{"IsDisabled": true})
		w.want(http.StatusNotFound, w.key, http.MethodPost, "/Users/00000000000000000000000000000001/Policy", w.policy(id))
		w.change(id, document{"IsDisabled": false})
		w.SetPolicy(jellyfintest.Owner, "IsDisabled", true)
		w.want(http.StatusForbidden, w.key, http.MethodPost, "/Users/"+id+"/Policy", w.changed(id, document{"IsDisabled": true}))
	})
}

// Tags are stored with commas between them: one that holds a comma comes back in two (additions B.11).
func TestTagsWithCommas(t *testing.T) {
	each(t, func(w *world) {
		id := w.person("mia")
		w.change(id, document{"BlockedTags": []string{"horror, mild", "gore"}, "AllowedTags": []string{"kids"}})
		blocked := []any{"horror", " mild", "gore"}
		if got := w.policy(id)["BlockedTags"].([]any); !slices.Equal(got, blocked) {
			w.Errorf("came back as %q", got)
		}
	})
}

// Schedules get new ids at each write, and are asked at each request but a few; administrators are exempt (section 5,
// additions B.13).
func TestSchedules(t *testing.T) {
	each(t, func(w *world) {
		id := w.person("mia")
		mia := w.enter("mia")
		w.change(id, document{"AccessSchedules": []document{{"DayOfWeek": "Weekday", "StartHour": 8, "EndHour": 18.5}}})
		first := w.policy(id)["AccessSchedules"].([]any)[0].(document)
		w.change(id, document{"IsHidden": false})
		if second := w.policy(id)["AccessSchedules"].([]any)[0].(document); second["Id"] == first["Id"] || second["UserId"] != id || second["EndHour"] != 18.5 {
			w.Errorf("%v became %v", first, second)
		}
		w.want(http.StatusOK, mia, http.MethodGet, "/UserViews", nil)
		w.pass(7 * time.Hour)
		w.want(http.StatusForbidden, mia, http.MethodGet, "/UserViews", nil)
		w.want(http.StatusOK, mia, http.MethodGet, "/Users/"+id, nil)
		if got := w.login("mia", password); got != http.StatusForbidden {
			w.Errorf("signing in at seven: %d", got)
		}
		w.change(id, document{"IsAdministrator": true})
		w.want(http.StatusOK, mia, http.MethodGet, "/UserViews", nil)
	})
}

// Disabling ends the tokens first and writes after: a sign-in between leaves a token that works again once the person is
// enabled, and a failure leaves them enabled and signed out (additions B.3).
func TestDisablingWorksInTwoSteps(t *testing.T) {
	each(t, func(w *world) {
		id := w.person("mia")
		between := w.enter("mia")
		w.OnStep(jellyfintest.TokensRevoked, func(name string) bool {
			between = w.enter(name)
			return true
		})
		w.change(id, document{"IsDisabled": true})
		w.want(http.StatusUnauthorized, between, http.MethodGet, "/UserViews", nil)
		w.change(id, document{"IsDisabled": false})
		w.want(http.StatusOK, between, http.MethodGet, "/UserViews", nil)
		w.OnStep(jellyfintest.TokensRevoked, func(string) bool { return false })
		w.want(http.StatusInternalServerError, w.key, http.MethodPost, "/Users/"+id+"/Policy", w.changed(id, document{"IsDisabled": true}))
		w.want(http.StatusUnauthorized, between, http.MethodGet, "/UserViews", nil)
		if w.Person("mia").Disabled {
			w.Error("disabled by a write that failed")
		}
	})
}

// Trap: stale write-back after the next request (additions B.1).
func TestAWriteIsUndone(t *testing.T) {
	each(t, func(w *world) {
		movies := w.AddLibrary("Movies", "movies")
		id := w.person("mia", movies)
		mia := w.enter("mia")
		none := document{"EnabledFolders": []any{}}
		w.UndoNext("mia", jellyfintest.AtNextRequest)
		w.change(id, none)
		if got := w.policy(id)["EnabledFolders"].([]any); len(got) > 0 {
			w.Errorf("read back at once: %v", got)
		}
		w.sees(mia, "Movies")
		w.UndoNext("mia", jellyfintest.AtOnce)
		w.change(id, none)
		if got := w.policy(id)["EnabledFolders"].([]any); len(got) != 1 {
			w.Errorf("undone at once, and read back as %v", got)
		}
		w.UndoNext("mia", jellyfintest.AtNextRequest)
		w.want(http.StatusNoContent, w.key, http.MethodPost, "/Users/"+id+"/Password", document{"NewPw": password})
		w.change(id, none)
		w.sees(w.enter("mia"))
	})
}

// The same by a request of the person's that is really under way: it loads the whole user, and saves it over what was
// written between (additions B.1).
func TestARequestUnderWayUndoes(t *testing.T) {
	each(t, func(w *world) {
		movies := w.AddLibrary("Movies", "movies")
		id := w.person("mia", movies)
		mia := w.enter("mia")
		w.pass(2 * time.Minute)
		w.OnStep(jellyfintest.UserLoaded, func(string) bool {
			w.change(id, document{"EnabledFolders": []any{}})
			return true
		})
		w.sees(mia, "Movies")
		w.OnStep(jellyfintest.UserLoaded, nil)
		w.change(id, document{"EnabledFolders": []any{}})
		w.sees(mia)
	})
}

// A plug-in for sign-ins is another writer (additions B.17).
func TestSSOWritesAtSignIn(t *testing.T) {
	w := newWorld(t, jellyfintest.Options{})
	movies, shows := w.AddLibrary("Movies", "movies"), w.AddLibrary("Shows", "tvshows")
	id := w.person("mia", movies)
	w.SignsInBySSO("mia", "SSO-Auth", shows)
	w.sees(w.enter("mia"), "Shows")
	if got := w.policy(id)["AuthenticationProviderId"]; got != "SSO-Auth" {
		t.Errorf("the provider is %v", got)
	}
	w.change(id, document{"EnabledFolders": []any{string(movies)}})
	w.sees(w.enter("mia"), "Shows")
}

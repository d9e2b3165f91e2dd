package jellyfintest_test

import (
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/usher-media/usher/internal/media/jellyfin/jellyfintest"
)

// Trap: blank-password create (section 4).
func TestCreateWithoutPassword(t *testing.T) {
	each(t, func(w *world) {
		var made document
		status, err := w.key.Call(t.Context(), http.MethodPost, "/Users/New", document{"Name": "mia", "Policy": document{"EnableAllFolders": false}}, &made)
		w.must(err)
		if status != http.StatusOK || made["HasPassword"] != (w.version == jellyfintest.Release12) {
			w.Errorf("%d: %v", status, made)
		}
		if got := w.login("mia", ""); got != http.StatusOK {
			w.Errorf("without a password: %d", got)
		}
		if notes := w.Notes(); !slices.Contains(notes, "POST /Users/New has no field Policy") {
			w.Errorf("the policy at a creation is ignored and noted: %q", notes)
		}
	})
}

// Between /Users/New and /Policy an account sees everything (section 4).
func TestNewAccountsSeeEverything(t *testing.T) {
	each(t, func(w *world) {
		w.AddLibrary("Movies", "movies")
		id := w.create("mia")
		w.sees(w.enter("mia"), "Movies")
		policy := w.policy(id)
		for name, want := range (document{
			"IsAdministrator": false, "IsDisabled": false, "IsHidden": true, "EnableAllFolders": true, "EnableAllChannels": true, "EnableAllDevices": true,
			"EnableRemoteAccess": true, "EnableContentDownloading": true, "EnableVideoPlaybackTranscoding": true,
			"EnableLiveTvManagement": !slices.Contains([]jellyfintest.Version{jellyfintest.Release1011, jellyfintest.Release12}, w.version),
		}) {
			if policy[name] != want {
				w.Errorf("%s is %v, want %v", name, policy[name], want)
			}
		}
	}, "10.11.6")
}

// Trap: case-insensitive names (section 4).
func TestNamesHaveNoLetterCase(t *testing.T) {
	each(t, func(w *world) {
		w.create("Ünï")
		for _, name := range []string{"ÜNÏ", "Ünï", "", " ", "a/b", "a<b"} {
			w.want(http.StatusBadRequest, w.key, http.MethodPost, "/Users/New", document{"Name": name, "Password": password})
		}
		if got := w.login("ünï", password); got != http.StatusOK {
			w.Errorf("signing in by another letter case: %d", got)
		}
		if people := w.People(); len(people) != 2 {
			w.Errorf("a refused creation made %v", people)
		}
	})
}

// Which names there may be depends on the release (section 4).
func TestNamesByRelease(t *testing.T) {
	each(t, func(w *world) {
		old, newest := w.version == jellyfintest.Release1010, w.version == jellyfintest.Release12
		for name, fine := range map[string]bool{
			"a.b_c-d'e@f 1": true, "a+b": !old, " edge": old, "edge ": old, ".": !newest, "..": !newest, "é": true, "a\tb": false,
		} {
			want := map[bool]int{true: http.StatusOK, false: http.StatusBadRequest}[fine]
			w.want(want, w.key, http.MethodPost, "/Users/New", document{"Name": name, "Password": password})
		}
	})
}

// Trap: 500 on a lost create race (corrections A.3).
func TestLostCreateRace(t *testing.T) {
	each(t, func(w *world) {
		w.OnStep(jellyfintest.NameFree, func(name string) bool {
			w.AddAccount(strings.ToUpper(name), "another password")
			return true
		})
		want := map[bool]int{true: http.StatusInternalServerError, false: http.StatusBadRequest}[w.version != jellyfintest.Release1010]
		w.want(want, w.key, http.MethodPost, "/Users/New", document{"Name": "mia", "Password": password})
		if w.Accepts("mia", password) || len(w.People()) != 2 {
			w.Errorf("there are %v", w.People())
		}
	})
}

// Trap: case rename 400 (10.11.9–11) (corrections A.1).
func TestRenamingTheLetterCase(t *testing.T) {
	each(t, func(w *world) {
		id := w.create("mia")
		form := get[document](w, "/Users/"+id)
		form["Name"] = "Mia"
		want := map[bool]int{true: http.StatusBadRequest, false: http.StatusNoContent}[w.version == "10.11.9" || w.version == jellyfintest.Release1011]
		w.want(want, w.key, http.MethodPost, query("/Users", "userId", id), form)
		form["Name"] = "ben"
		w.want(http.StatusNoContent, w.key, http.MethodPost, "/Users/"+id, form)
		form["Name"] = jellyfintest.Owner
		w.want(http.StatusBadRequest, w.key, http.MethodPost, "/Users/"+id, form)
		if w.Person("ben").ID != id {
			w.Errorf("there are %v", w.People())
		}
	}, "10.11.8", "10.11.9")
}

// Before 10.11.9 twins could come to be by a rename, which compares by ASCII (corrections A.3).
func TestTwinsByRename(t *testing.T) {
	each(t, func(w *world) {
		w.create("ä")
		form := get[document](w, "/Users/"+w.create("mia"))
		form["Name"] = "Ä"
		want := map[bool]int{true: http.StatusNoContent, false: http.StatusBadRequest}[w.version == jellyfintest.Release1010]
		w.want(want, w.key, http.MethodPost, query("/Users", "userId", form["Id"].(string)), form)
	})
}

// POST /Users replaces the configuration, and wants the whole form (section 4).
func TestUpdateReplacesTheConfiguration(t *testing.T) {
	w := newWorld(t, jellyfintest.Options{})
	id := w.create("mia")
	form := get[document](w, "/Users/"+id)
	configuration := func() document { return get[struct{ Configuration document }](w, "/Users/"+id).Configuration }
	form["Configuration"] = document{"AudioLanguagePreference": "de"}
	w.want(http.StatusNoContent, w.key, http.MethodPost, query("/Users", "userId", id), form)
	if got := configuration(); got["AudioLanguagePreference"] != "de" {
		t.Errorf("configured %v", got)
	}
	delete(form, "Configuration")
	w.want(http.StatusNoContent, w.key, http.MethodPost, query("/Users", "userId", id), form)
	if got := configuration(); got["AudioLanguagePreference"] != nil {
		t.Errorf("what was left out is %v", got)
	}
	w.want(http.StatusBadRequest, w.key, http.MethodPost, query("/Users", "userId", id), document{"Name": "mia"})
}

// Trap: ResetPassword blanks (section 4, additions B.5).
func TestResetPasswordBlanks(t *testing.T) {
	each(t, func(w *world) {
		id := w.create("mia")
		mia := w.enter("mia")
		path := query("/Users/Password", "userId", id)
		w.want(http.StatusNoContent, w.key, http.MethodPost, path, document{"ResetPassword": true, "NewPw": "another"})
		w.want(http.StatusOK, mia, http.MethodGet, "/Users/Me", nil)
		if !w.Accepts("mia", "") {
			w.Error("the password is not blank")
		}
		w.want(http.StatusBadRequest, w.key, http.MethodPost, query("/Users/Password", "userId", w.Person(jellyfintest.Owner).ID), document{"ResetPassword": true})
	})
}

// A new password ends all tokens of the person's but the one that it was set with (section 4, additions B.5).
func TestPasswordEndsTokens(t *testing.T) {
	each(t, func(w *world) {
		id := w.create("mia")
		mia, other := w.enter("mia"), &jellyfintest.Visitor{}
		other, err := jellyfintest.EnterOn(t.Context(), w.URL, "a tablet", "mia", password)
		w.must(err)
		w.want(http.StatusForbidden, mia, http.MethodPost, "/Users/Password", document{"CurrentPw": "wrong", "NewPw": "another"})
		w.want(http.StatusNoContent, mia, http.MethodPost, "/Users/Password", document{"CurrentPw": password, "NewPw": "another"})
		w.want(http.StatusOK, mia, http.MethodGet, "/Users/Me", nil)
		w.want(http.StatusUnauthorized, other, http.MethodGet, "/Users/Me", nil)
		w.want(http.StatusNoContent, w.key, http.MethodPost, "/Users/"+id+"/Password", document{"NewPw": "a third"})
		w.want(http.StatusUnauthorized, mia, http.MethodGet, "/Users/Me", nil)
		w.want(http.StatusOK, w.key, http.MethodGet, "/Auth/Keys", nil)
		w.create("ben")
		w.want(http.StatusForbidden, w.enter("ben"), http.MethodPost, query("/Users/Password", "userId", id), document{"NewPw": "mine"})
		w.want(http.StatusNotFound, w.key, http.MethodPost, query("/Users/Password", "userId", strings.Repeat("0", 32)), document{"NewPw": "x"})
		w.SetPolicy("ben", "EnableUserPreferenceAccess", false)
		w.want(http.StatusForbidden, w.enter("ben"), http.MethodPost, "/Users/Password", document{"CurrentPw": password, "NewPw": "mine"})
	})
}

// Trap: delete refused after side effects (additions B.2).
func TestRefusedDeletionHasDestroyed(t *testing.T) {
	each(t, func(w *world) {
		owner := w.Person(jellyfintest.Owner).ID
		w.AddPlaylist(jellyfintest.Owner, "Favourites")
		keeper, err := jellyfintest.Enter(t.Context(), w.URL, jellyfintest.Owner, jellyfintest.OwnerPassword)
		w.must(err)
		id := w.create("mia")
		w.want(http.StatusBadRequest, w.key, http.MethodDelete, "/Users/"+owner, nil)
		w.want(http.StatusUnauthorized, keeper, http.MethodGet, "/Users/Me", nil)
		if p := w.Person(jellyfintest.Owner); p.ID != owner || len(p.Playlists) > 0 || p.Tokens > 0 {
			w.Errorf("after a refused deletion: %v", p)
		}
		w.want(http.StatusNoContent, w.key, http.MethodDelete, "/Users/"+id, nil)
		w.want(http.StatusNotFound, w.key, http.MethodDelete, "/Users/"+id, nil)
		w.want(http.StatusInternalServerError, w.key, http.MethodDelete, "/Users/"+owner, nil)
	})
}

// Trap: last admin 403/400 (section 4, section 5).
func TestTheLastAdministrator(t *testing.T) {
	each(t, func(w *world) {
		owner := w.Person(jellyfintest.Owner).ID
		mia := w.create("mia")
		demoted := w.changed(owner, document{"IsAdministrator": false})
		w.want(http.StatusForbidden, w.key, http.MethodPost, "/Users/"+owner+"/Policy", demoted)
		w.want(http.StatusBadRequest, w.key, http.MethodDelete, "/Users/"+owner, nil)
		w.change(mia, document{"IsAdministrator": true})
		w.want(http.StatusNoContent, w.key, http.MethodPost, "/Users/"+owner+"/Policy", demoted)
		w.want(http.StatusNoContent, w.key, http.MethodDelete, "/Users/"+owner, nil)
	})
}

// Trap: empty user list. A list without anybody is an answer that a server can give (section 4).
func TestEmptyUserList(t *testing.T) {
	w := newWorld(t, jellyfintest.Options{})
	w.ShowNoUsers(true)
	if users := get[[]document](w, "/Users"); users == nil || len(users) > 0 {
		t.Errorf("listed %v", users)
	}
	w.ShowNoUsers(false)
	if users := get[[]document](w, "/Users"); len(users) != 1 {
		t.Errorf("listed %v", users)
	}
	if users := get[[]document](w, "/Users?isDisabled=true"); users == nil || len(users) > 0 {
		t.Errorf("disabled are %v", users)
	}
}

// Trap: dashes in ids (section 4, section 5).
func TestDashesInIDs(t *testing.T) {
	each(t, func(w *world) {
		movies := string(w.AddLibrary("Movies", "movies"))
		dashed := func(id string) string {
			return strings.ToUpper(id[:8]) + "-" + id[8:12] + "-" + id[12:16] + "-" + id[16:20] + "-" + id[20:]
		}
		id := w.create("mia")
		w.want(http.StatusOK, w.key, http.MethodGet, "/Users/"+dashed(id), nil)
		w.change(dashed(id), document{"EnableAllFolders": false, "EnabledFolders": []string{dashed(movies)}})
		if granted := w.policy(id)["EnabledFolders"].([]any); len(granted) != 1 || granted[0] != movies || strings.Contains(id+movies, "-") {
			w.Errorf("granted %v to %s, want %s", granted, id, movies)
		}
		w.sees(w.enter("mia"), "Movies")
		w.want(http.StatusBadRequest, w.key, http.MethodGet, "/Users/there-is-no-such-account", nil)
	})
}

// The sign-in page shows who is neither hidden nor disabled, and may use the device (additions B.15).
func TestPublicUsers(t *testing.T) {
	w := newWorld(t, jellyfintest.Options{})
	for _, name := range []string{"hidden", "shown", "disabled", "elsewhere"} {
		id := w.create(name)
		w.change(id, document{"IsHidden": name == "hidden", "IsDisabled": name == "disabled", "EnableAllDevices": name != "elsewhere"})
	}
	var users []struct{ Name string }
	_, err := w.nobody().Call(t.Context(), http.MethodGet, "/Users/Public", nil, &users)
	w.must(err)
	if len(users) != 1 || users[0].Name != "shown" {
		t.Errorf("shown are %v", users)
	}
}

// A PIN is written where only somebody at the server reads it, becomes the password, and ends no session (section 4,
// additions B.16).
func TestForgottenPassword(t *testing.T) {
	w := newWorld(t, jellyfintest.Options{KnownProxy: true})
	w.create("mia")
	mia := w.enter("mia")
	w.want(http.StatusOK, w.nobody(), http.MethodPost, "/Users/ForgotPassword", document{"EnteredUsername": "nobody"})
	w.want(http.StatusOK, w.nobody(), http.MethodPost, "/Users/ForgotPassword", document{"EnteredUsername": "mia"})
	w.want(http.StatusNotFound, w.nobody(), http.MethodPost, "/Users/ForgotPassword/Pin", document{"Pin": "nonsense"})
	pin := w.Pins()["mia"]
	w.want(http.StatusOK, w.nobody(), http.MethodPost, "/Users/ForgotPassword/Pin", document{"Pin": pin})
	w.want(http.StatusNotFound, w.nobody(), http.MethodPost, "/Users/ForgotPassword/Pin", document{"Pin": pin})
	w.want(http.StatusOK, mia, http.MethodGet, "/Users/Me", nil)
	if !w.Accepts("mia", pin) {
		t.Error("the PIN is not the password")
	}
}

// HasPassword means something until 10.11 (section 4). EasyPassword is gone in 12.0 (corrections A.6).
func TestWhatLeft(t *testing.T) {
	each(t, func(w *world) {
		w.AddAccount("mia", "")
		id := w.Person("mia").ID
		newest := w.version == jellyfintest.Release12
		if got := get[document](w, "/Users/"+id)["HasPassword"]; got != newest {
			w.Errorf("HasPassword is %v", got)
		}
		want := map[bool]int{true: http.StatusNotFound, false: http.StatusForbidden}[newest]
		w.want(want, w.key, http.MethodPost, "/Users/"+id+"/EasyPassword", document{})
	})
}

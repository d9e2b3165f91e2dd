package jellyfintest_test

import (
	"net/http"
	"slices"
	"testing"

	"github.com/usher-media/usher/internal/media/jellyfin/jellyfintest"
)

// Streams and pictures ask nobody anything: who kept an id goes on after every revocation. HLS wants any good token, and
// a download the permission (additions B.0).
func TestStreamsAskNobody(t *testing.T) {
	each(t, func(w *world) {
		movies := w.AddLibrary("Movies", "movies", "/media/movies")
		film := w.AddItem("Movies", jellyfintest.Item{Name: "A Film"})
		id := w.person("mia", movies)
		mia := w.enter("mia")
		w.change(id, document{"EnabledFolders": []any{}, "EnableContentDownloading": false})
		w.finds(mia)
		w.want(http.StatusNotFound, mia, http.MethodGet, "/Items/"+film, nil)
		for _, path := range []string{"/Videos/" + film + "/stream?static=true", "/Videos/" + film + "/stream.mkv", "/Audio/" + film + "/stream", "/Items/" + film + "/Images/Primary"} {
			w.want(http.StatusOK, w.nobody(), http.MethodGet, path, nil)
		}
		w.want(http.StatusUnauthorized, w.nobody(), http.MethodGet, "/Videos/"+film+"/master.m3u8", nil)
		w.want(http.StatusOK, mia, http.MethodGet, "/Videos/"+film+"/master.m3u8", nil)
		w.want(http.StatusForbidden, mia, http.MethodGet, "/Items/"+film+"/Download", nil)
		w.want(http.StatusNotFound, w.nobody(), http.MethodGet, "/Videos/00000000000000000000000000000001/stream", nil)
	})
}

// People are asked as themselves: what another sees is for administrators.
func TestViewsAreTheCallers(t *testing.T) {
	each(t, func(w *world) {
		movies := w.AddLibrary("Movies", "movies")
		mia := w.person("mia", movies)
		w.person("ben")
		w.sees(w.enter("mia"), "Movies")
		ben := w.enter("ben")
		w.sees(ben)
		as, err := w.key.As(t.Context(), mia)
		w.must(err)
		w.sees(as, "Movies")
		w.want(http.StatusForbidden, ben, http.MethodGet, query("/UserViews", "userId", mia), nil)
		w.want(http.StatusForbidden, ben, http.MethodGet, "/Users/"+mia+"/Views", nil)
		if got := get[struct{ TotalRecordCount int }](w, "/Users/"+mia+"/Views").TotalRecordCount; got != 1 {
			w.Errorf("mia sees %d", got)
		}
	})
}

// Ratings by their names, whose numbers differ by release and country (corrections A.7). A limit hides what is above, and
// what has no rating only where BlockUnratedItems says so.
func TestRatings(t *testing.T) {
	each(t, func(w *world) {
		movies := w.AddLibrary("Movies", "movies")
		for name, rating := range map[string]string{"For All": "G", "For Teens": "PG-13", "For Adults": "R", "For Whom": "", "Odd": "Z-1"} {
			w.AddItem("Movies", jellyfintest.Item{Name: name, Rating: rating})
		}
		type named struct {
			Name        string
			Value       *int
			RatingScore *struct{ Score, SubScore int }
		}
		numbers := map[string]int{}
		for _, r := range get[[]named](w, "/Localization/ParentalRatings") {
			if numbers[r.Name] = *r.Value; (r.RatingScore != nil) == (w.version == jellyfintest.Release1010) {
				w.Errorf("%v", r)
			}
		}
		id := w.person("mia", movies)
		mia := w.enter("mia")
		w.finds(mia, "For Adults", "For All", "For Teens", "For Whom", "Odd")
		w.change(id, document{"MaxParentalRating": numbers["PG-13"]})
		w.finds(mia, "For All", "For Teens", "For Whom", "Odd")
		w.change(id, document{"BlockUnratedItems": []string{"Movie"}})
		w.finds(mia, "For All", "For Teens")
		w.change(id, document{"IsAdministrator": true})
		w.finds(mia, "For All", "For Teens")
		w.SetCountry("DE")
		if other := get[[]named](w, "/Localization/ParentalRatings"); other[0].Name != "FSK-0" {
			w.Errorf("in Germany: %v", other)
		}
	})
	old, latest := newWorld(t, jellyfintest.Options{Version: jellyfintest.Release1010}), newWorld(t, jellyfintest.Options{})
	if a, b := get[[]document](old, "/Localization/ParentalRatings"), get[[]document](latest, "/Localization/ParentalRatings"); a[7]["Value"] == b[7]["Value"] {
		t.Errorf("the numbers of two releases are the same: %v, %v", a[7], b[7])
	}
}

// Tags: allowed ones hide all that has none of them; 12.0 cleans and folds both sides, and ignores blank ones
// (additions B.12).
func TestTags(t *testing.T) {
	each(t, func(w *world) {
		movies := w.AddLibrary("Movies", "movies")
		for name, tags := range map[string][]string{"Plain": nil, "Kids": {"Kids"}, "Scary": {"sci-fi", "Horror"}} {
			w.AddItem("Movies", jellyfintest.Item{Name: name, Tags: tags})
		}
		id := w.person("mia", movies)
		mia := w.enter("mia")
		w.change(id, document{"BlockedTags": []string{"horror"}})
		w.finds(mia, "Kids", "Plain")
		w.change(id, document{"BlockedTags": []any{}, "AllowedTags": []string{"Kids"}})
		w.finds(mia, "Kids")
		w.change(id, document{"AllowedTags": []any{}, "BlockedTags": []string{"Sci Fi"}})
		if w.version == jellyfintest.Release12 {
			w.finds(mia, "Kids", "Plain")
		} else {
			w.finds(mia, "Kids", "Plain", "Scary")
		}
		w.change(id, document{"AllowedTags": []string{" "}, "BlockedTags": []any{}})
		if w.version == jellyfintest.Release12 {
			w.finds(mia, "Kids", "Plain", "Scary")
		} else {
			w.finds(mia)
		}
	})
}

// In 10.11.0 to 10.11.2 the latest show what tags hide (additions B.12).
func TestLatestIgnoresTags(t *testing.T) {
	each(t, func(w *world) {
		movies := w.AddLibrary("Movies", "movies")
		w.AddItem("Movies", jellyfintest.Item{Name: "Scary", Tags: []string{"horror"}})
		id := w.person("mia", movies)
		w.change(id, document{"BlockedTags": []string{"horror"}})
		shown := len(get[[]document](w, query("/Items/Latest", "userId", id))) > 0
		if shown != (w.version == "10.11.2") {
			w.Errorf("shown: %v", shown)
		}
	}, "10.11.2")
}

// What a library holds is counted by a key that names nobody.
func TestItemsOfALibrary(t *testing.T) {
	w := newWorld(t, jellyfintest.Options{})
	movies, shows := w.AddLibrary("Movies", "movies"), w.AddLibrary("Shows", "tvshows")
	for _, name := range []string{"One", "Two", "Three"} {
		w.AddItem("Movies", jellyfintest.Item{Name: name})
	}
	type list struct {
		Items            []document
		TotalRecordCount int
	}
	counted := get[list](w, query("/Items", "parentId", string(movies), "recursive", "true", "limit", "1"))
	if counted.TotalRecordCount != 3 || len(counted.Items) != 1 {
		t.Errorf("counted %v", counted)
	}
	if got := get[list](w, query("/Items", "parentId", string(shows), "recursive", "true")).TotalRecordCount; got != 0 {
		t.Errorf("counted %d", got)
	}
	w.want(http.StatusBadRequest, w.key, http.MethodGet, query("/Items", "parentId", "nonsense"), nil)
}

// A backup brings back what was there, ids and all.
func TestBackup(t *testing.T) {
	w := newWorld(t, jellyfintest.Options{})
	movies := w.AddLibrary("Movies", "movies")
	id := w.person("mia", movies)
	restore := w.Backup()
	w.change(id, document{"EnabledFolders": []any{}})
	w.want(http.StatusNoContent, w.key, http.MethodDelete, query(folders, "name", "Movies", "refreshLibrary", "true"), nil)
	restore()
	if p := w.Person("mia"); p.ID != id || !slices.Equal(p.Shown, []string{"Movies"}) || !slices.Equal(w.LibraryNames(), []string{"Movies"}) {
		t.Errorf("restored %v, %v", p, w.LibraryNames())
	}
}

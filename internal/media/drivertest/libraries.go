package drivertest

import (
	"maps"
	"slices"

	"github.com/usher-media/usher/internal/media"
)

// libraryCases: making, reading and deleting libraries.
var libraryCases = []testCase{
	{"create", libraryCreate},
	{"seen_by_nobody", libraryUnseen},
	{"refused_leaves_nothing", libraryRefused},
	{"unknown", libraryUnknown},
	{"delete", libraryDelete},
	{"delete_not_empty", libraryDeleteFull},
}

func libraryCreate(f *fixture) {
	want := f.newLibrary("Movies")
	want.Settings = f.h.Settings
	made, err := f.driver.CreateLibrary(f.ctx(), want)
	f.must(err)
	if made.ID == "" || made.Name != want.Name || made.MediaType != want.MediaType || !slices.Equal(made.Paths, want.Paths) ||
		made.Personal || !maps.Equal(made.Settings, want.Settings) {
		f.Errorf("made %v of %v", made, want)
	}
	read, err := f.driver.Library(f.ctx(), made.ID)
	f.must(err)
	_, libraries := f.listing()
	if !sameLibrary(read, made) || !sameLibrary(libraries[made.ID], made) {
		f.Errorf("made %v, read %v, listed %v", made, read, libraries[made.ID])
	}
}

func libraryUnseen(f *fixture) {
	first := f.library("Movies")
	f.account("mia", access(first.ID))
	f.library("Shows")
	f.wantSees("mia", first.ID)
}

func libraryRefused(f *fixture) {
	check := f.unchanged()
	nameless, pathless, strange := f.newLibrary("Movies"), f.newLibrary("Movies"), f.newLibrary("Movies")
	nameless.Name, pathless.Paths, strange.MediaType = "", nil, "Smells"
	_, err := f.driver.CreateLibrary(f.ctx(), nameless)
	f.wantCode(err, media.Invalid)
	if f.can.Pathless {
		pathless.Paths = []string{"/media/movies"}
		_, err = f.driver.CreateLibrary(f.ctx(), pathless)
		f.wantCode(err, media.Unsupported)
	} else {
		_, err = f.driver.CreateLibrary(f.ctx(), pathless)
		f.wantCode(err, media.Invalid)
	}
	_, err = f.driver.CreateLibrary(f.ctx(), strange)
	f.wantCode(err, media.Unsupported)
	unknown := f.newLibrary("Movies")
	unknown.Settings = map[string]string{"noSuchSetting": "true"}
	_, err = f.driver.CreateLibrary(f.ctx(), unknown)
	f.wantCode(err, media.Unsupported)
	check()
}

func libraryUnknown(f *fixture) {
	name := "Films"
	_, err := f.driver.Library(f.ctx(), "there-is-no-such-library")
	f.wantCode(err, media.NotFound)
	_, err = f.driver.UpdateLibrary(f.ctx(), "there-is-no-such-library", media.LibraryChange{Name: &name})
	f.wantCode(err, media.NotFound)
}

func libraryDelete(f *fixture) {
	ids := f.libraries("Movies", "Shows")
	account := f.account("mia", access(ids...))
	deleter, able := f.driver.(media.LibraryDeleter)
	if !f.can.DeleteLibrary {
		f.lacks("DeleteLibrary")
		if able {
			f.wantCode(deleter.DeleteLibrary(f.ctx(), ids[0]), media.Unsupported)
		}
		return
	}
	f.must(deleter.DeleteLibrary(f.ctx(), ids[0]))
	f.wantCode(deleter.DeleteLibrary(f.ctx(), ids[0]), media.NotFound)
	_, libraries := f.listing()
	if _, listed := libraries[ids[0]]; listed || len(libraries) != 1 {
		f.Errorf("listed after deleting: %v", libraries)
	}
	f.wantAccess(f.read(account.ID).Access, access(ids[1]))
	f.wantSees("mia", ids[1])
	again := f.library("Movies")
	if again.ID == ids[0] && !f.h.LibraryIDsByName {
		f.Error("a new library has the old one's id")
	}
	f.wantSees("mia", ids[1])
}

func libraryDeleteFull(f *fixture) {
	if !f.can.DeleteLibrary {
		f.lacks("DeleteLibrary")
		return
	}
	library := f.library("Movies")
	f.server.Fill(library)
	f.wantCode(f.driver.(media.LibraryDeleter).DeleteLibrary(f.ctx(), library.ID), media.Conflict)
	if _, err := f.driver.Library(f.ctx(), library.ID); err != nil {
		f.Errorf("the library after a refused delete: %v", err)
	}
}

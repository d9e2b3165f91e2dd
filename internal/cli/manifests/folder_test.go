package manifests_test

import (
	"errors"
	"os"
	"path/filepath"
	"reflect"
	"testing"

	"pgregory.net/rapid"

	"github.com/usher-media/usher/api/v1alpha1"
	"github.com/usher-media/usher/internal/cli/importer"
	"github.com/usher-media/usher/internal/cli/manifests"
)

// TestWhatIsNotProvenIsNotWritten: where the proof fails, no file stays, and what was there is not touched.
func TestWhatIsNotProvenIsNotWritten(t *testing.T) {
	parent := t.TempDir()
	folder := filepath.Join(parent, "home")
	wrong := errors.New("somebody would see more")
	server := v1alpha1.MediaServer{}
	server.APIVersion, server.Kind = "usher.media/v1alpha1", "MediaServer"
	if err := manifests.Write(folder, importer.Household{Server: server}, func(importer.Household) error { return wrong }); !errors.Is(err, wrong) {
		t.Errorf("the proof fails: %v", err)
	}
	if entries, err := os.ReadDir(parent); err != nil || len(entries) != 0 {
		t.Errorf("left behind: %v, %v", entries, err)
	}
	if err := os.WriteFile(folder, []byte("mine"), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := manifests.Write(folder, importer.Household{}, func(importer.Household) error { return nil }); err == nil {
		t.Error("a file is replaced")
	}
	if err := os.Remove(folder); err != nil {
		t.Fatal(err)
	}
	if err := os.MkdirAll(filepath.Join(folder, "mine"), 0o700); err != nil {
		t.Fatal(err)
	}
	if err := manifests.Write(folder, importer.Household{}, func(importer.Household) error { return nil }); err == nil {
		t.Error("a folder that holds something is replaced")
	}
	if _, err := os.Stat(filepath.Join(folder, "mine")); err != nil {
		t.Error(err)
	}
}

// TestAnyTextComesBack: whatever people call themselves and their libraries, what was written is read as it was.
func TestAnyTextComesBack(t *testing.T) {
	parent := t.TempDir()
	count := 0
	text := rapid.OneOf(rapid.String(), rapid.SampledFrom([]string{
		"y", "No", "null", "~", "true", "1", "0x1f", "1e3", "1:20", ".inf", "2026-11-29", "- a", "a: b", "a #b", "{a}", "[a]", "*a", "&a", "!a", "|", ">", "'", `"`, "%", "@a", "`", "a\nb", " a", "a ", "", "<<", "=", "日本", "\u2028", "\u0085", "\x7f", "---", "...", "? a",
	}))
	rapid.Check(t, func(t *rapid.T) {
		count++
		folder := filepath.Join(parent, string(rune('a'+count%26))+filepath.Base(t.Name()), "home")
		_ = os.RemoveAll(folder)
		user := v1alpha1.User{}
		user.APIVersion, user.Kind, user.Name = "usher.media/v1alpha1", "User", "mia"
		user.Labels = map[string]string{"group": text.Draw(t, "label")}
		user.Spec.Username, user.Spec.DisplayName = text.Draw(t, "username"), text.Draw(t, "name")
		server := v1alpha1.MediaServer{}
		server.APIVersion, server.Kind, server.Name = "usher.media/v1alpha1", "MediaServer", "home"
		library := v1alpha1.Library{}
		library.APIVersion, library.Kind, library.Name = "usher.media/v1alpha1", "Library", "movies"
		library.Spec.Paths = []v1alpha1.LibraryPath{v1alpha1.LibraryPath(text.Draw(t, "path")), v1alpha1.LibraryPath(text.Draw(t, "path"))}
		h := importer.Household{Server: server, Users: []v1alpha1.User{user}, Libraries: []v1alpha1.Library{library}, Comments: map[string]string{"User/mia": "REVIEW: twice\nover"}}
		err := manifests.Write(folder, h, func(written importer.Household) error {
			if !reflect.DeepEqual(written.Users, h.Users) || !reflect.DeepEqual(written.Libraries, h.Libraries) {
				t.Fatalf("wrote %+v\nread %+v", h, written)
			}
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
	})
}

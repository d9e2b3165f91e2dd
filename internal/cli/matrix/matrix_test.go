package matrix_test

import (
	"bytes"
	"flag"
	"os"
	"testing"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/usher-media/usher/api/v1alpha1"
	"github.com/usher-media/usher/internal/cli/matrix"
	"github.com/usher-media/usher/internal/cli/objects"
)

var update = flag.Bool("update", false, "write the golden files anew")

var now = time.Date(2026, 12, 1, 12, 0, 0, 0, time.UTC)

func user(name string, spec v1alpha1.UserSpec, has ...v1alpha1.UserAccessEntry) v1alpha1.User {
	spec.ServerRef.Name, spec.Username = "home", name
	u := v1alpha1.User{ObjectMeta: metav1.ObjectMeta{Name: name, Labels: map[string]string{"group": "family"}}, Spec: spec}
	u.Status.State = v1alpha1.UserActive
	u.Status.Access = &v1alpha1.UserAccessStatus{Total: int32(len(has)), Items: has}
	return u
}

func has(library string, through ...string) v1alpha1.UserAccessEntry {
	return v1alpha1.UserAccessEntry{Library: library, Role: v1alpha1.LibraryRoleViewer, Through: through}
}

// house is a namespace with every kind of person in it.
func house() objects.Objects {
	library := func(name string, members ...v1alpha1.LibraryMember) v1alpha1.Library {
		l := v1alpha1.Library{ObjectMeta: metav1.ObjectMeta{Name: name}, Spec: v1alpha1.LibrarySpec{ServerRef: v1alpha1.LocalReference{Name: "home"}}}
		l.Status.Members = &v1alpha1.LibraryMembers{Total: int32(len(members)), Items: members}
		return l
	}
	end := v1alpha1.NewTime(now.Add(24 * time.Hour))
	family := v1alpha1.Targets{Selector: &v1alpha1.LabelSelector{MatchLabels: map[string]v1alpha1.LabelValue{"group": "family"}}}
	refs := func(name string) v1alpha1.Targets {
		return v1alpha1.Targets{Refs: []v1alpha1.LocalReference{{Name: name}}}
	}
	o := objects.Objects{
		Namespace: "media",
		Servers:   []v1alpha1.MediaServer{{ObjectMeta: metav1.ObjectMeta{Name: "home"}}},
		Libraries: []v1alpha1.Library{
			library("anime", v1alpha1.LibraryMember{Username: "=stranger", Role: v1alpha1.LibraryMemberViewer}),
			library("movies", v1alpha1.LibraryMember{Username: "mia", User: "mia"}, v1alpha1.LibraryMember{Username: "LEO"}), library("tv"),
		},
		Users: []v1alpha1.User{
			user("alice", v1alpha1.UserSpec{Role: v1alpha1.AccountRoleOwner}, has("anime", "role"), has("movies", "role"), has("tv", "role")),
			user("dave", v1alpha1.UserSpec{Disabled: true}),
			user("leo", v1alpha1.UserSpec{}, has("anime"), has("movies", "family")),
			user("mia", v1alpha1.UserSpec{ExpiresAt: &end}, has("movies", "family"), has("tv", "tv")),
		},
		Grants: []v1alpha1.LibraryGrant{
			{ObjectMeta: metav1.ObjectMeta{Name: "family"}, Spec: v1alpha1.LibraryGrantSpec{Libraries: refs("movies"), Users: family}},
			{ObjectMeta: metav1.ObjectMeta{Name: "tv"}, Spec: v1alpha1.LibraryGrantSpec{Libraries: refs("tv"), Users: family, NotAfter: &end}},
			{ObjectMeta: metav1.ObjectMeta{Name: "dave"}, Spec: v1alpha1.LibraryGrantSpec{Libraries: refs("anime"), Users: refs("dave"), Role: v1alpha1.LibraryRoleAdmin}},
		},
	}
	o.Users[1].Labels = nil
	o.Users[1].Status.State = v1alpha1.UserDisabled
	return o
}

// TestFormats: each of them, now and when a grant and an account have ended.
func TestFormats(t *testing.T) {
	for name, at := range map[string]time.Time{"now": now, "later": now.Add(48 * time.Hour)} {
		for _, format := range matrix.Formats {
			var out bytes.Buffer
			if err := matrix.Build(house(), at, name == "now").Print(&out, format); err != nil {
				t.Fatal(err)
			}
			file := "testdata/" + name + "." + format
			if *update {
				if err := os.MkdirAll("testdata", 0o755); err != nil {
					t.Fatal(err)
				}
				if err := os.WriteFile(file, out.Bytes(), 0o644); err != nil {
					t.Fatal(err)
				}
			}
			want, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			if out.String() != string(want) {
				t.Errorf("%s differs; look at it, then run with -update:\n%s", file, out.String())
			}
		}
	}
	if err := matrix.Build(house(), now, true).Print(&bytes.Buffer{}, "yaml"); err == nil {
		t.Error("a format that there is not is taken")
	}
}

package access

import (
	"fmt"
	"maps"
	"testing"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"pgregory.net/rapid"

	"github.com/usher-media/usher/api/v1alpha1"
)

var operators = []v1alpha1.LabelSelectorOperator{"In", "NotIn", "Exists", "DoesNotExist"}

// drawSelection draws any Targets of Users that the API server takes.
func drawSelection(t *rapid.T) v1alpha1.Targets {
	if rapid.IntRange(0, 4).Draw(t, "all") == 0 {
		return v1alpha1.Targets{All: true}
	}
	selection := v1alpha1.Targets{Selector: &v1alpha1.LabelSelector{}}
	if rapid.Bool().Draw(t, "named") {
		selection.Refs = []v1alpha1.LocalReference{{Name: rapid.SampledFrom([]string{"u0", "u1"}).Draw(t, "ref")}}
	}
	for range rapid.IntRange(0, 2).Draw(t, "matchLabels") {
		key, value := drawPair(t)
		selection.Selector.MatchLabels = map[string]v1alpha1.LabelValue{key: value}
	}
	for range rapid.IntRange(0, 3).Draw(t, "matchExpressions") {
		key, value := drawPair(t)
		requirement := v1alpha1.LabelSelectorRequirement{Key: key, Operator: rapid.SampledFrom(operators).Draw(t, "operator")}
		if requirement.Operator == "In" || requirement.Operator == "NotIn" {
			requirement.Values = []v1alpha1.LabelValue{value}
		}
		selection.Selector.MatchExpressions = append(selection.Selector.MatchExpressions, requirement)
	}
	return selection
}

func drawPair(t *rapid.T) (string, v1alpha1.LabelValue) {
	key := rapid.SampledFrom([]string{"group", "person", v1alpha1.LabelInvite}).Draw(t, "key")
	return key, rapid.SampledFrom([]v1alpha1.LabelValue{"", "kids", "cousins"}).Draw(t, "value")
}

// TestWhoCameByALinkIsTakenOnlyByWhatIsSaid compares with the definition: an invited User that no ref names is taken if and
// only if the grant includes the invited, or one of the labels that the User carries is why the selector matches: without it,
// it would not. Whoever did not come by a link is taken as ever.
func TestWhoCameByALinkIsTakenOnlyByWhatIsSaid(t *testing.T) {
	for _, requirement := range []v1alpha1.LabelSelectorRequirement{
		{Key: "group", Operator: "NotIn", Values: []v1alpha1.LabelValue{"kids"}}, {Key: "adult-content", Operator: "DoesNotExist"},
	} {
		users := v1alpha1.Targets{Selector: &v1alpha1.LabelSelector{MatchExpressions: []v1alpha1.LabelSelectorRequirement{requirement}}}
		grant, err := NewGrant(&v1alpha1.LibraryGrant{Spec: v1alpha1.LibraryGrantSpec{Libraries: v1alpha1.Targets{All: true}, Users: users}})
		if err != nil {
			t.Fatal(err)
		}
		guest := &v1alpha1.User{ObjectMeta: metav1.ObjectMeta{Name: "joe", Labels: map[string]string{v1alpha1.LabelInvite: "cousins", "group": "cousins"}}}
		if grant.Users.Matches(guest) {
			t.Errorf("%v takes a guest by what they do not carry", requirement)
		}
	}
	rapid.Check(t, func(t *rapid.T) {
		selection, include := drawSelection(t), rapid.Bool().Draw(t, "includeInvited")
		user := drawUser(t)
		if rapid.Bool().Draw(t, "person") {
			user.Labels = map[string]string{"person": "kids"}
		}
		grant, err := NewGrant(&v1alpha1.LibraryGrant{Spec: v1alpha1.LibraryGrantSpec{Libraries: v1alpha1.Targets{All: true}, Users: selection, IncludeInvited: include}})
		if err != nil {
			t.Fatal(err)
		}
		all, _ := NewMatcher(selection)
		if got, want := grant.Users.Matches(user), all.Matches(user); got != want {
			t.Fatalf("declared: taken %t, want %t", got, want)
		}
		mark := rapid.SampledFrom([]string{v1alpha1.LabelRedemption, v1alpha1.LabelInviteUID, v1alpha1.LabelInvite}).Draw(t, "mark")
		user.Labels = maps.Clone(user.Labels)
		metav1.SetMetaDataLabel(&user.ObjectMeta, mark, "cousins")
		want := all.Matches(user)
		if !include && !all.names.Has(user.Name) {
			want = want && matchesByALabel(all, user)
		}
		if got := grant.Users.Matches(user); got != want {
			t.Fatalf("invited: taken %t, want %t", got, want)
		}
	})
}

// matchesByALabel says whether the selector matches by a label: without it, it would not.
func matchesByALabel(matcher Matcher, user *v1alpha1.User) bool {
	for key := range user.Labels {
		without := user.DeepCopy()
		delete(without.Labels, key)
		if !matcher.Matches(without) {
			return true
		}
	}
	return false
}

// TestThroughNamesTheLabel: a person who reads the status sees by which label a grant took the User.
func TestThroughNamesTheLabel(t *testing.T) {
	library := v1alpha1.Library{ObjectMeta: metav1.ObjectMeta{Name: "films"}}
	user := &v1alpha1.User{ObjectMeta: metav1.ObjectMeta{Name: "mia", Labels: map[string]string{"group": "kids", "person": "mia"}}}
	in := func(key string, operator v1alpha1.LabelSelectorOperator, values ...v1alpha1.LabelValue) v1alpha1.Targets {
		return v1alpha1.Targets{Selector: &v1alpha1.LabelSelector{MatchExpressions: []v1alpha1.LabelSelectorRequirement{{Key: key, Operator: operator, Values: values}}}}
	}
	both := in("group", "In", "kids", "parents")
	both.Selector.MatchLabels = map[string]v1alpha1.LabelValue{"person": "mia"}
	for want, users := range map[string]v1alpha1.Targets{
		"g":                              {Refs: []v1alpha1.LocalReference{{Name: "mia"}}},
		"g (group=kids)":                 in("group", "In", "kids", "parents"),
		"g (person=mia)":                 in("person", "Exists"),
		"g (group=kids,person=mia)":      both,
		"g (group notin (adults))":       in("group", "NotIn", "adults"),
		"g (!usher.media/not-a-label-x)": in("usher.media/not-a-label-x", "DoesNotExist"),
	} {
		grant, err := NewGrant(&v1alpha1.LibraryGrant{ObjectMeta: metav1.ObjectMeta{Name: "g"}, Spec: v1alpha1.LibraryGrantSpec{Libraries: v1alpha1.Targets{All: true}, Users: users}})
		if err != nil {
			t.Fatal(err)
		}
		effective := EffectiveAccess(Subject{User: user, Knows: knowsAll}, []v1alpha1.Library{library}, []Grant{grant})
		if got := fmt.Sprint(effective["films"].Through); got != "["+want+"]" {
			t.Errorf("through %s, want [%s]", got, want)
		}
	}
}

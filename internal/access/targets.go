package access

import (
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/labels"
	"k8s.io/apimachinery/pkg/util/sets"

	"github.com/usher-media/usher/api/v1alpha1"
)

// Matcher says which objects a LibraryGrant's Targets take.
type Matcher struct {
	names    sets.Set[string]
	selector labels.Selector
	all      bool
}

// NewMatcher compiles Targets. Targets that say nothing match nothing: an empty selector selects by accident
// (design D2). An error means that the selector is no selector.
func NewMatcher(targets v1alpha1.Targets) (Matcher, error) {
	matcher := Matcher{names: sets.New[string](), selector: labels.Nothing(), all: targets.All}
	for _, ref := range targets.Refs {
		matcher.names.Insert(ref.Name)
	}
	meta := targets.Selector.AsMeta()
	if meta == nil || len(meta.MatchLabels)+len(meta.MatchExpressions) == 0 {
		return matcher, nil
	}
	selector, err := metav1.LabelSelectorAsSelector(meta)
	if err != nil {
		return Matcher{}, err
	}
	matcher.selector = selector
	return matcher, nil
}

// Matches says whether the object is taken.
func (m Matcher) Matches(object metav1.Object) bool {
	return m.all || m.names.Has(object.GetName()) || m.selector.Matches(labels.Set(object.GetLabels()))
}

// Selector returns what selects by labels: everything, or nothing, where labels do not matter.
func (m Matcher) Selector() labels.Selector {
	if m.all {
		return labels.Everything()
	}
	return m.selector
}

// Names returns the names that are given one by one, in order.
func (m Matcher) Names() []string { return sets.List(m.names) }

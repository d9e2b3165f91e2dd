package access

import (
	"slices"
	"strings"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/labels"
	"k8s.io/apimachinery/pkg/selection"

	"github.com/usher-media/usher/api/v1alpha1"
)

// Invited says whether a User stands for somebody who came by an Invite.
func Invited(user metav1.Object) bool {
	carried := user.GetLabels()
	for _, key := range []string{v1alpha1.LabelRedemption, v1alpha1.LabelInviteUID, v1alpha1.LabelInvite} {
		if _, carries := carried[key]; carries {
			return true
		}
	}
	return false
}

// UserMatcher says which Users a LibraryGrant takes. It takes somebody who came by an Invite only by name or by a
// positive requirement on a label: what a selector merely does not exclude would be more than the Invite's page shows.
type UserMatcher struct {
	Matcher
	includeInvited bool
	// positive are the keys of the labels that the selector requires.
	positive []string
	// negative is the selector in words, where it requires none.
	negative string
}

// NewUserMatcher compiles a LibraryGrant's users.
func NewUserMatcher(targets v1alpha1.Targets, includeInvited bool) (UserMatcher, error) {
	matcher, err := NewMatcher(targets)
	if err != nil {
		return UserMatcher{}, err
	}
	m := UserMatcher{Matcher: matcher, includeInvited: includeInvited}
	requirements, _ := matcher.selector.Requirements()
	for _, requirement := range requirements {
		if positive(requirement.Operator()) {
			m.positive = append(m.positive, requirement.Key())
		}
	}
	slices.Sort(m.positive)
	m.positive = slices.Compact(m.positive)
	if len(m.positive) == 0 && targets.Selector != nil {
		m.negative = shortened(matcher.selector.String())
	}
	return m, nil
}

func positive(operator selection.Operator) bool {
	switch operator {
	case selection.In, selection.Equals, selection.DoubleEquals, selection.Exists:
		return true
	}
	return false
}

// Matches says whether the User is taken.
func (m UserMatcher) Matches(user metav1.Object) bool {
	if !m.Matcher.Matches(user) {
		return false
	}
	return m.includeInvited || !Invited(user) || m.names.Has(user.GetName()) || len(m.positive) > 0 && m.bySelector(user)
}

// TakesInvited says whether somebody who came by an Invite can be taken otherwise than by name.
func (m UserMatcher) TakesInvited() bool { return m.includeInvited || len(m.positive) > 0 }

func (m UserMatcher) bySelector(user metav1.Object) bool {
	return m.selector.Matches(labels.Set(user.GetLabels()))
}

// by says by which labels a User is taken, in parentheses; empty where it is by name or by all: true.
func (m UserMatcher) by(user metav1.Object) string {
	if m.all || m.names.Has(user.GetName()) {
		return ""
	}
	if len(m.positive) == 0 {
		return " (" + m.negative + ")"
	}
	pairs := make([]string, 0, len(m.positive))
	for _, key := range m.positive {
		pairs = append(pairs, key+"="+user.GetLabels()[key])
	}
	return " (" + shortened(strings.Join(pairs, ",")) + ")"
}

// shortened bounds what a status repeats for each library. Labels and selectors are ASCII.
func shortened(text string) string {
	const most = 120
	if len(text) <= most {
		return text
	}
	return text[:most] + "..."
}

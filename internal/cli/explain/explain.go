// Package explain says why a person sees a library, or does not: through what, what blocks it, and what would change it.
package explain

import (
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"
	"time"

	"k8s.io/apimachinery/pkg/api/meta"

	"github.com/usher-media/usher/api/v1alpha1"
	"github.com/usher-media/usher/internal/access"
	"github.com/usher-media/usher/internal/cli/objects"
)

// Answer is everything about one User.
type Answer struct {
	objects objects.Objects
	user    *v1alpha1.User
	at      time.Time
	// libraries are those that are asked about.
	libraries []*v1alpha1.Library
}

// Ask asks about a User, and one Library or, where its name is empty, all of the User's server.
func Ask(o objects.Objects, user, library string, at time.Time) (*Answer, error) {
	a := &Answer{objects: o, at: at}
	for i := range o.Users {
		if o.Users[i].Name == user {
			a.user = &o.Users[i]
		}
	}
	if a.user == nil {
		return nil, fmt.Errorf("there is no User %q in namespace %s; `kubectl -n %s get users` lists them%s", user, o.Namespace, o.Namespace, a.named(user))
	}
	for i := range o.Libraries {
		if l := &o.Libraries[i]; l.Spec.ServerRef == a.user.Spec.ServerRef && (library == "" || l.Name == library) {
			a.libraries = append(a.libraries, l)
		}
	}
	if library != "" && len(a.libraries) == 0 {
		return nil, fmt.Errorf("there is no Library %q on MediaServer %s; `kubectl -n %s get libraries` lists them", library, a.user.Spec.ServerRef.Name, o.Namespace)
	}
	return a, nil
}

// named helps who gave the name of an account.
func (a *Answer) named(username string) string {
	for i := range a.objects.Users {
		if u := &a.objects.Users[i]; strings.EqualFold(u.Spec.Username, username) {
			return fmt.Sprintf("; the account %q is User %s", u.Spec.Username, u.Name)
		}
	}
	return ""
}

// Print writes the answer, in sentences.
func (a *Answer) Print(out io.Writer) error {
	var text strings.Builder
	u := a.user
	fmt.Fprintf(&text, "User %s is the account %q on MediaServer %s, with role %s.\n", u.Name, u.Spec.Username, u.Spec.ServerRef.Name, u.Spec.Role)
	for _, line := range a.person() {
		text.WriteString("! " + line + "\n")
	}
	effective := a.objects.Effective(u, a.at)
	has, complete := objects.Has(u)
	for _, library := range a.libraries {
		text.WriteString("\n" + a.library(library, effective[library.Name], has[library.Name], complete))
	}
	if len(a.libraries) == 0 {
		fmt.Fprintf(&text, "\nNo Library of this server is declared.\n")
	}
	_, err := io.WriteString(out, text.String())
	return err
}

// person says what is to be known of the User and its server, whatever the library.
func (a *Answer) person() (lines []string) {
	u := a.user
	state := a.objects.State(u, a.at, true)
	switch {
	case state == v1alpha1.UserDisabled:
		lines = append(lines, "Nobody can sign in: spec.disabled is set.")
	case state == v1alpha1.UserExpired:
		lines = append(lines, "Nobody can sign in: the account ended at "+string(*u.Spec.ExpiresAt)+". A later spec.expiresAt gives it back.")
	case state == v1alpha1.UserDisabledOnServer:
		lines = append(lines, "Nobody can sign in: the account is disabled on the server, and not by Usher. Enable it there.")
	case state == v1alpha1.UserPending:
		lines = append(lines, "There is no account yet, or not one that is known to be this User's.")
	case u.Spec.ExpiresAt != nil:
		lines = append(lines, "The account ends at "+string(*u.Spec.ExpiresAt)+".")
	}
	if !u.DeletionTimestamp.IsZero() {
		lines = append(lines, "The User is being deleted: it is given nothing.")
	}
	server := a.objects.Server(u.Spec.ServerRef.Name)
	switch {
	case server == nil:
		return append(lines, "There is no MediaServer "+u.Spec.ServerRef.Name+": nothing is given or taken.")
	case server.Annotations[v1alpha1.AnnotationPaused] != "" || u.Annotations[v1alpha1.AnnotationPaused] != "":
		lines = append(lines, "Paused by the annotation "+v1alpha1.AnnotationPaused+": nothing is given or taken.")
	case server.Spec.Mode == v1alpha1.ModeObserve:
		lines = append(lines, "The MediaServer is in mode Observe: nothing is given or taken.")
	}
	lines = append(lines, notReady("MediaServer "+server.Name, server.Status.Conditions)...)
	return append(lines, notReady("The User", u.Status.Conditions)...)
}

func notReady(what string, conditions v1alpha1.Conditions) []string {
	ready := meta.FindStatusCondition(conditions, v1alpha1.ConditionReady)
	switch {
	case ready == nil:
		return []string{what + " was not handled yet: does Usher run?"}
	case ready.Status != "True":
		return []string{fmt.Sprintf("%s is not Ready (%s): %s", what, ready.Reason, ready.Message)}
	}
	return nil
}

// library is the paragraph about one library.
func (a *Answer) library(library *v1alpha1.Library, edge access.Edge, has v1alpha1.LibraryRole, complete bool) string {
	var out strings.Builder
	sees := edge.Role != ""
	switch {
	case sees:
		fmt.Fprintf(&out, "%s: sees it, as %s\n", library.Name, edge.Role)
	default:
		fmt.Fprintf(&out, "%s: does not see it\n", library.Name)
	}
	for _, line := range a.reasons(library) {
		out.WriteString("  " + line + "\n")
	}
	switch {
	case sees && has == "" && complete:
		out.WriteString("  ! The server was not seen to have it yet.\n")
	case sees && has != "" && has != edge.Role:
		fmt.Fprintf(&out, "  ! On the server it is %s yet.\n", has)
	case !sees && has != "":
		out.WriteString("  ! The server was seen to have it still.\n")
	}
	for _, line := range notReady("The Library", library.Status.Conditions) {
		out.WriteString("  ! " + line + "\n")
	}
	return out.String()
}

// reasons lists what gives the library, or could: each with what would change that.
func (a *Answer) reasons(library *v1alpha1.Library) (lines []string) {
	given := a.given(library)
	if len(given) > 0 {
		return given
	}
	if !library.DeletionTimestamp.IsZero() {
		return []string{"The Library is being deleted: nobody is given it."}
	}
	for i := range a.objects.Grants {
		if line := a.couldGive(&a.objects.Grants[i], library); line != "" {
			lines = append(lines, line)
		}
	}
	if len(lines) == 0 {
		lines = append(lines, "No LibraryGrant gives this library to anybody. Write one, or add it to spec.libraries of one.")
	}
	return lines
}

// given lists what gives the library.
func (a *Answer) given(library *v1alpha1.Library) (lines []string) {
	u, subject := a.user, a.objects.Subject(a.user)
	if !u.DeletionTimestamp.IsZero() || !library.DeletionTimestamp.IsZero() {
		return nil
	}
	if subject.SeesAll {
		lines = append(lines, fmt.Sprintf("by its role %s, which sees every library. Another spec.role takes it away.", u.Spec.Role))
	}
	if u.Spec.Access == v1alpha1.UserAccessAll {
		lines = append(lines, "by spec.access All. Granted takes it away.")
	}
	for i := range a.objects.Grants {
		grant := &a.objects.Grants[i]
		compiled, err := access.NewGrant(grant)
		state, until := access.GrantState(grant, a.at)
		if err != nil || state != v1alpha1.GrantActive || !compiled.Libraries.Matches(library) || !compiled.Users.Matches(u) || !subject.Knows(compiled.Role) {
			continue
		}
		line := fmt.Sprintf("through LibraryGrant %s, as %s, which takes %s", grant.Name, compiled.Role, a.takes(grant, true))
		if !until.IsZero() {
			line += ", until " + string(v1alpha1.NewTime(until))
		}
		lines = append(lines, line+".")
	}
	redeemed, came := subject.Redeemed[library.Name]
	if came && subject.Knows(redeemed.Role) {
		lines = append(lines, fmt.Sprintf("through %s. Deleting its Redemption takes it away: `kubectl -n %s get redemptions`", strings.Join(redeemed.Through, " and "), a.objects.Namespace))
	}
	return lines
}

// takes says how a grant selects people, and for whom it is taken or not what the person has of it.
func (a *Answer) takes(grant *v1alpha1.LibraryGrant, taken bool) string {
	users := grant.Spec.Users
	if users.All {
		if !taken {
			return "everybody but who came by an Invite (includeInvited would take these)"
		}
		return "everybody"
	}
	var ways []string
	named := slices.ContainsFunc(users.Refs, func(ref v1alpha1.LocalReference) bool { return ref.Name == a.user.Name })
	if named {
		return a.user.Name + " by name (spec.users.refs)"
	}
	if len(users.Refs) > 0 && !taken {
		ways = append(ways, plural(len(users.Refs), "person", "people")+" by name")
	}
	if compiled, err := access.NewGrant(grant); err == nil && users.Selector != nil {
		text := "people with " + compiled.Users.Selector().String()
		if mine := a.labelsOf(users.Selector); mine != "" {
			text += " (" + a.user.Name + " has " + mine + ")"
		}
		ways = append(ways, text)
	}
	return strings.Join(ways, ", and ")
}

func plural(n int, one, many string) string {
	if n == 1 {
		return "1 " + one
	}
	return fmt.Sprintf("%d %s", n, many)
}

// labelsOf lists what the person has of the labels that a selector asks about.
func (a *Answer) labelsOf(selector *v1alpha1.LabelSelector) string {
	keys := slices.Collect(maps.Keys(selector.MatchLabels))
	for _, e := range selector.MatchExpressions {
		keys = append(keys, e.Key)
	}
	slices.Sort(keys)
	var words []string
	for _, key := range slices.Compact(keys) {
		if has, there := a.user.Labels[key]; there {
			words = append(words, key+"="+has)
		} else {
			words = append(words, "no "+key)
		}
	}
	return strings.Join(words, ", ")
}

// couldGive says why a grant of the library does not give it to the person, and what would change that; empty for a grant of others.
func (a *Answer) couldGive(grant *v1alpha1.LibraryGrant, library *v1alpha1.Library) string {
	compiled, err := access.NewGrant(grant)
	if err != nil {
		return fmt.Sprintf("LibraryGrant %s cannot be read: %v", grant.Name, err)
	}
	if !compiled.Libraries.Matches(library) {
		return ""
	}
	state, next := access.GrantState(grant, a.at)
	taken := compiled.Users.Matches(a.user)
	switch {
	case taken && state == v1alpha1.GrantEnded:
		return fmt.Sprintf("LibraryGrant %s gave it, until %s. A later spec.notAfter gives it back.", grant.Name, *grant.Spec.NotAfter)
	case taken && state == v1alpha1.GrantScheduled:
		return fmt.Sprintf("LibraryGrant %s gives it from %s on.", grant.Name, v1alpha1.NewTime(next))
	case taken && state != v1alpha1.GrantActive:
		return fmt.Sprintf("LibraryGrant %s would give it, and is %s.", grant.Name, state)
	case taken && !a.objects.Knows(a.user.Spec.ServerRef.Name, compiled.Role):
		return fmt.Sprintf("LibraryGrant %s gives the role %s, which the server does not know.", grant.Name, compiled.Role)
	case state == v1alpha1.GrantEnded:
		return ""
	}
	return fmt.Sprintf("LibraryGrant %s gives it to %s.\n    To give it: %s", grant.Name, a.takes(grant, false), a.way(grant))
}

// way is what would have a grant take the person: a label, where one is enough.
func (a *Answer) way(grant *v1alpha1.LibraryGrant) string {
	selector := grant.Spec.Users.Selector
	label := func(pair string) string {
		return fmt.Sprintf("kubectl -n %s label user %s --overwrite %s", a.objects.Namespace, a.user.Name, pair)
	}
	switch {
	case selector == nil:
	case len(selector.MatchExpressions) == 0 && len(selector.MatchLabels) > 0:
		var pairs []string
		for _, key := range slices.Sorted(maps.Keys(selector.MatchLabels)) {
			pairs = append(pairs, key+"="+string(selector.MatchLabels[key]))
		}
		return label(strings.Join(pairs, " ")) + a.others(grant)
	case len(selector.MatchLabels) == 0 && len(selector.MatchExpressions) == 1 && selector.MatchExpressions[0].Operator == "In":
		e := selector.MatchExpressions[0]
		return label(e.Key+"="+string(e.Values[0])) + a.others(grant)
	}
	return fmt.Sprintf("add {name: %s} to spec.users.refs of LibraryGrant %s", a.user.Name, grant.Name)
}

// others warns that a label may give and take more.
func (a *Answer) others(grant *v1alpha1.LibraryGrant) string {
	return fmt.Sprintf("\n    (see by `kubectl usher explain %s` what else the label gives or takes; by name alone: spec.users.refs of %s)", a.user.Name, grant.Name)
}

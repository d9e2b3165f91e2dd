package doctor

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"time"

	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/util/duration"

	"github.com/usher-media/usher/api/v1alpha1"
	"github.com/usher-media/usher/internal/cli/objects"
)

// longest is how many of the objects that wait are named.
const longest = 5

// Objects looks at the objects of a namespace.
func Objects(o objects.Objects, now time.Time) (findings []Finding) {
	for i := range o.Servers {
		findings = append(findings, server(&o.Servers[i])...)
	}
	findings = append(findings, drift(o, now))
	return append(findings, waiting(o, now)...)
}

func server(s *v1alpha1.MediaServer) (findings []Finding) {
	name, ready := "MediaServer "+s.Name, meta.FindStatusCondition(s.Status.Conditions, v1alpha1.ConditionReady)
	switch {
	case ready == nil:
		findings = append(findings, bad("wait a moment; if it lasts, Usher does not run, or does not watch this namespace", "%s was not handled yet", name))
	case ready.Status != metav1.ConditionTrue:
		findings = append(findings, bad("docs/status.md explains "+ready.Reason, "%s is not Ready (%s): %s", name, ready.Reason, ready.Message))
	case ready.Reason == v1alpha1.ReasonObserving:
		findings = append(findings, notice(fmt.Sprintf("set spec.mode to Enforce when the plans are what you want: `kubectl -n %s get users -o wide`", s.Namespace), "%s is only observed: %s", name, ready.Message))
	default:
		findings = append(findings, good("%s is connected: %s %s, as %s", name, s.Spec.Type, s.Status.Version, s.Status.Account))
	}
	for _, kind := range []string{v1alpha1.ConditionIdentityShared, v1alpha1.ConditionAnotherKey} {
		if c := meta.FindStatusCondition(s.Status.Conditions, kind); c != nil && c.Status == metav1.ConditionTrue {
			findings = append(findings, notice("docs/status.md explains "+kind, "%s: %s", name, c.Message))
		}
	}
	if s.Spec.TLS != nil && s.Spec.TLS.InsecureSkipVerify {
		findings = append(findings, notice("put the server's certificate into a Secret, and name that by spec.tls.caSecretRef", "%s trusts any certificate", name))
	}
	if u := s.Status.Undeclared; u != nil {
		if enabled := u.EnabledAccounts; enabled != nil && enabled.Total > 0 {
			findings = append(findings, notice("declare them as Users, or leave them: Usher never touches them", "%s: %d accounts that people can use are declared by no manifest: %s", name, enabled.Total, some(*enabled)))
		}
		if u.Libraries.Total > 0 {
			findings = append(findings, notice("declare them as Libraries, or leave them", "%s: %d libraries are declared by no manifest: %s", name, u.Libraries.Total, some(u.Libraries)))
		}
	}
	return findings
}

// some names the first of what was counted.
func some(items v1alpha1.UndeclaredItems) string {
	text := strings.Join(items.Names, ", ")
	if int(items.Total) > len(items.Names) {
		text += " and more"
	}
	return text
}

// drift says what was changed by hand within a day, or is still.
func drift(o objects.Objects, now time.Time) Finding {
	var recent, unrepaired []string
	note := func(kind, name string, d *v1alpha1.Drift) {
		if d == nil {
			return
		}
		at, err := d.DetectedAt.Parse()
		switch {
		case err != nil || now.Sub(at) > 24*time.Hour:
		case d.RepairedAt == nil:
			unrepaired = append(unrepaired, kind+" "+name)
		default:
			recent = append(recent, kind+" "+name)
		}
	}
	for i := range o.Users {
		note("User", o.Users[i].Name, o.Users[i].Status.Drift)
	}
	for i := range o.Libraries {
		note("Library", o.Libraries[i].Name, o.Libraries[i].Status.Drift)
	}
	switch {
	case len(unrepaired) > 0:
		return bad("read status.drift and the conditions of each", "Changed by hand on a server, and not repaired: %s", strings.Join(unrepaired, ", "))
	case len(recent) > 0:
		return notice("read status.drift; if the change is to stay, write it into the manifests", "Changed by hand on a server within a day, and repaired: %s", strings.Join(recent, ", "))
	}
	return good("Nothing was changed by hand on a server within a day")
}

// held is an object that is not Ready.
type held struct {
	name  string
	ready *metav1.Condition
}

// waiting names what the disruption limit holds up, and the objects that wait longest.
func waiting(o objects.Objects, now time.Time) (findings []Finding) {
	var all, braked []held
	note := func(kind, name string, conditions v1alpha1.Conditions) {
		ready := meta.FindStatusCondition(conditions, v1alpha1.ConditionReady)
		switch {
		case ready != nil && ready.Status == metav1.ConditionTrue:
		case ready != nil && ready.Reason == v1alpha1.ReasonDisruptionLimit:
			braked = append(braked, held{kind + " " + name, ready})
		default:
			all = append(all, held{kind + " " + name, ready})
		}
	}
	for i := range o.Libraries {
		note("Library", o.Libraries[i].Name, o.Libraries[i].Status.Conditions)
	}
	for i := range o.Users {
		note("User", o.Users[i].Name, o.Users[i].Status.Conditions)
	}
	for i := range o.Grants {
		note("LibraryGrant", o.Grants[i].Name, o.Grants[i].Status.Conditions)
	}
	if len(braked) > 0 {
		findings = append(findings, bad(braked[0].ready.Message, "%d Users would lose access or be disabled at once, and are held back", len(braked)))
	}
	if len(all) == 0 {
		return append(findings, good("All other objects are Ready (%d Libraries, %d Users, %d LibraryGrants)", len(o.Libraries), len(o.Users), len(o.Grants)))
	}
	slices.SortStableFunc(all, func(a, b held) int { return cmp.Compare(since(b, now), since(a, now)) })
	for _, h := range all[:min(len(all), longest)] {
		if h.ready == nil {
			findings = append(findings, bad("wait a moment; if it lasts, Usher does not run, or does not watch this namespace", "%s was not handled yet", h.name))
			continue
		}
		findings = append(findings, bad("docs/status.md explains "+h.ready.Reason, "%s has waited for %s (%s): %s", h.name, duration.HumanDuration(since(h, now)), h.ready.Reason, h.ready.Message))
	}
	if more := len(all) - longest; more > 0 {
		findings = append(findings, notice("", "%d more objects are not Ready", more))
	}
	return findings
}

func since(h held, now time.Time) time.Duration {
	if h.ready == nil {
		return 0
	}
	return now.Sub(h.ready.LastTransitionTime.Time)
}

package explain_test

import (
	"bytes"
	"flag"
	"os"
	"strings"
	"testing"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/usher-media/usher/api/v1alpha1"
	"github.com/usher-media/usher/internal/cli/explain"
	"github.com/usher-media/usher/internal/cli/objects"
)

var update = flag.Bool("update", false, "write the golden files anew")

var now = time.Date(2026, 12, 1, 12, 0, 0, 0, time.UTC)

var isReady = v1alpha1.Conditions{{Type: v1alpha1.ConditionReady, Status: "True", Reason: v1alpha1.ReasonSynced}}

// house has a library for each reason to see it, or not to.
func house() objects.Objects {
	o := objects.Objects{Namespace: "media", Servers: []v1alpha1.MediaServer{{ObjectMeta: metav1.ObjectMeta{Name: "home"}}}}
	o.Servers[0].Status.Conditions = isReady
	at := func(d time.Duration) *v1alpha1.Time { moment := v1alpha1.NewTime(now.Add(d)); return &moment }
	label := func(key, value string) *v1alpha1.LabelSelector {
		return &v1alpha1.LabelSelector{MatchLabels: map[string]v1alpha1.LabelValue{key: v1alpha1.LabelValue(value)}}
	}
	expression := func(operator string, values ...v1alpha1.LabelValue) *v1alpha1.LabelSelector {
		return &v1alpha1.LabelSelector{MatchExpressions: []v1alpha1.LabelSelectorRequirement{{Key: "group", Operator: v1alpha1.LabelSelectorOperator(operator), Values: values}}}
	}
	mia := v1alpha1.Targets{Refs: []v1alpha1.LocalReference{{Name: "mia"}}}
	for _, g := range []struct {
		name string
		spec v1alpha1.LibraryGrantSpec
	}{
		{"by-name", v1alpha1.LibraryGrantSpec{Users: mia, NotAfter: at(time.Hour)}},
		{"by-label", v1alpha1.LibraryGrantSpec{Users: v1alpha1.Targets{Selector: label("group", "kids")}, Role: v1alpha1.LibraryRoleAdmin}},
		{"to-all", v1alpha1.LibraryGrantSpec{Users: v1alpha1.Targets{All: true}}},
		{"ended", v1alpha1.LibraryGrantSpec{Users: mia, NotAfter: at(-time.Hour)}},
		{"scheduled", v1alpha1.LibraryGrantSpec{Users: mia, NotBefore: at(time.Hour)}},
		{"withdrawn", v1alpha1.LibraryGrantSpec{Users: mia, Disabled: true}},
		{"adults", v1alpha1.LibraryGrantSpec{Users: v1alpha1.Targets{Selector: label("group", "adults")}}},
		{"some", v1alpha1.LibraryGrantSpec{Users: v1alpha1.Targets{Selector: expression("In", "adults", "friends")}}},
		{"not-kids", v1alpha1.LibraryGrantSpec{Users: v1alpha1.Targets{Selector: expression("NotIn", "kids")}}},
		{"others", v1alpha1.LibraryGrantSpec{Users: v1alpha1.Targets{Refs: []v1alpha1.LocalReference{{Name: "leo"}}}}},
	} {
		g.spec.Libraries.Refs = []v1alpha1.LocalReference{{Name: g.name}}
		o.Grants = append(o.Grants, v1alpha1.LibraryGrant{ObjectMeta: metav1.ObjectMeta{Name: g.name}, Spec: g.spec})
	}
	for _, name := range []string{"adults", "by-invite", "by-label", "by-name", "ended", "nobodys", "not-kids", "others", "scheduled", "some", "to-all", "withdrawn"} {
		l := v1alpha1.Library{ObjectMeta: metav1.ObjectMeta{Name: name}, Spec: v1alpha1.LibrarySpec{ServerRef: v1alpha1.LocalReference{Name: "home"}}}
		l.Status.Conditions = isReady
		o.Libraries = append(o.Libraries, l)
	}
	for name, spec := range map[string]v1alpha1.UserSpec{"mia": {Role: v1alpha1.AccountRoleMember}, "zoe": {Role: v1alpha1.AccountRoleMember, Disabled: true, Access: v1alpha1.UserAccessAll}} {
		spec.ServerRef.Name, spec.Username = "home", strings.ToUpper(name)
		u := v1alpha1.User{ObjectMeta: metav1.ObjectMeta{Name: name, Labels: map[string]string{"group": "kids"}}, Spec: spec}
		u.Status.State, u.Status.ExternalID, u.Status.Conditions = v1alpha1.UserActive, "id-"+name, isReady
		u.Status.Access = &v1alpha1.UserAccessStatus{Total: 2, Items: []v1alpha1.UserAccessEntry{{Library: "by-name", Role: v1alpha1.LibraryRoleViewer}, {Library: "ended", Role: v1alpha1.LibraryRoleViewer}}}
		o.Users = append(o.Users, u)
	}
	r := v1alpha1.Redemption{ObjectMeta: metav1.ObjectMeta{Name: "cousins-0"}, Spec: v1alpha1.RedemptionSpec{
		InviteRef: v1alpha1.InviteReference{Name: "cousins", UID: "1"},
		Accounts: []v1alpha1.RedeemedAccount{{
			Server: "home", UserRef: v1alpha1.LocalReference{Name: "mia"}, Username: "MIA",
			Libraries: []v1alpha1.RedeemedEdge{{Library: "by-invite", Role: v1alpha1.LibraryRoleViewer}},
		}},
	}}
	r.Status = v1alpha1.RedemptionStatus{Phase: v1alpha1.RedemptionCompleted, Accounts: []v1alpha1.RedeemedAccountID{{Server: "home", ID: "id-mia"}}}
	o.Redemptions = append(o.Redemptions, r)
	return o
}

// TestExplain: every reason, in words.
func TestExplain(t *testing.T) {
	for file, ask := range map[string][2]string{"everything": {"mia", ""}, "one": {"mia", "adults"}, "disabled": {"zoe", "adults"}} {
		answer, err := explain.Ask(house(), ask[0], ask[1], now)
		if err != nil {
			t.Fatal(err)
		}
		var out bytes.Buffer
		if err := answer.Print(&out); err != nil {
			t.Fatal(err)
		}
		file = "testdata/" + file + ".txt"
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
	for name, ask := range map[string][2]string{"is User mia": {"MIA", ""}, "no User": {"x", ""}, "no Library": {"mia", "x"}} {
		if _, err := explain.Ask(house(), ask[0], ask[1], now); err == nil || !strings.Contains(err.Error(), name) {
			t.Errorf("%v: %v", ask, err)
		}
	}
}

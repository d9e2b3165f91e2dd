package doctor_test

import (
	"bytes"
	"flag"
	"os"
	"strings"
	"testing"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/usher-media/usher/api/v1alpha1"
	"github.com/usher-media/usher/internal/cli/doctor"
	"github.com/usher-media/usher/internal/cli/objects"
)

var update = flag.Bool("update", false, "write the golden files anew")

var now = time.Date(2026, 12, 1, 12, 0, 0, 0, time.UTC)

func ready(status, reason, message string, ago time.Duration) v1alpha1.Conditions {
	return v1alpha1.Conditions{{Type: v1alpha1.ConditionReady, Status: metav1.ConditionStatus(status), Reason: reason, Message: message, LastTransitionTime: metav1.NewTime(now.Add(-ago))}}
}

func user(name string, conditions v1alpha1.Conditions) v1alpha1.User {
	u := v1alpha1.User{ObjectMeta: metav1.ObjectMeta{Name: name}}
	u.Status.Conditions = conditions
	return u
}

// ill is a namespace in which everything is wrong that is looked for.
func ill() objects.Objects {
	o := objects.Objects{Namespace: "media"}
	for _, s := range []struct {
		name       string
		conditions v1alpha1.Conditions
	}{
		{"away", ready("False", v1alpha1.ReasonServerUnavailable, "the server does not answer", time.Hour)},
		{"home", ready("True", v1alpha1.ReasonSynced, "", time.Hour)},
		{"new", nil},
		{"observed", ready("True", v1alpha1.ReasonObserving, "3 objects would be changed", time.Hour)},
	} {
		server := v1alpha1.MediaServer{ObjectMeta: metav1.ObjectMeta{Namespace: "media", Name: s.name}, Spec: v1alpha1.MediaServerSpec{Type: "Embedded"}}
		server.Status.Conditions, server.Status.Version, server.Status.Account = s.conditions, "1.2.3", "alice"
		o.Servers = append(o.Servers, server)
	}
	o.Servers[1].Spec.TLS = &v1alpha1.TLS{InsecureSkipVerify: true}
	o.Servers[1].Status.Undeclared = &v1alpha1.Undeclared{
		EnabledAccounts: &v1alpha1.UndeclaredItems{Total: 12, Names: []string{"eve", "mallory"}}, Libraries: v1alpha1.UndeclaredItems{Total: 1, Names: []string{"Old"}},
	}
	o.Servers[1].Status.Conditions = append(o.Servers[1].Status.Conditions, metav1.Condition{Type: v1alpha1.ConditionAnotherKey, Status: "True", Message: "passwords were made with another key"})
	moment := v1alpha1.NewTime(now.Add(-time.Hour))
	drifted := user("mia", ready("True", v1alpha1.ReasonSynced, "", time.Hour))
	drifted.Status.Drift = &v1alpha1.Drift{DetectedAt: moment}
	o.Users = []v1alpha1.User{drifted, user("new", nil), user("many", ready("False", v1alpha1.ReasonDisruptionLimit, "annotate the MediaServer", time.Minute))}
	for i, name := range []string{"a", "b", "c", "d", "e", "f"} {
		o.Users = append(o.Users, user(name, ready("False", v1alpha1.ReasonConflict, "an account of that name exists", time.Duration(i)*time.Hour)))
	}
	return o
}

// TestWhatIsWrong is found, with the way out.
func TestWhatIsWrong(t *testing.T) {
	well := objects.Objects{Servers: []v1alpha1.MediaServer{ill().Servers[1]}, Users: []v1alpha1.User{user("mia", ready("True", v1alpha1.ReasonSynced, "", time.Hour))}}
	well.Servers[0].Spec.TLS, well.Servers[0].Status.Undeclared, well.Servers[0].Status.Conditions = nil, nil, well.Servers[0].Status.Conditions[:1]
	for file, try := range map[string]struct {
		objects objects.Objects
		wrong   int
	}{"ill": {ill(), 9}, "well": {well, 0}} {
		var out bytes.Buffer
		wrong, err := doctor.Print(&out, doctor.Objects(try.objects, now), false)
		if err != nil || wrong != try.wrong {
			t.Errorf("%s: %d things are wrong, want %d (%v)", file, wrong, try.wrong, err)
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
		for line := range strings.Lines(out.String()) {
			if n := len([]rune(strings.TrimSuffix(line, "\n"))); n > 80 {
				t.Errorf("%s: %d columns: %s", file, n, line)
			}
		}
	}
}

// TestColour is there only where it was asked for.
func TestColour(t *testing.T) {
	for _, colour := range []bool{true, false} {
		var out bytes.Buffer
		if _, err := doctor.Print(&out, []doctor.Finding{{Grade: doctor.Bad, Message: "x"}}, colour); err != nil || strings.Contains(out.String(), "\x1b") != colour {
			t.Errorf("colour %t: %q, %v", colour, out.String(), err)
		}
	}
}

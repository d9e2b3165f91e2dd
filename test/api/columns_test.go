package api

import (
	"os/exec"
	"strings"
	"testing"
	"unicode/utf8"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/usher-media/usher/internal/testenv"
)

// terminal is the width that `kubectl get` must fit, with names of ordinary length: for one kind with the longest
// states, and for a household's kinds together, where kubectl puts the kind before each name, with the usual ones.
// An Invite fits by itself, for up to 999 people: its expiry is a date in full, since kubectl shows no other way when
// something will be. A Redemption's name is long, so there it is the invite and the person that have ordinary names.
const terminal = 80

// shown holds a spec and a status of each kind whose columns are as wide as they get.
var shown = map[string]struct{ plural, name, spec, status, columns string }{
	"MediaServer": {
		"mediaservers", ordinary, `{}`, `{state: Unavailable, ` + ready("Unknown") + `}`,
		"NAME TYPE STATE READY AGE",
	},
	"Library": {"libraries", ordinary, `{}`, `{members: {total: 1200}, ` + ready("Unknown") + `}`, "NAME SERVER MEMBERS READY AGE"},
	"User": {
		"users", ordinary, `{}`, `{state: DisabledOnServer, access: {total: 150}, ` + ready("False") + `}`,
		"NAME SERVER ROLE LIBRARIES STATE READY AGE",
	},
	"LibraryGrant": {
		"librarygrants", ordinary, `{}`, `{state: Scheduled, edges: {desired: 12000, applied: 12000, summary: 12000/12000}, ` + ready("Unknown") + `}`,
		"NAME EDGES STATE APPLIED READY AGE",
	},
	"Invite": {
		"invites", ordinary, `{maxUses: 999, expiresAt: "2026-12-31T00:00:00Z"}`, `{state: Exhausted, uses: {total: 999}, ` + ready("Unknown") + `}`,
		"NAME STATE USES MAX EXPIRES READY AGE",
	},
	"Redemption": {
		"redemptions", "6f3b2c1e-9f57-4e0e-8f0e-0d5e6a7b8c9d-0", `{}`, `{phase: Completed, accounts: [{server: home, id: x}]}`,
		"NAME INVITE USERNAME PHASE AGE",
	},
}

// ordinary is a name of ordinary length.
const ordinary = "kids-movies-2026"

func ready(status string) string {
	condition := `{status: "` + status + `", reason: R, message: m, lastTransitionTime: "2026-01-01T00:00:00Z", `
	return `conditions: [` + condition + `type: Ready}, ` + condition + `type: Applied}]`
}

// TestColumns asks the API server for what `kubectl get` prints.
func TestColumns(t *testing.T) {
	env := testenv.Get(t)
	namespace := env.Namespace(t)
	kubeconfig := env.Kubeconfig(t)
	get := func(t *testing.T, what ...string) string {
		t.Helper()
		arguments := append([]string{"--kubeconfig", kubeconfig, "-n", namespace, "get"}, what...)
		out, err := exec.CommandContext(t.Context(), env.Kubectl(), arguments...).CombinedOutput()
		if err != nil {
			t.Fatalf("kubectl get %v: %v\n%s", what, err, out)
		}
		return string(out)
	}
	for kind, want := range shown {
		show(t, env.Client(), manifest(t, kind, namespace, want.name, want.spec), want.status)
		t.Run(kind, func(t *testing.T) {
			out := get(t, want.plural)
			header, _, _ := strings.Cut(out, "\n")
			if got := strings.Join(strings.Fields(header), " "); got != want.columns {
				t.Errorf("columns %s\nwant    %s", got, want.columns)
			}
			mustFit(t, out)
			if strings.Contains(out, "<none>") {
				t.Errorf("a column shows nothing:\n%s", out)
			}
		})
	}
	t.Run("category", func(t *testing.T) {
		out := get(t, "usher")
		for kind, want := range shown {
			if !strings.Contains(out, strings.ToLower(kind)+".usher.media/"+want.name+" ") {
				t.Errorf("kubectl get usher shows no %s:\n%s", kind, out)
			}
		}
	})
	t.Run("short names", func(t *testing.T) { get(t, "ms,lib,usr,lg,inv,rdm") })
	t.Run("together", func(t *testing.T) {
		namespace = env.Namespace(t)
		show(t, env.Client(), manifest(t, "Library", namespace, "kids-movies", `{}`), `{members: {total: 5}, `+ready("True")+`}`)
		show(t, env.Client(), manifest(t, "User", namespace, "grandpa", `{}`), `{state: Active, access: {total: 4}, `+ready("True")+`}`)
		show(t, env.Client(), manifest(t, "LibraryGrant", namespace, "kids-movies", `{}`),
			`{state: Active, edges: {desired: 10, applied: 10, summary: 10/10}, `+ready("True")+`}`)
		mustFit(t, get(t, "libraries,users,librarygrants"))
	})
}

func show(t *testing.T, c client.Client, object *unstructured.Unstructured, status string) {
	t.Helper()
	if err := strict(c).Create(t.Context(), object); err != nil {
		t.Fatal(err)
	}
	object.Object["status"] = parse(t, status)
	if err := strict(c).Status().Update(t.Context(), object); err != nil {
		t.Fatal(err)
	}
}

func mustFit(t *testing.T, out string) {
	t.Helper()
	for line := range strings.Lines(out) {
		if width := utf8.RuneCountInString(strings.TrimRight(line, " \n")); width > terminal {
			t.Errorf("%d characters, more than %d:\n%s", width, terminal, line)
		}
	}
	t.Log("\n" + out)
}

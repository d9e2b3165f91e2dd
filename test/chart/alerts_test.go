package chart

import (
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"sigs.k8s.io/yaml"
)

// rule is an alert.
type rule struct {
	Alert, Expr, For    string
	Labels, Annotations map[string]string
}

type ruleFile struct{ Groups []struct{ Rules []rule } }

// read returns the rules of a file's text.
func (f ruleFile) read(t *testing.T, text string) []rule {
	t.Helper()
	if err := yaml.Unmarshal([]byte(text), &f); err != nil || len(f.Groups) != 1 || len(f.Groups[0].Rules) < 5 {
		t.Fatalf("these are no rules: %v\n%s", err, text)
	}
	return f.Groups[0].Rules
}

func file(t *testing.T, names ...string) string {
	t.Helper()
	text, err := os.ReadFile(in(t, names...))
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// TestAlertsAreThoseOfThePage: docs/metrics.md and the chart have the same alerts, and each says what to do.
func TestAlertsAreThoseOfThePage(t *testing.T) {
	_, page, found := strings.Cut(file(t, "docs", "metrics.md"), "```yaml\ngroups:")
	page, _, _ = strings.Cut(page, "\n```")
	if !found {
		t.Fatal("docs/metrics.md has no rules")
	}
	want, got := ruleFile{}.read(t, "groups:"+page), ruleFile{}.read(t, file(t, "charts", "usher", "files", "alerts.yaml"))
	if len(want) != len(got) {
		t.Errorf("the page has %d alerts and the chart %d", len(want), len(got))
	}
	for i := range min(len(want), len(got)) {
		w, g := want[i], got[i]
		if w.Alert != g.Alert || w.Expr != g.Expr || w.For != g.For {
			t.Errorf("the page says\n%+v\nand the chart\n%+v", w, g)
		}
		if !slices.Contains([]string{"critical", "warning"}, g.Labels["severity"]) || g.Annotations["summary"] == "" || g.Annotations["description"] == "" {
			t.Errorf("%s lacks a severity, a summary or what to do: %+v", g.Alert, g)
		}
	}
}

// TestPrometheusRule: what the chart makes of the alerts leaves out what is disabled, and labels the others.
func TestPrometheusRule(t *testing.T) {
	made := ofKind(render(t, "--values", cases(t)["everything"]), "PrometheusRule")[0]
	spec, _, _ := unstructured.NestedMap(made.Object, "spec")
	text, err := yaml.Marshal(spec)
	if err != nil {
		t.Fatal(err)
	}
	got, all := ruleFile{}.read(t, string(text)), ruleFile{}.read(t, file(t, "charts", "usher", "files", "alerts.yaml"))
	if len(got) != len(all)-1 || slices.ContainsFunc(got, func(r rule) bool { return r.Alert == "UsherDrift" }) {
		t.Errorf("there are %d alerts of %d", len(got), len(all))
	}
	for i, r := range got {
		if r.Alert != all[i].Alert || r.Expr != all[i].Expr || r.Labels["team"] != "home" || r.Labels["severity"] != all[i].Labels["severity"] {
			t.Errorf("%+v is made of %+v", r, all[i])
		}
	}
}

// promtool runs promtool, or says why it cannot.
func promtool(t *testing.T, args ...string) string {
	t.Helper()
	command := exec.CommandContext(t.Context(), in(t, "hack", "promtool.sh"))
	command.Stderr = os.Stderr
	path, err := command.Output()
	if err != nil && os.Getenv("USHER_CI_REQUIRE") == "" {
		t.Skipf("promtool is not here, and hack/promtool.sh cannot get it: %v", err)
	}
	if err != nil {
		t.Fatalf("hack/promtool.sh: %v", err)
	}
	out, err := exec.CommandContext(t.Context(), strings.TrimSpace(string(path)), args...).CombinedOutput()
	if err != nil {
		t.Errorf("promtool %s: %v\n%s", strings.Join(args, " "), err, out)
	}
	return string(out)
}

// TestAlertsFire: each alert fires when it should, not before, and not otherwise.
func TestAlertsFire(t *testing.T) {
	cases := file(t, "test", "chart", "testdata", "alerts_test.yaml")
	for _, r := range (ruleFile{}).read(t, file(t, "charts", "usher", "files", "alerts.yaml")) {
		fires, silent := strings.Count(cases, "alertname: "+r.Alert+"\n        exp_alerts:\n"), strings.Count(cases, "alertname: "+r.Alert+"\n        exp_alerts: []")
		if fires == 0 || silent == 0 {
			t.Errorf("%s is tried %d times where it fires and %d times where it does not", r.Alert, fires, silent)
		}
	}
	promtool(t, "test", "rules", in(t, "test", "chart", "testdata", "alerts_test.yaml"))
}

// TestAnAlertThatDoesNotFireIsSeen: the test above can fail.
func TestAnAlertThatDoesNotFireIsSeen(t *testing.T) {
	dir := t.TempDir()
	rules := strings.Replace(file(t, "charts", "usher", "files", "alerts.yaml"), "usher_media_server_up == 0", "usher_media_server_up == 2", 1)
	tests := strings.Replace(file(t, "test", "chart", "testdata", "alerts_test.yaml"), "../../../charts/usher/files/alerts.yaml", "alerts.yaml", 1)
	for name, text := range map[string]string{"alerts.yaml": rules, "alerts_test.yaml": tests} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	path, err := exec.CommandContext(t.Context(), in(t, "hack", "promtool.sh")).Output()
	if err != nil {
		t.Skipf("promtool is not here: %v", err)
	}
	out, err := exec.CommandContext(t.Context(), strings.TrimSpace(string(path)), "test", "rules", filepath.Join(dir, "alerts_test.yaml")).CombinedOutput()
	if err == nil || !strings.Contains(string(out), "UsherServerDown") {
		t.Errorf("%v\n%s", err, out)
	}
}

var metricName = regexp.MustCompile(`usher_[a-z_]+`)

// dashboard is what is looked at of Grafana's JSON.
type dashboard struct {
	UID, Title string
	Panels     []struct {
		ID                       int
		Type, Title, Description string
		GridPos                  struct{ H, W, X, Y int }
		Targets                  []struct{ Expr string }
	}
}

// TestDashboard: every metric of docs/metrics.md that says how things are has a panel, every expression is one, and no two panels
// lie upon each other.
func TestDashboard(t *testing.T) {
	made := ofKind(render(t, "--set", "metrics.dashboard.enabled=true,crds.enabled=false"), "ConfigMap")[0]
	text, _, _ := unstructured.NestedString(made.Object, "data", "usher.json")
	var d dashboard
	if err := json.Unmarshal([]byte(text), &d); err != nil || d.UID == "" {
		t.Fatal(d.UID, err)
	}
	page, shown, rules := file(t, "docs", "metrics.md"), map[string]bool{}, []string{"groups: [{name: dashboard, rules: ["}
	taken := map[[2]int]string{}
	for _, p := range d.Panels {
		for x := p.GridPos.X; x < p.GridPos.X+p.GridPos.W; x++ {
			for y := p.GridPos.Y; y < p.GridPos.Y+p.GridPos.H; y++ {
				if other := taken[[2]int{x, y}]; other != "" || x >= 24 {
					t.Fatalf("%s lies upon %q, or beside the page", p.Title, other)
				}
				taken[[2]int{x, y}] = p.Title
			}
		}
		if p.Type != "row" && (p.Description == "" || len(p.Targets) == 0) {
			t.Errorf("the panel %s says nothing", p.Title)
		}
		for _, target := range p.Targets {
			for _, name := range metricName.FindAllString(target.Expr, -1) {
				if name = strings.TrimSuffix(name, "_bucket"); !strings.Contains(page, "`"+name+"`") {
					t.Errorf("%s shows %s, which docs/metrics.md does not know", p.Title, name)
				}
				shown[name] = true
			}
			expression := strings.NewReplacer("$namespace", ".*", "$__rate_interval", "5m").Replace(target.Expr)
			quoted, _ := json.Marshal(expression)
			rules = append(rules, `{record: "a:b", labels: {n: "`+string(rune('a'+len(rules)%26))+`"}, expr: `+string(quoted)+"},")
		}
	}
	for _, name := range metricName.FindAllString(page, -1) {
		if !shown[name] && name != "usher_librarygrants_compiled_total" {
			t.Errorf("no panel shows %s", name)
		}
	}
	checked := filepath.Join(t.TempDir(), "rules.yaml")
	if err := os.WriteFile(checked, []byte(strings.Join(append(rules, "]}]"), "\n")), 0o600); err != nil {
		t.Fatal(err)
	}
	promtool(t, "check", "rules", "--lint=none", checked)
}

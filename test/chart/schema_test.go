package chart

import (
	"encoding/json"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"sigs.k8s.io/yaml"
)

// TestTyposAreRefused: what a value cannot be is said before anything is made, with its name.
func TestTyposAreRefused(t *testing.T) {
	for set, says := range map[string]string{
		"replica=2":                                       "'replica' not allowed",
		"image.tags=v1":                                   "'tags' not allowed",
		"crds.install=true":                               "'install' not allowed",
		"watchNamespaces=media":                           "want array",
		"watchNamespaces={Media}":                         "does not match pattern",
		"watchNamespaces={media,media}":                   "equal",
		"replicas=two":                                    "want integer",
		"image.digest=sha256:1":                           "does not match pattern",
		"image.repository=":                               "repository",
		"image.pullPolicy=Sometimes":                      "one of",
		"log.level=verbose":                               "/log/level",
		"metrics.port=70000":                              "maximum",
		"metrics.authentication.enable=true":              "'enable' not allowed",
		"metrics.prometheusRule.enabled=yes":              "want boolean",
		"mediaserver.enabeld=true":                        "'enabeld' not allowed",
		"mediaserver.database.url=postgres://x":           "'url' not allowed",
		"mediaserver.persistence.accessModes={ReadOnly}":  "one of",
		"mediaserver.media[0].name=data":                  "/mediaserver/media/0",
		"mediaserver.ingress.host=media.example.org":      "'host' not allowed",
		"mediaserver.service.type=ExternalName":           "one of",
		"podDisruptionBudget.maxUnavailable=half":         "/podDisruptionBudget/maxUnavailable",
		"metrics.serviceMonitor.interval=often":           "does not match pattern",
		"commonLabels.team.name=home":                     "want string",
		"priorityClass.value=2000000000":                  "maximum",
		"mediaserver.networkPolicy.ingress[0].ports=none": "'ingress' not allowed",
	} {
		_, err := helm(t, "template", release, in(t, "charts", "usher"), "--set", set)
		if err == nil || !strings.Contains(err.Error(), says) {
			t.Errorf("--set %s: want an error that says %q, got %v", set, says, err)
		}
	}
}

// TestImpossibleValuesAreRefused: what no schema can say is refused with the way out.
func TestImpossibleValuesAreRefused(t *testing.T) {
	server := "mediaserver.enabled=true,"
	for set, says := range map[string]string{
		server + "mediaserver.replicas=2":                                              "set mediaserver.database.secretName",
		server + "mediaserver.replicas=2,mediaserver.database.secretName=media":        "Set mediaserver.persistence.existingClaim",
		server + "mediaserver.ingress.enabled=true":                                    "set mediaserver.ingress.hosts",
		server + "mediaserver.httpRoute.enabled=true":                                  "set mediaserver.httpRoute.parentRefs",
		"metrics.podMonitor.enabled=true,metrics.authentication.enabled=true":          "use metrics.serviceMonitor",
		"serviceAccount.create=false":                                                  "set serviceAccount.name",
		"mediaserver.ingress.enabled=true":                                             "",
		server + "mediaserver.replicas=0":                                              "",
		server + "mediaserver.ingress.enabled=true,mediaserver.ingress.hosts={a.test}": "",
	} {
		_, err := helm(t, "template", release, in(t, "charts", "usher"), "--set", set)
		if (says == "") != (err == nil) || err != nil && !strings.Contains(err.Error(), says) {
			t.Errorf("--set %s: want an error that says %q, got %v", set, says, err)
		}
	}
}

// TestOldKubernetesIsRefused: selectable fields, which the kinds have, cannot be turned off from 1.32.
func TestOldKubernetesIsRefused(t *testing.T) {
	for version, taken := range map[string]bool{"1.31.9": false, "1.32.0": true, "1.33.2-eks-1": true, "1.37.2": true} {
		_, err := helm(t, "template", release, in(t, "charts", "usher"), "--kube-version", version)
		if taken != (err == nil) || !taken && !strings.Contains(err.Error(), "requires kubeVersion: >=1.32.0-0 which is incompatible with Kubernetes v"+version) {
			t.Errorf("Kubernetes %s: %v", version, err)
		}
	}
}

// schema is a part of values.schema.json.
type schema struct {
	Type       any
	Properties map[string]schema
	Items      *schema
	Additional any    `json:"additionalProperties"`
	Ref        string `json:"$ref"`
}

// open are the values that Kubernetes has schemas for, which the API server compares them with.
var open = []string{
	"global", "strategy", "resources", "podSecurityContext", "securityContext", "livenessProbe", "readinessProbe", "startupProbe", "affinity", "dnsConfig", "tlsConfig", "volume",
}

// TestSchemaHasEveryValue: values.yaml and values.schema.json have the same keys, and no key is open but to Kubernetes' own.
func TestSchemaHasEveryValue(t *testing.T) {
	text, err := os.ReadFile(in(t, "charts", "usher", "values.schema.json"))
	if err != nil {
		t.Fatal(err)
	}
	var s schema
	if err := json.Unmarshal(text, &s); err != nil {
		t.Fatal(err)
	}
	if text, err = os.ReadFile(in(t, "charts", "usher", "values.yaml")); err != nil {
		t.Fatal(err)
	}
	var values map[string]any
	if err := yaml.UnmarshalStrict(text, &values); err != nil {
		t.Fatal(err)
	}
	if n := compare(t, "", s, values); n < 100 {
		t.Errorf("only %d values were compared", n)
	}
}

// compare compares what is below a key, and counts.
func compare(t *testing.T, path string, s schema, values any) (n int) {
	t.Helper()
	if s.Type != "object" || s.Ref != "" {
		return 1
	}
	name := path[strings.LastIndex(path, ".")+1:]
	if s.Additional != false {
		if !slices.Contains(open, name) {
			t.Errorf("%s takes any key", path)
		}
		return 1
	}
	have, _ := values.(map[string]any)
	for key, below := range s.Properties {
		value, there := have[key]
		if !there {
			t.Errorf("values.yaml has no %s.%s", path, key)
			continue
		}
		n += compare(t, path+"."+key, below, value)
	}
	for key := range have {
		if _, there := s.Properties[key]; !there {
			t.Errorf("values.schema.json has no %s.%s", path, key)
		}
	}
	return n
}

// TestEveryValueIsRead: a value that no template reads promises something that nothing does.
func TestEveryValueIsRead(t *testing.T) {
	var templates strings.Builder
	for _, pattern := range []string{"*", "mediaserver/*"} {
		files, err := filepath.Glob(in(t, "charts", "usher", "templates", pattern+".*"))
		if err != nil || len(files) == 0 {
			t.Fatal(len(files), err)
		}
		for _, file := range files {
			text, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			templates.Write(text)
		}
	}
	var values map[string]any
	text, err := os.ReadFile(in(t, "charts", "usher", "values.yaml"))
	if err == nil {
		err = yaml.Unmarshal(text, &values)
	}
	if err != nil {
		t.Fatal(err)
	}
	var read func(path string, values map[string]any)
	read = func(path string, values map[string]any) {
		for key, value := range values {
			if !strings.Contains(templates.String(), "."+key) && key != "global" {
				t.Errorf("no template reads %s.%s", path, key)
			}
			if below, isMap := value.(map[string]any); isMap && !slices.Contains(open, key) && !strings.HasSuffix(strings.ToLower(key), "labels") {
				read(path+"."+key, below)
			}
		}
	}
	read("", values)
}

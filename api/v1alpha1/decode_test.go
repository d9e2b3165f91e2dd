package v1alpha1_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/serializer"
	utiljson "k8s.io/apimachinery/pkg/util/json"
	"k8s.io/kube-openapi/pkg/validation/spec"
	"k8s.io/kube-openapi/pkg/validation/strfmt"
	"k8s.io/kube-openapi/pkg/validation/validate"
	"pgregory.net/rapid"
	"sigs.k8s.io/yaml"

	"github.com/usher-media/usher/api/v1alpha1"
)

// schemas of this version's kinds and of those before, whose objects are still stored: what either took must decode.
func schemas(t *testing.T) map[string]*spec.Schema {
	t.Helper()
	out := map[string]*spec.Schema{}
	for _, pattern := range []string{"../../config/crd/bases/usher.media_*.yaml", "../../test/api/testdata/crds/*/usher.media_*.yaml"} {
		files, err := filepath.Glob(pattern)
		if err != nil || len(files) == 0 {
			t.Fatalf("%s: %v, %v", pattern, files, err)
		}
		for _, file := range files {
			text, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			var crd struct {
				Spec struct {
					Names    struct{ Kind string }
					Versions []struct {
						Schema struct {
							OpenAPIV3Schema *spec.Schema `json:"openAPIV3Schema"`
						}
					}
				}
			}
			if err := yaml.Unmarshal(text, &crd); err != nil {
				t.Fatal(err)
			}
			out[filepath.Base(filepath.Dir(file))+" "+crd.Spec.Names.Kind] = crd.Spec.Versions[0].Schema.OpenAPIV3Schema
		}
	}
	return out
}

// place is one schema and how an object is wrapped around a value for it.
type place struct {
	kind, path string
	schema     spec.Schema
	wrap       func(value any) any
}

// places below spec and status.
func places(kind string, schema spec.Schema, path string, wrap func(any) any) []place {
	all := []place{{kind, path, schema, wrap}}
	for _, name := range slices.Sorted(maps.Keys(schema.Properties)) {
		if path == "" && name != "spec" && name != "status" {
			continue // the API server decodes metadata with the types of Kubernetes itself
		}
		all = append(all, places(kind, schema.Properties[name], path+"."+name, func(v any) any { return wrap(map[string]any{name: v}) })...)
	}
	if schema.Items != nil {
		all = append(all, places(kind, *schema.Items.Schema, path+"[]", func(v any) any { return wrap([]any{v}) })...)
	}
	if schema.AdditionalProperties != nil && schema.AdditionalProperties.Schema != nil {
		all = append(all, places(kind, *schema.AdditionalProperties.Schema, path+".a", func(v any) any { return wrap(map[string]any{"a": v}) })...)
	}
	return all
}

// odd values, as JSON.
func odd() []string {
	values := []string{
		`null`, `true`, `false`, `{}`, `[]`, `[null]`, `{"a":null}`, `[{}]`, `{"a":{}}`, `""`, `" "`, `"\u0000"`, `"\ud800"`, `"5m"`, `"0"`, `"null"`,
		`0`, `-0`, `1`, `-1`, `1.0`, `1e0`, `1e3`, `0.5`, `-0.0`, `2147483647`, `2147483648`, `-2147483649`, `4294967296`,
		`9223372036854775807`, `9223372036854775808`, `-9223372036854775809`, `1e18`, `1e19`, `1e21`, `1e30`, `1E400`, `-1e30`,
		`"9999999999999999h"`, `"1.5h"`, `"0.0000000000000000000000000001h"`, `"99999999999999999999999h1m"`, `"5M"`,
	}
	for _, date := range dates {
		values = append(values, fmt.Sprintf("%q", date))
	}
	return values
}

// dates that the API server takes, though many are not RFC 3339: it reads what is before the second T, in lower case.
var dates = []string{
	"2030-12-31T22:00:00Z", "2030-12-31t22:00:00z", "2030-12-31T22:00:00z", "2030-12-31t22:00:00Z", "2030-12-31T22:00:00+02:00",
	"2030-12-31T22:00:00.5Z", "2030-12-31T22:00:00,5Z", "2030-12-31T22:00:00x5Z", "2030-12-31T22:00:00 5Z", "2030-12-31T22:00:0005Z",
	"2030-12-31T22:00:00.12345678901234567890Z", "2030-12-31T22:00:00+99:99", "2030-12-31T22:00:00-24:00", "2030-12-31T22:00:00+23:60",
	"2030-12-31T22:00:00Zt", "2030-12-31T22:00:00ZT", "2030-12-31T22:00:00Ztomorrow", "2030-12-31T22:00:00ZTT22:00:00Z", "2030-12-31T22:00:00Z\u0000",
	"0000-01-01T00:00:00Z", "0001-01-01T00:00:00Z", "0001-01-01T00:00:00+23:59", "9999-12-31T23:59:59-23:59", "2030-02-29T00:00:00Z", "2030-12-31T24:00:00Z",
	"2030-12-31T23:59:60Z", "2030-12-31", "2030-12-31T22:00:00", "2030-12-31 22:00:00Z", "20301231T220000Z", "tomorrow",
}

// accepted says what the API server would store for a value: it reads, checks and writes JSON.
func accepted(schema *spec.Schema, text string) (any, bool) {
	var value any
	if err := utiljson.Unmarshal([]byte(text), &value); err != nil {
		return nil, false
	}
	return value, validate.NewSchemaValidator(schema, nil, "", strfmt.Default).Validate(value).IsValid()
}

// decoded reads a list that holds the value, as the cache does.
func decoded(t interface{ Fatal(...any) }, at place, value any) (runtime.Object, error) {
	scheme := runtime.NewScheme()
	if err := v1alpha1.AddToScheme(scheme); err != nil {
		t.Fatal(err)
	}
	object, isObject := at.wrap(value).(map[string]any)
	if !isObject {
		return nil, nil
	}
	list := map[string]any{"apiVersion": v1alpha1.GroupVersion.String(), "kind": at.kind + "List", "items": []any{object}}
	text, err := json.Marshal(list)
	if err != nil {
		t.Fatal(err)
	}
	out, _, err := serializer.NewCodecFactory(scheme).UniversalDeserializer().Decode(text, nil, nil)
	return out, err
}

// TestWhatTheKindsTakeDecodes: one object that does not decode hides every object of its kind from the operator. So
// whatever a schema takes, at whatever place, decodes, and encodes as it was, unless the place is one that has moved.
func TestWhatTheKindsTakeDecodes(t *testing.T) {
	taken := 0
	all := schemas(t)
	now := map[string]bool{}
	for name, schema := range all {
		if kind, is := strings.CutPrefix(name, "crd "); is {
			for _, at := range places(kind, *schema, "", func(v any) any { return v }) {
				now[kind+at.path] = true
			}
		}
	}
	for name, schema := range all {
		_, kind, _ := strings.Cut(name, " ")
		for _, at := range places(kind, *schema, "", func(v any) any { return v }) {
			for _, text := range odd() {
				value, ok := accepted(&at.schema, text)
				if !ok {
					continue
				}
				taken++
				list, err := decoded(t, at, value)
				if err != nil {
					t.Errorf("%s%s takes %s, which does not decode: %v", name, at.path, text, err)
				} else if _, isText := value.(string); isText && now[kind+at.path] && !kept(t, list, value) && !strings.Contains(at.path, ".conditions") {
					t.Errorf("%s%s: %s is lost when the object is written", name, at.path, text)
				}
			}
		}
	}
	if taken < 1000 {
		t.Errorf("the schemas took %d values only: the test tries too little", taken)
	}
}

// kept says whether a text is found in the object as it would be written.
func kept(t *testing.T, list runtime.Object, value any) bool {
	t.Helper()
	written, err := json.Marshal(list)
	if err != nil {
		t.Errorf("does not encode: %v", err)
		return false
	}
	text, _ := json.Marshal(value)
	return value == "" || bytes.Contains(written, text)
}

// TestEveryDateThatTheKindsTakeDecodes: more dates than anybody thinks of.
func TestEveryDateThatTheKindsTakeDecodes(t *testing.T) {
	var all []place
	for name, schema := range schemas(t) {
		_, kind, _ := strings.Cut(name, " ")
		for _, at := range places(kind, *schema, "", func(v any) any { return v }) {
			if at.schema.Format == "date-time" {
				all = append(all, at)
			}
		}
	}
	forms := rapid.StringMatching(`[0-9]{4}-(0[1-9]|1[0-2])-[0-3][0-9][tT][0-9]{2}:[0-9]{2}:[0-9]{2}(.[0-9]{1,12})?([zZ]|[+-][0-9]{2}:[0-9]{2})([tT].{0,10})?`)
	rapid.Check(t, func(t *rapid.T) {
		text, _ := json.Marshal(forms.Draw(t, "date"))
		for _, at := range all {
			if value, ok := accepted(&at.schema, string(text)); ok {
				if _, err := decoded(t, at, value); err != nil {
					t.Fatalf("%s%s takes %s: %v", at.kind, at.path, text, err)
				}
			}
		}
	})
}

// TestNewDatesAreDaysThatThereAre: what the pattern takes can be read, and of RFC 3339 in capitals it takes all that can.
func TestNewDatesAreDaysThatThereAre(t *testing.T) {
	expiry := schemas(t)["bases User"].Properties["spec"].Properties["expiresAt"]
	pattern := regexp.MustCompile(expiry.Pattern)
	try := func(text string) {
		t.Helper()
		if _, err := v1alpha1.Time(text).Parse(); (err == nil) != pattern.MatchString(text) {
			t.Errorf("%s: the pattern takes it: %t; it can be read: %v", text, pattern.MatchString(text), err)
		}
	}
	for _, year := range []int{0, 1, 4, 96, 100, 400, 1600, 1700, 1896, 1900, 1904, 2000, 2026, 2027, 2028, 2030, 2100, 2104, 2196, 2400, 9999} {
		for month := range 14 {
			for day := range 33 {
				try(fmt.Sprintf("%04d-%02d-%02dT12:34:56Z", year, month, day))
			}
		}
	}
	for n := range 62 {
		try(fmt.Sprintf("2027-06-30T%02d:00:00Z", n))
		try(fmt.Sprintf("2027-06-30T20:%02d:00Z", n))
		try(fmt.Sprintf("2027-06-30T20:00:%02dZ", n))
		try(fmt.Sprintf("2027-06-30T20:00:00.%0*dZ", n%9+1, n))
		if n != 24 && n != 60 { // Go reads +24:60, which is no offset
			try(fmt.Sprintf("2027-06-30T20:00:00+%02d:00", n))
			try(fmt.Sprintf("2027-06-30T20:00:00-02:%02d", n))
		}
	}
}

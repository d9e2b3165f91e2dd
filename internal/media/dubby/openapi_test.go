package dubby

import (
	"bytes"
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"time"
)

func describing(paths, schemas string) []byte {
	return []byte(`{"openapi":"3.1.0","info":{"version":"1"},"paths":{` + paths + `},"components":{"schemas":{` + schemas + `}}}`)
}

const usersPath = `"/v1/users":{"get":{"responses":{"200":{"content":{"application/json":{"schema":{"$ref":"#/components/schemas/Users"}}}}}}}`

const (
	wholeUsers = `"Users":{"type":"array","items":{"$ref":"#/components/schemas/User"}},
		"User":{"allOf":[{"$ref":"#/components/schemas/Base"},{"properties":{"email":{"type":["string","null"]}}}]},
		"Base":{"properties":{"id":{"type":"string"},"role":{"anyOf":[{"const":"owner"},{"const":"member"},{"type":"null"}]}}}`
	noEmail   = `"Users":{"type":"array","items":{"properties":{"id":{"type":"string"},"role":{"type":"string"}}}}`
	idNumber  = `"Users":{"type":"array","items":{"properties":{"id":{"type":"integer"},"email":{"type":"string"},"role":{"type":"string"}}}}`
	circle    = `"Users":{"type":"array","items":{"$ref":"#/components/schemas/User"}},"User":{"$ref":"#/components/schemas/User"}`
	allCircle = `"Users":{"type":"array","items":{"$ref":"#/components/schemas/User"}},
		"User":{"allOf":[{"$ref":"#/components/schemas/User"},{"$ref":"#/components/schemas/User"}]}`
	dangling = `"Users":{"$ref":"http://169.254.169.254/schema.json"}`
	twoLists = `"Users":{"properties":{"a":{"type":"array","items":{}},"b":{"type":"array","items":{}}}}`
)

// TestLookUp finds the list of users, or says what is the matter.
func TestLookUp(t *testing.T) {
	other := strings.Replace(usersPath, "/v1/users", "/v1/admin/users", 1)
	for name, c := range map[string]struct {
		paths, schemas string
		found          bool
		why            string
	}{
		"found through references": {usersPath, wholeUsers, true, ""},
		"missing":                  {`"/v1/movies":{}`, wholeUsers, false, "none of the operations"},
		"other method":             {strings.Replace(usersPath, `"get"`, `"post"`, 1), wholeUsers, false, "none of the operations"},
		"a field is missing":       {usersPath, noEmail, false, "GET /v1/users with other fields"},
		"a field of another type":  {usersPath, idNumber, false, "GET /v1/users with other fields"},
		"two candidates":           {usersPath + "," + other, wholeUsers, false, "several"},
		"a circle of references":   {usersPath, circle, false, "GET /v1/users with other fields"},
		"a tree without end":       {usersPath, allCircle, false, "GET /v1/users with other fields"},
		"a reference elsewhere":    {usersPath, dangling, false, "GET /v1/users with other fields"},
		"two lists":                {usersPath, twoLists, false, "GET /v1/users with other fields"},
	} {
		t.Run(name, func(t *testing.T) {
			document, err := parseDocument(describing(c.paths, c.schemas))
			if err != nil {
				t.Fatal(err)
			}
			p := newPlan(document)
			if found := p.found[opListUsers] != nil; found != c.found || !strings.Contains(p.why[opListUsers], c.why) {
				t.Errorf("found %v: %s", found, p.why[opListUsers])
			}
		})
	}
}

// TestWordsOfAChoice: a list of words may be written as a choice of constants.
func TestWordsOfAChoice(t *testing.T) {
	schema := `{"anyOf":[{"const":"movie"},{"enum":["tv"]},{"type":"null"}]}`
	s, err := new(document).withBudget().shapeOf(json.RawMessage(schema), 0)
	if err != nil || fmt.Sprint(s.words) != "[movie tv]" || !s.is("string") {
		t.Errorf("%+v %v", s, err)
	}
}

func (d *document) withBudget() *document {
	d.budget = maxBudget
	return d
}

// TestPrefix: the paths of a document stand below its server's.
func TestPrefix(t *testing.T) {
	raw := describing(strings.Replace(usersPath, "/v1/users", "/users", 1), wholeUsers)
	raw = bytes.Replace(raw, []byte(`"paths"`), []byte(`"servers":[{"url":"https://elsewhere.example.org/v1/"}],"paths"`), 1)
	document, err := parseDocument(raw)
	if err != nil {
		t.Fatal(err)
	}
	if o := newPlan(document).found[opListUsers]; o == nil || o.path != "/v1/users" {
		t.Errorf("found %+v", o)
	}
}

// TestUnknownRequiredField: an operation that wants what Usher does not know is not used.
func TestUnknownRequiredField(t *testing.T) {
	for required, found := range map[string]bool{`["name","type","paths"]`: true, `["name","type","paths","tenant"]`: false} {
		raw := describing(`"/v1/libraries":{"post":{"requestBody":{"content":{"application/json":{"schema":{"required":`+required+`,"properties":{
			"name":{"type":"string"},"type":{"type":"string"},"paths":{"type":"array","items":{"type":"string"}},"tenant":{"type":"string"}}}}}}}}`, "")
		document, err := parseDocument(raw)
		if err != nil {
			t.Fatal(err)
		}
		if got := newPlan(document).found[opCreateLibrary] != nil; got != found {
			t.Errorf("required %s: found %v", required, got)
		}
	}
}

// hostile are documents that are made to cost much.
func hostile() map[string][]byte {
	deep := strings.Repeat(`{"allOf":[`, 2000) + `{}` + strings.Repeat(`]}`, 2000)
	var chain, fan strings.Builder
	for i := range 20_000 {
		fmt.Fprintf(&chain, `"S%d":{"$ref":"#/components/schemas/S%d"},`, i, i+1)
	}
	for i := range 40 {
		fmt.Fprintf(&fan, `"F%d":{"allOf":[%s{}]},`, i, strings.Repeat(fmt.Sprintf(`{"$ref":"#/components/schemas/F%d"},`, i+1), 20))
	}
	var paths strings.Builder
	for i := range 100_000 {
		fmt.Fprintf(&paths, `"/v1/users/{p%d}":{},`, i)
	}
	return map[string][]byte{
		"deep":  describing(usersPath, `"Users":{"type":"array","items":`+deep+`}`),
		"chain": describing(usersPath, chain.String()+`"Users":{"$ref":"#/components/schemas/S0"}`),
		"fan":   describing(usersPath, fan.String()+`"Users":{"type":"array","items":{"$ref":"#/components/schemas/F0"}}`),
		"paths": describing(paths.String()+usersPath, wholeUsers),
	}
}

// TestHostileDocuments are looked through within bounds, and nothing is found in them that is not there.
func TestHostileDocuments(t *testing.T) {
	for name, raw := range hostile() {
		t.Run(name, func(t *testing.T) {
			began := time.Now()
			document, err := parseDocument(raw)
			if err != nil {
				t.Fatal(err)
			}
			p := newPlan(document)
			if found := p.found[opListUsers] != nil; found != (name == "paths") {
				t.Errorf("found %v", found)
			}
			if document.budget < -maxDocument {
				t.Errorf("%d bytes beyond the budget", -document.budget)
			}
			t.Logf("%d bytes in %s", len(raw), time.Since(began))
		})
	}
	if _, err := parseDocument(append(describing("", ""), bytes.Repeat([]byte(" "), maxDocument)...)); err == nil {
		t.Error("a document without end is read")
	}
}

// FuzzDocument gives the reader anything: whatever it finds has every field that was asked for.
func FuzzDocument(f *testing.F) {
	for _, schemas := range []string{wholeUsers, noEmail, idNumber, circle, allCircle, dangling, twoLists} {
		f.Add(describing(usersPath, schemas))
	}
	f.Add([]byte(`{"openapi":"3.1.0","paths":{"":null,"/v1/users":[],"/v1/users/{}":{"get":null,"patch":{"requestBody":{"$ref":"#/a/b/c"}}}}}`))
	f.Add([]byte(`{"openapi":"3.0","paths":{"/v1/users/{a}":{"$ref":"#/components/pathItems/x"}},"components":{"pathItems":{"x":{"delete":{}}}}}`))
	f.Add([]byte(`[]`))
	f.Fuzz(func(t *testing.T, raw []byte) {
		document, err := parseDocument(raw)
		if err != nil {
			return
		}
		for name, o := range newPlan(document).found {
			if o == nil {
				continue
			}
			for _, field := range wishes[name].request {
				if field.must && o.request[field.key] == "" {
					t.Errorf("%s was found without %s", name, field.key)
				}
			}
			for _, field := range wishes[name].answer {
				if field.must && o.answer[field.key] == "" {
					t.Errorf("%s was found without %s", name, field.key)
				}
			}
		}
	})
}

// FuzzPage gives the reader of lists anything: it refuses it, or knows its entries.
func FuzzPage(f *testing.F) {
	for _, seed := range []string{
		`[]`, `[{"id":"a"}]`, `{"items":[],"nextCursor":null}`, `{"data":[{}],"pagination":{"next_cursor":"a","hasMore":true}}`,
		`{"records":[],"total":3,"cursor":""}`, `{"items":null}`, `{"a":[],"b":[]}`, `{"items":[],"continuation":"x"}`, `{"hasMore":true,"data":[]}`, `null`,
	} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, raw []byte) {
		var p page
		if json.Unmarshal(raw, &p) == nil && string(bytes.TrimSpace(raw)) != "null" && p.items == nil {
			t.Errorf("a page without a list: %s", raw)
		}
		var l library
		var s session
		_, _ = json.Unmarshal(raw, &l), json.Unmarshal(raw, &s)
		if u, err := readUser(raw, map[key]string{keyID: "id", keyEmail: "email", keyRole: "role"}); err == nil && (u.id == "" || u.email == "" || u.role == "") {
			t.Errorf("a user without what decisions are made of: %s", raw)
		}
	})
}

// TestPages: an envelope that is not understood to the end is refused.
func TestPages(t *testing.T) {
	for raw, want := range map[string]struct {
		good   bool
		cursor string
	}{
		`[1,2]`: {true, ""}, `{"items":[1]}`: {true, ""}, `{"whatever":[1],"total":1}`: {true, ""},
		`{"items":[1],"nextCursor":"x"}`: {true, "x"}, `{"data":[1],"meta":{"endCursor":"x","hasNextPage":true}}`: {true, "x"},
		`{"data":[1],"pageInfo":{"endCursor":"x","hasNextPage":false}}`: {true, ""},
		`{"items":[1],"continuation":"x"}`:                              {false, ""},
		`{"items":[1],"links":{"next":"x"}}`:                            {false, ""},
		`{"items":[1],"hasMore":true}`:                                  {false, ""},
		`{"items":[1],"nextCursor":5}`:                                  {false, ""},
		`{"a":[1],"b":[2]}`:                                             {false, ""}, `{}`: {false, ""}, `{"items":{}}`: {false, ""},
	} {
		var p page
		err := json.Unmarshal([]byte(raw), &p)
		if (err == nil) != want.good || (want.good && p.cursor != want.cursor) {
			t.Errorf("%s: cursor %q, %v", raw, p.cursor, err)
		}
	}
}

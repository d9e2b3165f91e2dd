package mediaserver_test

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/usher-media/usher/internal/mediaserver/mediafile/mediafiletest"
)

// noXMLLint is why feeds are not checked against their schema.
const noXMLLint = "there is no xmllint on the PATH to check feeds against their schema (Debian: apt-get install libxml2-utils)"

// xmllint returns the program's path, empty where there is none.
func xmllint(t *testing.T) string {
	t.Helper()
	program, err := exec.LookPath("xmllint")
	if err != nil && os.Getenv("USHER_CI_REQUIRE") != "" {
		t.Fatal(noXMLLint + ", which USHER_CI_REQUIRE asks for")
	}
	return program
}

// validate checks a feed with xmllint against the published schemas of OPDS and Atom in testdata/opds, each of which
// says where it is from.
func validate(t *testing.T, program, feed string) (valid bool, says string) {
	t.Helper()
	file := filepath.Join(t.TempDir(), "feed.xml")
	if err := os.WriteFile(file, []byte(feed), 0o600); err != nil {
		t.Fatal(err)
	}
	command := exec.CommandContext(t.Context(), program, "--nonet", "--noout", "--relaxng", filepath.Join("testdata", "opds", "opds.rng"), file)
	out, err := command.CombinedOutput()
	// It says "validates" or "fails to validate" when it got as far as that; a schema that it cannot read proves nothing.
	says = strings.TrimSpace(string(out))
	if valid = err == nil && strings.HasSuffix(says, " validates"); !valid && !strings.HasSuffix(says, " fails to validate") {
		t.Fatalf("xmllint: %v: %s", err, says)
	}
	return valid, says
}

// A schema that takes anything would prove nothing: each of these changes to a real feed is one that it forbids.
func TestTheSchemaBites(t *testing.T) {
	program := xmllint(t)
	if program == "" {
		t.Skip(noXMLLint)
	}
	w := start(t)
	w.write("books/deep.epub", mediafiletest.EPUB("Deep", "Vinge", "Zones"))
	w.library(w.owner(), "Books", "books")
	feed := w.send("GET", "/opds/v1.2/recent", "", "", basic("olga", password)...).body
	if valid, says := validate(t, program, feed); !valid {
		t.Fatal(says)
	}
	for why, change := range map[string][2]string{
		"a feed has a title":             {"<title>", "<dc:title>"},
		"an entry has an id":             {"<id>", "<dc:id>"},
		"a date is one of RFC 3339":      {"<updated>2", "<updated>Monday 2"},
		"an address has no spaces":       {`href="/opds`, `href="/o pds`},
		"a media type has a slash":       {`type="application/epub+zip"`, `type="epub"`},
		"what is for sale has its price": {`rel="http://opds-spec.org/acquisition"`, `rel="http://opds-spec.org/acquisition/buy"`},
		"Atom has no such element":       {"<entry>", "<book/><entry>"},
	} {
		changed := strings.Replace(feed, change[0], change[1], 1)
		if tag, is := strings.CutPrefix(change[1], "<dc:"); is {
			changed = strings.Replace(changed, "</"+tag, "</dc:"+tag, 1)
		}
		if changed == feed {
			t.Errorf("%s: the feed has no %s:\n%s", why, change[0], feed)
		}
		if valid, _ := validate(t, program, changed); valid {
			t.Errorf("the schema lets pass: %s", why)
		}
	}
}

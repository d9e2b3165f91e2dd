package portal_test

import (
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"golang.org/x/net/html"
	"pgregory.net/rapid"

	"github.com/usher-media/usher/internal/portal"
)

func TestMarkdown(t *testing.T) {
	const rel = ` rel="noopener noreferrer">`
	for source, want := range map[string]string{
		"":                                "",
		" \n\t\n":                         "",
		"Hi *you* & **all**, see `x < y`": "<p>Hi <em>you</em> &amp; <strong>all</strong>, see <code>x &lt; y</code></p>",
		"# One\n\n###### Six\n\nTwo\n---": "<h2>One</h2>\n<h6>Six</h6>\n<h3>Two</h3>",
		"- a\n- b\n\n3. c":                "<ul>\n<li>a</li>\n<li>b</li>\n</ul>\n<ol start=\"3\">\n<li>c</li>\n</ol>",
		"> so\n\n```sh\ncd <x>\n```":      "<blockquote>\n<p>so</p>\n</blockquote>\n<pre><code class=\"language-sh\">cd &lt;x&gt;\n</code></pre>",
		"# a {#id onclick=alert(1)}":      "<h2>a {#id onclick=alert(1)}</h2>",
		"I <3 you":                        "<p>I &lt;3 you</p>",

		`[a](https://x.org/?b=1&c="d" "title")`: `<p><a href="https://x.org/?b=1&amp;c=%22d%22"` + rel + `a</a></p>`,
		"[a](HTTP://x.org)":                     `<p><a href="HTTP://x.org"` + rel + `a</a></p>`,
		"[a](mailto:mia@x.org)":                 `<p><a href="mailto:mia@x.org"` + rel + `a</a></p>`,
		"[a][b]\n\n[b]: https://x.org":          `<p><a href="https://x.org"` + rel + `a</a></p>`,
		"<https://x.org>, https://x.org/a_b.":   `<p><a href="https://x.org"` + rel + `https://x.org</a>, <a href="https://x.org/a_b"` + rel + `https://x.org/a_b</a>.</p>`,
		"www.x.org":                             `<p><a href="http://www.x.org"` + rel + `www.x.org</a></p>`,
		"<mia@x.org> <mailto:tom@x.org>":        `<p><a href="mailto:mia@x.org"` + rel + `mia@x.org</a> <a href="mailto:tom@x.org"` + rel + `mailto:tom@x.org</a></p>`,

		"<script>alert(1)</script>":                  "<p>&lt;script&gt;alert(1)&lt;/script&gt;</p>",
		"a <b onclick=x>b</b> <!-- c -->":            "<p>a &lt;b onclick=x&gt;b&lt;/b&gt; &lt;!-- c --&gt;</p>",
		"<div>\n\n*a*\n\n</div>":                     "<p>&lt;div&gt;</p>\n<p><em>a</em></p>\n<p>&lt;/div&gt;</p>",
		"&lt;script&gt; &#60;i&#62;":                 "<p>&lt;script&gt; &lt;i&gt;</p>",
		"![a *b*](https://x.org/i.png)":              "<p>a <em>b</em></p>",
		"[![a](https://x.org/i.png)](https://x.org)": `<p><a href="https://x.org"` + rel + `a</a></p>`,
		"<javascript:alert(1)> <ftp://x.org>":        "<p>javascript:alert(1) ftp://x.org</p>",
		"ftp://x.org":                                "<p>ftp://x.org</p>",
	} {
		if got := strings.TrimSpace(string(portal.Markdown(source))); got != want {
			t.Errorf("%q\ngot  %s\nwant %s", source, got, want)
		}
	}
}

func TestLinksThatAreNone(t *testing.T) {
	for _, to := range []string{
		"javascript:alert(1)", "JavaScript:alert(1)", "javascript&colon;alert(1)", "&#106;avascript:alert(1)", `javascript\:alert(1)`,
		"<java\tscript:alert(1)>", "&Tab;javascript:alert(1)", "&#1;javascript:alert(1)", "javascript%3Aalert(1)", "vbscript:x",
		"data:text/html,x", "data:image/svg+xml,x", "file:///etc/passwd", "ftp://x.org", "tel:1", "blob:https://x.org/1",
		"/docs", "done", "#result", "?a", "//x.org", "https:x.org", "https://", "https:///x", "mailto:", "", "https://[::1", "http://%00",
	} {
		for _, source := range []string{"[a](" + to + ")", "[a][b]\n\n[b]: " + to, "![a](" + to + ")"} {
			got := string(portal.Markdown(source))
			if strings.Contains(got, "<a") || strings.Contains(got, "<img") {
				t.Errorf("%q becomes %s", source, got)
			}
		}
	}
}

// allowed are the elements that Markdown makes, with their attributes.
var allowed = map[string][]string{
	"a": {"href", "rel"}, "ol": {"start"}, "code": {"class"}, "p": nil, "ul": nil, "li": nil, "em": nil, "strong": nil, "pre": nil,
	"blockquote": nil, "br": nil, "hr": nil, "h2": nil, "h3": nil, "h4": nil, "h5": nil, "h6": nil,
}

// Whatever is written, a browser finds nothing but harmless elements, and links as they should be.
func TestMarkdownIsHarmless(t *testing.T) {
	pieces := []string{
		"<", ">", "</", "/>", "<!--", "-->", "<![CDATA[", "<?", "script", "img src=x onerror=alert(1)", "svg", " ", "\n", "\n\n", "\t", "    ",
		"[", "]", "(", ")", "![", "](", "]: ", "javascript:", "https://x.org", "mailto:a@b.cc", "data:", "//", ":", "&", "&#", ";", "&quot;",
		"&colon;", "\"", "'", "\\", "`", "```", "~~~", "*", "_", "#", "- ", "1. ", "> ", "---", "===", "a", "www.x.org", "\u202e", "é",
	}
	rapid.Check(t, func(t *rapid.T) {
		source := strings.Join(rapid.SliceOfN(rapid.SampledFrom(pieces), 1, 30).Draw(t, "pieces"), "")
		got := string(portal.Markdown(source))
		for tokens := html.NewTokenizer(strings.NewReader(got)); ; {
			switch tokens.Next() {
			case html.ErrorToken:
				return
			case html.CommentToken, html.DoctypeToken:
				t.Fatalf("%q becomes %s", source, got)
			case html.StartTagToken, html.SelfClosingTagToken, html.EndTagToken:
				if token := tokens.Token(); !harmless(token) {
					t.Fatalf("%s: %q becomes %s", token, source, got)
				}
			}
		}
	})
}

func harmless(token html.Token) bool {
	attributes, known := allowed[token.Data]
	for _, attribute := range token.Attr {
		known = known && slices.Contains(attributes, attribute.Key)
		if attribute.Key == "href" {
			to, err := url.Parse(attribute.Val)
			known = known && err == nil && slices.Contains([]string{"http", "https", "mailto"}, to.Scheme)
		}
	}
	return known && (token.Data != "a" || token.Type == html.EndTagToken || len(token.Attr) == 2)
}

// The longest welcome of the worst kind keeps nobody waiting.
func TestMarkdownIsQuick(t *testing.T) {
	for _, piece := range []string{">", "- ", "*", "*a_", "[", "![", "[a](", "`", "<", "&", "[a]: b\n", "\t- a\n", "https://a.b.", "a@"} {
		begun := time.Now()
		portal.Markdown(strings.Repeat(piece, 4096/len(piece)))
		if took := time.Since(begun); took > 2*time.Second {
			t.Errorf("%q takes %v", piece, took)
		}
	}
}

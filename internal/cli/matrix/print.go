package matrix

import (
	"cmp"
	"encoding/csv"
	"encoding/json"
	"fmt"
	"io"
	"strings"
	"unicode"

	"k8s.io/cli-runtime/pkg/printers"

	"github.com/usher-media/usher/api/v1alpha1"
)

// Formats of Print.
var Formats = []string{"table", "csv", "json", "markdown"}

// Print writes the matrix in one of the Formats; a table is the default.
func (m Matrix) Print(out io.Writer, format string) error {
	switch format {
	case "", "table":
		return m.table(out)
	case "csv":
		return m.csv(out)
	case "json":
		encoder := json.NewEncoder(out)
		encoder.SetIndent("", "  ")
		return encoder.Encode(m)
	case "markdown":
		return m.markdown(out)
	}
	return fmt.Errorf("-o is one of %s", strings.Join(Formats, ", "))
}

// severalServers says whether the rows are of more than one.
func (m Matrix) severalServers() bool {
	servers := map[string]bool{}
	for _, l := range m.Libraries {
		servers[l.Server] = true
	}
	for _, r := range m.Rows {
		servers[r.Server] = true
	}
	return len(servers) > 1
}

// mark draws a cell.
func mark(c Cell) string {
	drawn := map[v1alpha1.LibraryRole]string{"": "·", v1alpha1.LibraryRoleViewer: "●", v1alpha1.LibraryRoleAdmin: "◆"}[c.Role]
	return drawn + map[string]string{"pending": "+", "lingering": "-"}[c.Difference]
}

const legend = "● sees it   ◆ manages it   + not there yet   - still there   * declared by no manifest"

func (m Matrix) lines(name func(Row) string) (lines [][]string) {
	several := m.severalServers()
	head := []string{"USER", "STATE"}
	if several {
		head = []string{"SERVER", "USER", "STATE"}
	}
	for _, l := range m.Libraries {
		head = append(head, strings.ToUpper(l.Name))
	}
	lines = append(lines, head)
	for _, r := range m.Rows {
		line := []string{name(r), cmp.Or(string(r.State), "?")}
		if several {
			line = append([]string{r.Server}, line...)
		}
		for _, l := range m.Libraries {
			if l.Server != r.Server {
				line = append(line, "")
				continue
			}
			line = append(line, mark(r.Access[l.Name]))
		}
		lines = append(lines, line)
	}
	return lines
}

func (m Matrix) table(out io.Writer) error {
	w := printers.GetNewTabWriter(out)
	for _, line := range m.lines(func(r Row) string {
		if r.User == "" {
			return printable(r.Username) + "*"
		}
		return r.User
	}) {
		if _, err := fmt.Fprintln(w, strings.TrimRight(strings.Join(line, "\t"), "\t")); err != nil {
			return err
		}
	}
	if err := w.Flush(); err != nil {
		return err
	}
	if m.Partial {
		if _, err := fmt.Fprintln(out, "\nUndeclared people may be missing: a status names the first 50 who see a library."); err != nil {
			return err
		}
	}
	_, err := fmt.Fprintln(out, "\n"+legend)
	return err
}

func (m Matrix) csv(out io.Writer) error {
	w := csv.NewWriter(out)
	head := []string{"server", "user", "username", "declared", "state"}
	for _, l := range m.Libraries {
		head = append(head, l.Server+"/"+l.Name)
	}
	lines := [][]string{head}
	for _, r := range m.Rows {
		line := []string{r.Server, r.User, inert(r.Username), fmt.Sprint(r.User != ""), string(r.State)}
		for _, l := range m.Libraries {
			cell := Cell{}
			if l.Server == r.Server {
				cell = r.Access[l.Name]
			}
			line = append(line, strings.TrimSpace(string(cell.Role)+" "+cell.Difference))
		}
		lines = append(lines, line)
	}
	return w.WriteAll(lines)
}

// inert keeps a name that people chose from being a formula in a spreadsheet.
func inert(name string) string {
	if name = printable(name); name != "" && strings.ContainsRune("=+-@", rune(name[0])) {
		return "'" + name
	}
	return name
}

func (m Matrix) markdown(out io.Writer) error {
	escape := strings.NewReplacer("|", `\|`, "`", "\\`", "*", `\*`, "_", `\_`, "<", "&lt;", "[", `\[`)
	for i, line := range m.lines(func(r Row) string {
		if r.User == "" {
			return escape.Replace(printable(r.Username)) + ` \*`
		}
		return r.User
	}) {
		if _, err := fmt.Fprintln(out, "| "+strings.Join(line, " | ")+" |"); err != nil {
			return err
		}
		if i == 0 {
			if _, err := fmt.Fprintln(out, strings.Repeat("|---", len(line))+"|"); err != nil {
				return err
			}
		}
	}
	_, err := fmt.Fprintln(out, "\n"+escape.Replace(legend))
	return err
}

// printable is a name from a server without what would end a line or steer a terminal.
func printable(name string) string {
	return strings.Map(func(r rune) rune {
		if !unicode.IsPrint(r) {
			return '?'
		}
		return r
	}, name)
}

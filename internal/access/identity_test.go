package access

import (
	"fmt"
	"os"
	"strings"
	"testing"
)

const likenessHeader = `# An object that has a recorded id and another name: is it the recorded one? The truth table of access.Likeness.
#
# claimed    another manifest stands for it
# confirmed  a person said that it is the same
# together   others changed at the same look, as after a restore
# never      the server never gives an id to another object
# agrees     one more witness does: email address, time of creation, password
# differs    the time of creation is another
#
# The same answer whatever a column says is written as *.
`

func TestLikenessTable(t *testing.T) {
	lines := []string{fmt.Sprintf("%-8s %-10s %-9s %-6s %-7s %-8s %s", "claimed", "confirmed", "together", "never", "agrees", "differs", "same")}
	lines = append(lines, likenessRows("", 0)...)
	got := likenessHeader + strings.Join(lines, "\n") + "\n"
	const file = "testdata/likeness.golden"
	if *update {
		if err := os.WriteFile(file, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if got != string(want) {
		t.Errorf("the truth table changed; look at the difference, then run: go test ./internal/access -run Likeness -update\n%s", got)
	}
}

func likeness(bits string) Likeness {
	yes := func(i int) bool { return bits[i] == 'y' }
	return Likeness{Claimed: yes(0), Confirmed: yes(1), Together: yes(2), NeverReused: yes(3), Agrees: yes(4), Differs: yes(5)}
}

// likenessRows are the rows that begin with some answers: one, where the rest makes no difference.
func likenessRows(bits string, depth int) []string {
	answers := map[bool]bool{}
	for n := range 1 << (6 - depth) {
		rest := bits
		for i := range 6 - depth {
			rest += string("yn"[n>>i&1])
		}
		answers[likeness(rest).Same()] = true
	}
	if len(answers) == 1 {
		var columns []any
		for i, width := range []int{8, 10, 9, 6, 7, 8} {
			word := "*"
			if i < len(bits) {
				word = map[byte]string{'y': "yes", 'n': "no"}[bits[i]]
			}
			columns = append(columns, fmt.Sprintf("%-*s", width, word))
		}
		return []string{fmt.Sprintf("%s %s %s %s %s %s ", columns...) + map[bool]string{true: "yes", false: "no"}[answers[true]]}
	}
	return append(likenessRows(bits+"y", depth+1), likenessRows(bits+"n", depth+1)...)
}

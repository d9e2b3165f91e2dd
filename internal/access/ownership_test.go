package access

import (
	"flag"
	"fmt"
	"os"
	"strings"
	"testing"
)

var update = flag.Bool("update", false, "write the golden file anew")

const goldenHeader = `# Whose is it? The whole truth table of access.Ownership, for accounts and libraries alike.
#
# record    what the annotation usher.media/owned says: none; intent (a creation was announced and its end not recorded); owned
# recorded  what became of the object with the recorded id: present; renamed (the same beyond doubt); doubted (nobody can tell
#           whether it is the same); missing from the newest list; absent beyond doubt
# named     what else the server has under the name: none; adoptable (one, and the policy lets us); taken (one, and it does not);
#           several; ours (one that only our own announced creation can have made)
# settled   a full list was begun after everything that an open intent may have sent was over
# create    the manifest allows making a new one
#
# The same action whatever a column says is written as *.
`

func TestOwnershipTable(t *testing.T) {
	got := goldenHeader + strings.Join(collapse(ownershipRows()), "\n") + "\n"
	const file = "testdata/ownership.golden"
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
		t.Errorf("the truth table changed; look at the difference, then run: go test ./internal/access -run Ownership -update\n%s", got)
	}
}

type ownershipRow struct {
	columns [5]string
	action  Action
}

func allFacts() []OwnershipFacts {
	var all []OwnershipFacts
	for _, record := range []Record{RecordNone, RecordIntent, RecordOwned} {
		results := []Recorded{RecordedNone}
		if record == RecordOwned {
			results = []Recorded{RecordedPresent, RecordedRenamed, RecordedDoubted, RecordedMissing, RecordedAbsent}
		}
		for _, recorded := range results {
			for _, named := range []Named{NamedNone, NamedAdoptable, NamedTaken, NamedSeveral, NamedOurs} {
				for _, settled := range []bool{true, false} {
					for _, create := range []bool{true, false} {
						if (named == NamedOurs || !settled) && record != RecordIntent {
							continue // both speak of an intent
						}
						all = append(all, OwnershipFacts{record, recorded, named, settled, create})
					}
				}
			}
		}
	}
	return all
}

func ownershipRows() []ownershipRow {
	yes := map[bool]string{true: "yes", false: "no"}
	var rows []ownershipRow
	for _, f := range allFacts() {
		rows = append(rows, ownershipRow{[5]string{string(f.Record), string(f.Recorded), string(f.Named), yes[f.Settled], yes[f.MayCreate]}, Ownership(f)})
	}
	return rows
}

// collapse writes one line where the last columns make no difference.
func collapse(rows []ownershipRow) []string {
	for columns := 2; columns >= 0; columns-- { // how many of record, recorded, named, settled, create must be the same
		rows = mergeBelow(rows, columns+2)
	}
	lines := []string{fmt.Sprintf("%-8s %-9s %-10s %-8s %-7s %s", "record", "recorded", "named", "settled", "create", "action")}
	for _, r := range rows {
		lines = append(lines, fmt.Sprintf("%-8s %-9s %-10s %-8s %-7s %s", r.columns[0], r.columns[1], r.columns[2], r.columns[3], r.columns[4], r.action))
	}
	return lines
}

// mergeBelow merges the rows that are alike in the first columns, when all of them have the same action.
func mergeBelow(rows []ownershipRow, columns int) []ownershipRow {
	prefix := func(r ownershipRow) string { return strings.Join(r.columns[:columns], " ") }
	var merged []ownershipRow
	for len(rows) > 0 {
		end, same := 1, true
		for end < len(rows) && prefix(rows[end]) == prefix(rows[0]) {
			same = same && rows[end].action == rows[0].action
			end++
		}
		if same && end > 1 {
			for column := columns; column < len(rows[0].columns); column++ {
				rows[0].columns[column] = "*"
			}
			merged = append(merged, rows[0])
		} else {
			merged = append(merged, rows[:end]...)
		}
		rows = rows[end:]
	}
	return merged
}

// TestOwnershipNeverTakesWhatIsNotAllowed states the promises of design D3 over the whole table.
func TestOwnershipNeverTakesWhatIsNotAllowed(t *testing.T) {
	for _, f := range allFacts() {
		action := Ownership(f)
		switch {
		case action == ActionAdopt && f.Named != NamedAdoptable:
			t.Errorf("%+v is taken over", f)
		case action == ActionRecord && (f.Record != RecordIntent || f.Named != NamedOurs):
			t.Errorf("%+v is recorded as ours", f)
		case action == ActionCreate && (f.Named != NamedNone || !f.MayCreate || !f.Settled && f.Record == RecordIntent || f.Recorded == RecordedMissing):
			t.Errorf("%+v is made again, though something may be there", f)
		case action == ActionManage && f.Recorded != RecordedPresent:
			t.Errorf("%+v is managed", f)
		case action == ActionTake && f.Recorded != RecordedRenamed:
			t.Errorf("%+v is taken from", f)
		case f.Recorded == RecordedDoubted && action != ActionDoubt:
			t.Errorf("%+v is touched", f)
		}
	}
}

package fold_test

import (
	"testing"

	"pgregory.net/rapid"

	"github.com/usher-media/usher/internal/media/fold"
)

func TestUnicodeMeets(t *testing.T) {
	for _, pair := range [][2]string{
		{"Mia", "mia"}, {"ＭＩＡ", "mia"}, {"STRASSE", "straße"}, {"ΣΊΣΥΦΟΣ", "σίσυφος"}, {"e\u0301va", "Éva"}, {"ﬁnn", "FINN"},
	} {
		if fold.Unicode(pair[0]) != fold.Unicode(pair[1]) {
			t.Errorf("%q and %q stay apart", pair[0], pair[1])
		}
	}
	if fold.Unicode("mia") == fold.Unicode("mía") {
		t.Error("an accent is not letter case")
	}
}

func TestASCIILeavesTheRest(t *testing.T) {
	if got := fold.ASCII("ÜnÏ-Z"); got != "ÜnÏ-z" {
		t.Errorf("got %q", got)
	}
	if got := fold.Exact("Mia"); got != "Mia" {
		t.Errorf("got %q", got)
	}
}

func TestFoldingTwiceChangesNothing(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		s := rapid.String().Draw(t, "s")
		for name, f := range map[string]func(string) string{"Unicode": fold.Unicode, "ASCII": fold.ASCII} {
			if once := f(s); f(once) != once {
				t.Fatalf("%s folds %q again: %q", name, once, f(once))
			}
		}
	})
}

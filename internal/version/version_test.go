package version

import (
	"regexp"
	"strings"
	"testing"
)

func TestNumber(t *testing.T) {
	if !regexp.MustCompile(`^\d+\.\d+\.\d+(-[0-9A-Za-z.-]+)?$`).MatchString(Number()) {
		t.Errorf("VERSION holds %q, which is no semantic version", Number())
	}
	if !strings.HasPrefix(Build(), Number()+" ") || !strings.Contains(Build(), " go1.") {
		t.Errorf("this build is said to be %q", Build())
	}
}

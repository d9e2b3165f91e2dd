package controller

import (
	"testing"

	corev1 "k8s.io/api/core/v1"
)

// TestASecretsVersionIsTheSameWhateverElseBelongsIntoIt: an address or a label that changes is no reason to try its password.
func TestASecretsVersionIsTheSameWhateverElseBelongsIntoIt(t *testing.T) {
	t.Parallel()
	for _, version := range []string{"4711", "a-b", worthless + "4711"} {
		seen := map[string]bool{}
		for _, url := range []string{"", "https://watch.example.org", "https://a-b.example.org"} {
			name := versionSeen(version, &corev1.Secret{Data: map[string][]byte{"url": []byte(url)}})
			if got := secretVersion(name); got != version {
				t.Errorf("%s is taken for version %s, want %s", name, got, version)
			}
			seen[name] = true
		}
		if len(seen) != 3 {
			t.Errorf("three contents have the names %v", seen)
		}
	}
	if got := secretVersion(versionSeen("", &corev1.Secret{})); got != "" {
		t.Errorf("a Secret that is not there has version %q", got)
	}
}

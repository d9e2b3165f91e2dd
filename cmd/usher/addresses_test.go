package main

import "testing"

func TestAllowServerAddresses(t *testing.T) {
	for text, want := range map[string]string{
		"127.0.0.0/8,::1": "127.0.0.0/8,::1/128", "127.0.0.1": "127.0.0.1/32", "127.0.0.1/8": "127.0.0.0/8", "fe80::/10": "fe80::/10",
		"": "an error", "localhost": "an error", "127.0.0.0/33": "an error", "127.0.0.1,": "an error",
	} {
		var flag prefixes
		got := "an error"
		if flag.Set(text) == nil {
			got = flag.String()
		}
		if got != want {
			t.Errorf("%q is %s, want %s", text, got, want)
		}
	}
}

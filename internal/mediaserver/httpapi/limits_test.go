package httpapi

import "testing"

// A household with IPv6 has more addresses than anybody could count; they are one client.
func TestWhatCountsAsOneClient(t *testing.T) {
	for client, want := range map[string]string{
		"192.0.2.7": "192.0.2.7", "2001:db8:1:2::7": "2001:db8:1:2::/64", "2001:db8:1:2:ffff::1": "2001:db8:1:2::/64",
		"::ffff:192.0.2.7": "::ffff:192.0.2.7", "fe80::1%eth0": "fe80::/64", "@": "@", "": "",
	} {
		if got := network(client); got != want {
			t.Errorf("%q counts as %q, want %q", client, got, want)
		}
	}
}

package media_test

import (
	"net/netip"
	"testing"

	"github.com/usher-media/usher/internal/media"
)

func TestMayDial(t *testing.T) {
	for _, text := range []string{
		// Plain.
		"127.0.0.1", "127.8.9.10", "0.0.0.0", "0.1.2.3", "169.254.169.254", "169.254.170.2", "224.0.0.1", "239.255.255.250",
		"255.255.255.255", "240.0.0.1", "100.100.100.200", "168.63.129.16", "192.0.0.192",
		"::", "::1", "fe80::1", "fe80::1%eth0", "fe80::a9fe:a9fe", "febf::1", "ff02::1", "ff05::2", "fd00:ec2::254", "fd00:ec2::23",
		"fd20:ce::254", "fd00:c1::a9fe:a9fe", "fd00:42::42",
		// An IPv4 address within an IPv6 one.
		"::ffff:127.0.0.1", "::ffff:169.254.169.254", "::ffff:0.0.0.0", "::127.0.0.1", "::169.254.169.254", "::ffff:0:169.254.169.254",
		"64:ff9b::127.0.0.1", "64:ff9b::169.254.169.254", "64:ff9b::100.100.100.200", "64:ff9b::224.0.0.1",
		"64:ff9b:1::127.0.0.1", "64:ff9b:1::169.254.169.254", "64:ff9b:1:2:3::169.254.169.254",
		"64:ff9b:1:a9fe:a9:fe00::", "64:ff9b:1:12a9:fe:a9fe::", "64:ff9b:1:1234:a9:fea9:fe00::", "64:ff9b:1:7f00:0:100::",
		"2002:7f00:1::", "2002:a9fe:a9fe::1", "2002:a9fe:a9fe:1:2:3:4:5", "2002:6464:64c8::",
		"2001:0:a9fe:a9fe::1", "2001:0:4136:e378:8000:63bf:5601:5601", "2001:0:4136:e378:8000:63bf:80ff:fffe",
		"2001:db8::5efe:169.254.169.254", "2001:db8::200:5efe:127.0.0.1", "fd12:3456::5efe:127.0.0.1",
	} {
		if media.MayDial(netip.MustParseAddr(text), nil) {
			t.Errorf("%s may be dialled", text)
		}
	}
	for _, text := range []string{
		"10.0.0.1", "172.16.5.4", "192.168.1.10", "100.64.0.1", "100.100.100.100", "192.0.2.1", "8.8.8.8", "fd12:3456::1", "fc00::1",
		"2001:db8::1", "2606:4700::1111", "::ffff:192.168.1.10", "64:ff9b::192.168.1.10", "64:ff9b:1::192.168.1.10",
		"2002:c0a8:10a::", "2001:db8::5efe:192.168.1.10",
	} {
		if !media.MayDial(netip.MustParseAddr(text), nil) {
			t.Errorf("%s may not be dialled", text)
		}
	}
	if media.MayDial(netip.Addr{}, media.Loopback()) {
		t.Error("no address may be dialled")
	}
}

// What is allowed is allowed in every form, and nothing besides.
func TestAllowedAddresses(t *testing.T) {
	for text, may := range map[string]bool{
		"127.0.0.1": true, "127.0.0.2": true, "::1": true, "::ffff:127.0.0.1": true, "64:ff9b::127.0.0.1": true,
		"169.254.169.254": false, "::": false, "0.0.0.0": false, "fe80::1": false, "64:ff9b::169.254.169.254": false,
	} {
		if got := media.MayDial(netip.MustParseAddr(text), media.Loopback()); got != may {
			t.Errorf("%s: %v", text, got)
		}
	}
	if !media.MayDial(netip.MustParseAddr("fe80::1%eth0"), []netip.Prefix{netip.MustParsePrefix("fe80::/10")}) {
		t.Error("an allowed prefix does not hold for an address with a zone")
	}
}

package media

import (
	"net/netip"
	"slices"
)

// Loopback are the addresses of the machine that Usher itself runs on, for Config.Allowed: on one machine, or in a test,
// servers are there.
func Loopback() []netip.Prefix {
	return []netip.Prefix{netip.MustParsePrefix("127.0.0.0/8"), netip.MustParsePrefix("::1/128")}
}

// never are the addresses at which no media server is, but what only this process can reach: this machine, its link, the
// metadata service of the cloud that it runs in. Private ones are not among them: servers at home have those.
var never = prefixes(
	"0.0.0.0/8", "127.0.0.0/8", "169.254.0.0/16", "224.0.0.0/4", "240.0.0.0/4",
	"::/128", "::1/128", "fe80::/10", "ff00::/8",
	// The metadata services of AWS, Google, Oracle, Scaleway, Alibaba, Azure and Oracle's classic cloud that are not link-local.
	"fd00:ec2::/32", "fd20:ce::254/128", "fd00:c1::a9fe:a9fe/128", "fd00:42::42/128", "100.100.100.200/32", "168.63.129.16/32", "192.0.0.192/32",
)

// Forms in which IPv6 carries an IPv4 address, and the bytes that hold it. A translator of the network sends what goes
// there to the address within.
var (
	localNAT64 = netip.MustParsePrefix("64:ff9b:1::/48")
	teredo     = netip.MustParsePrefix("2001::/32")
	carriers   = []struct {
		prefix netip.Prefix
		bytes  [4]int
	}{
		{netip.MustParsePrefix("::/96"), [4]int{12, 13, 14, 15}},              // IPv4-compatible
		{netip.MustParsePrefix("::ffff:0:0:0/96"), [4]int{12, 13, 14, 15}},    // IPv4-translated (SIIT)
		{netip.MustParsePrefix("64:ff9b::/96"), [4]int{12, 13, 14, 15}},       // NAT64
		{localNAT64, [4]int{12, 13, 14, 15}},                                  // NAT64 of the network's own, as a /96
		{localNAT64, [4]int{6, 7, 9, 10}}, {localNAT64, [4]int{7, 9, 10, 11}}, // as a /48 and a /56
		{localNAT64, [4]int{9, 10, 11, 12}},                      // as a /64
		{netip.MustParsePrefix("2002::/16"), [4]int{2, 3, 4, 5}}, // 6to4
		{teredo, [4]int{4, 5, 6, 7}},                             // Teredo's server
	}
)

func prefixes(texts ...string) (all []netip.Prefix) {
	for _, text := range texts {
		all = append(all, netip.MustParsePrefix(text))
	}
	return all
}

// MayDial says whether an address may be dialled: it is none of those where no media server is, in none of the forms that
// lead to one, or it is allowed.
func MayDial(address netip.Addr, allowed []netip.Prefix) bool {
	if !address.IsValid() {
		return false
	}
	within := func(all []netip.Prefix, one netip.Addr) bool {
		return slices.ContainsFunc(all, func(p netip.Prefix) bool { return p.Contains(one) })
	}
	for _, form := range meant(address.WithZone("").Unmap()) {
		if within(never, form) && !within(allowed, form) {
			return false
		}
	}
	return true
}

// meant are an address and those within it.
func meant(address netip.Addr) []netip.Addr {
	all := []netip.Addr{address}
	if !address.Is6() {
		return all
	}
	raw := address.As16()
	carry := func(bytes [4]byte) {
		// What begins with zero is nobody's address: this is another of the forms.
		if bytes[0] != 0 {
			all = append(all, netip.AddrFrom4(bytes))
		}
	}
	for _, c := range carriers {
		if c.prefix.Contains(address) {
			carry([4]byte{raw[c.bytes[0]], raw[c.bytes[1]], raw[c.bytes[2]], raw[c.bytes[3]]})
		}
	}
	if teredo.Contains(address) { // the client's address, inverted
		carry([4]byte{^raw[12], ^raw[13], ^raw[14], ^raw[15]})
	}
	if raw[8]&^2 == 0 && raw[9] == 0 && raw[10] == 0x5e && raw[11] == 0xfe { // ISATAP, below any prefix
		carry([4]byte(raw[12:16]))
	}
	return all
}

package main

import (
	"fmt"
	"net/netip"
	"strings"
)

// prefixes is a flag that takes ranges of addresses and single ones, separated by commas.
type prefixes []netip.Prefix

// Type implements pflag.Value.
func (p *prefixes) Type() string { return "ranges" }

// String implements pflag.Value.
func (p *prefixes) String() string {
	var texts []string
	for _, prefix := range *p {
		texts = append(texts, prefix.String())
	}
	return strings.Join(texts, ",")
}

// Set implements pflag.Value.
func (p *prefixes) Set(list string) error {
	for text := range strings.SplitSeq(list, ",") {
		prefix, err := netip.ParsePrefix(text)
		if address, single := netip.ParseAddr(text); single == nil {
			prefix, err = netip.PrefixFrom(address, address.BitLen()), nil
		}
		if err != nil {
			return fmt.Errorf("%q is neither an address nor a range like 127.0.0.0/8", text)
		}
		*p = append(*p, prefix.Masked())
	}
	return nil
}

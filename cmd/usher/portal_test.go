package main

import (
	"strings"
	"testing"

	"github.com/spf13/pflag"
)

func TestPortalURLIsRefusedWhileThereAreNoPages(t *testing.T) {
	set := pflag.NewFlagSet("usher", pflag.ContinueOnError)
	refusePortalURL(set)
	err := set.Parse([]string{"--portal-url=https://invite.example.org"})
	if err == nil || !strings.Contains(err.Error(), "no invite pages of its own yet: remove the flag") {
		t.Errorf("got %v", err)
	}
}

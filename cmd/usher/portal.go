package main

import (
	"errors"

	"github.com/spf13/pflag"
)

// refusePortalURL keeps the flag of the invite pages known, which Usher does not serve yet: whoever sets it learns so at the
// start, and not when people open links that lead nowhere.
func refusePortalURL(set *pflag.FlagSet) {
	set.Func("portal-url", "where Usher's own invite pages would be, to which links of Invites would lead; not to be used yet: it serves none, and refuses to start", func(string) error {
		return errors.New("usher serves no invite pages of its own yet: remove the flag. Media servers of type Embedded, and those of type Alcoves with delivery: Native, admit people by their own pages")
	})
}

package access

import (
	"cmp"
	"fmt"
	"time"

	"github.com/usher-media/usher/api/v1alpha1"
)

// Unreadable says which field of an object's spec holds a date or a duration that cannot be read, and what to write
// instead (see v1alpha1.Time); nil when all can. Such an object gives nothing, and takes nothing that its other fields do
// not take.
func Unreadable(object any) error {
	switch o := object.(type) {
	case *v1alpha1.MediaServer:
		return duration("spec.syncInterval", o.Spec.SyncInterval)
	case *v1alpha1.User:
		return date("spec.expiresAt", o.Spec.ExpiresAt)
	case *v1alpha1.LibraryGrant:
		return cmp.Or(date("spec.notBefore", o.Spec.NotBefore), date("spec.notAfter", o.Spec.NotAfter))
	case *v1alpha1.Invite:
		err := date("spec.expiresAt", o.Spec.ExpiresAt)
		if err == nil && o.Spec.Account != nil {
			err = duration("spec.account.expiresAfter", o.Spec.Account.ExpiresAfter)
		}
		return err
	case *v1alpha1.Redemption:
		err := date("spec.at", &o.Spec.At)
		for i := range o.Spec.Accounts {
			err = cmp.Or(err, date(fmt.Sprintf("spec.accounts[%d].expiresAt", i), o.Spec.Accounts[i].ExpiresAt))
		}
		return err
	}
	return nil
}

func date(field string, t *v1alpha1.Time) error {
	if _, _, err := moment(t); err != nil {
		return fmt.Errorf("%s: %w", field, err)
	}
	return nil
}

func duration(field string, d *v1alpha1.Duration) error {
	if d == nil {
		return nil
	}
	if _, err := d.Parse(); err != nil {
		return fmt.Errorf("%s: %w", field, err)
	}
	return nil
}

// moment returns the moment that a field names, and whether it names one. The zero time with set is one long ago.
func moment(t *v1alpha1.Time) (at time.Time, set bool, err error) {
	if t == nil {
		return time.Time{}, false, nil
	}
	at, err = t.Parse()
	return at, err == nil, err
}

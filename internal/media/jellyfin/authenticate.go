package jellyfin

import (
	"context"

	"github.com/usher-media/usher/internal/media"
)

// Authenticate signs in, on a device of its own for each account, and out again. Each wrong try counts, and the server may lock
// the account out for it (section 6): where the next one would, none is made. So it is not known then whether the password is
// right, which is PermissionDenied, as where the account may not sign in at this time or from here.
func (d *Driver) Authenticate(ctx context.Context, username, password string) (media.AccountID, error) {
	wrong := media.Errorf(media.Unauthenticated, "the server refuses the username or password")
	if password == "" || username == "" {
		return "", wrong
	}
	all, err := d.users(ctx)
	if err != nil {
		return "", err
	}
	for _, u := range all {
		switch {
		case foldName(u.Name) != foldName(username):
		case *u.policy.Disabled:
			return "", media.Errorf(media.Unauthenticated, "the account is disabled")
		case u.policy.MaxFailures != nil && *u.policy.MaxFailures > 0 && u.policy.Failures+1 >= *u.policy.MaxFailures:
			return "", media.Errorf(media.PermissionDenied, "the server may lock the account out at the next wrong password, so that none is tried")
		default:
			in, err := d.enter(ctx, u.Name, password, "usher-try-"+u.ID)
			if err != nil {
				return "", err
			}
			d.signOut(ctx, in.Token)
			return media.AccountID(in.User.ID), nil
		}
	}
	return "", wrong
}

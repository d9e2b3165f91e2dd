package jellyfin

import (
	"context"
	"net/http"
	"sync"

	"github.com/usher-media/usher/internal/media"
	"github.com/usher-media/usher/internal/media/wire"
)

const (
	usersPath  = "/Users"
	userPath   = "/Users/{id}"
	policyPath = "/Users/{id}/Policy"
)

// The fields of a policy that this driver writes. All others go back as they came.
const (
	fieldAdministrator = "IsAdministrator"
	fieldDisabled      = "IsDisabled"
	fieldAll           = "EnableAllFolders"
	fieldFolders       = "EnabledFolders"
	fieldFailures      = "InvalidLoginAttemptCount"
)

// turns lets the writes of one account wait for each other, and the looks at the libraries.
type turns struct {
	mu    *sync.Mutex
	taken map[string]chan struct{}
}

func newTurns() turns { return turns{mu: &sync.Mutex{}, taken: map[string]chan struct{}{}} }

// take waits until nobody else is at it. Who is done calls leave.
func (t turns) take(ctx context.Context, at string) (leave func(), err error) {
	for {
		t.mu.Lock()
		under, busy := t.taken[at]
		if !busy {
			done := make(chan struct{})
			t.taken[at] = done
			t.mu.Unlock()
			return func() {
				t.mu.Lock()
				delete(t.taken, at)
				t.mu.Unlock()
				close(done)
			}, nil
		}
		t.mu.Unlock()
		select {
		case <-under:
		case <-ctx.Done():
			return nil, media.Errorf(media.Unavailable, "no answer in time: another call of the same kind is under way").WithCause(ctx.Err())
		}
	}
}

// user reads one account.
func (d *Driver) user(ctx context.Context, of media.AccountID) (user, error) {
	if id(string(of)) != string(of) || of == "" {
		return user{}, noAccount() // the server would say that the request is wrong
	}
	var u user
	err := d.get(ctx, userPath, &u, string(of))
	if err == nil && u.ID != string(of) {
		err = media.Errorf(media.Unavailable, "GET %s: the server answered with another account", userPath)
	}
	return u, err
}

// users reads all accounts, those on their way among them. Any member may read that list (A.4), so that it proves nothing of
// who asks.
func (d *Driver) users(ctx context.Context) (users, error) {
	self, err := d.own(ctx)
	if err != nil {
		return nil, err
	}
	var all users
	if err := d.read(ctx, usersPath, &all); err != nil {
		return nil, err
	}
	for _, u := range all {
		if self == "" || u.ID == self {
			return all, nil
		}
	}
	return nil, media.Errorf(media.Unavailable, "GET %s: the list lacks the account that Usher uses, so it is not believed", usersPath)
}

// change is what is to be different in a policy.
type change struct {
	administrator, disabled *bool
	// list replaces what the account sees.
	list *listed
	// forgive starts the count of wrong passwords anew.
	forgive bool
}

// listed is what an account sees by its list: everything, or the libraries with those ids of the server's.
type listed struct {
	all   bool
	items []string
}

func (c change) fields() map[string]any {
	fields := map[string]any{}
	if c.administrator != nil {
		fields[fieldAdministrator] = *c.administrator
	}
	if c.disabled != nil {
		fields[fieldDisabled] = *c.disabled
	}
	if c.list != nil {
		items := c.list.items
		if items == nil {
			items = []string{}
		}
		fields[fieldAll], fields[fieldFolders] = c.list.all, items
	}
	if c.forgive {
		fields[fieldFailures] = 0
	}
	return fields
}

// holds says whether an account is as the change wants it.
func (c change) holds(u user) bool {
	p := u.policy
	return (c.administrator == nil || *p.Administrator == *c.administrator) &&
		(c.disabled == nil || *p.Disabled == *c.disabled) &&
		(c.list == nil || *p.All == c.list.all && same(p.Folders, c.list.items))
}

// post writes a policy: the document that was just read, with what is to be different. EnableAllFolders and all that a short
// document would open are in it (section 5).
func (d *Driver) post(ctx context.Context, u user, c change) error {
	body, err := u.policy.raw.with(c.fields())
	if err != nil {
		return err
	}
	_, err = d.client.Do(ctx, wire.Call{
		Method: http.MethodPost, Path: policyPath, Args: []string{u.ID}, Body: body, Want: http.StatusNoContent,
	})
	return err
}

// write posts a change and reads back what became of it: the person's own next request may undo a write (B.1), and so may any
// other writer.
func (d *Driver) write(ctx context.Context, u user, c change) (user, error) {
	if err := d.post(ctx, u, c); err != nil {
		return user{}, err
	}
	after, err := d.user(ctx, media.AccountID(u.ID))
	switch {
	case err != nil:
		return user{}, media.Errorf(media.Ambiguous, "POST %s: what became of the account could not be read", policyPath).WithCause(err)
	case !c.holds(after):
		return user{}, media.Errorf(media.Ambiguous, "POST %s: the server did not keep what was set, or somebody else wrote to the account at the same moment", policyPath)
	}
	return after, nil
}

// edit reads an account and writes the change that is planned for it, unless it is so already. With revokes, what the person is
// signed in with ends first; that this fails holds nothing back, and is told in the end.
func (d *Driver) edit(ctx context.Context, of media.AccountID, plan func(user) (c change, revokes bool, err error)) (user, error) {
	leave, err := d.turns.take(ctx, string(of))
	if err != nil {
		return user{}, err
	}
	defer leave()
	u, err := d.user(ctx, of)
	if err != nil {
		return user{}, err
	}
	c, revokes, err := plan(u)
	if err != nil || !c.forgive && c.holds(u) {
		return u, err
	}
	var stillIn error
	if revokes {
		stillIn = d.endSessions(ctx, u.ID)
		// What was read is old by now, and a request of the person's may have been under way.
		if u, err = d.user(ctx, of); err != nil && stillIn != nil {
			return user{}, stillIn
		}
		if err != nil {
			return user{}, err
		}
		if c, _, err = plan(u); err != nil {
			return user{}, err
		}
	}
	if u, err = d.write(ctx, u, c); stillIn != nil && media.CodeOf(err) != media.Ambiguous {
		err = stillIn
	}
	return u, err
}

package faults

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"slices"
	"sync"
	"time"

	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/usher-media/usher/api/v1alpha1"
	"github.com/usher-media/usher/internal/media"
	"github.com/usher-media/usher/internal/redeem"
	"github.com/usher-media/usher/test/mortal"
)

// linkedSystem is the media server in memory, with invites of its own.
type linkedSystem struct {
	*memorySystem
	mu    sync.Mutex
	links []*link
	made  int
}

// link is an invite of the server's, and who came by it.
type link struct {
	media.Invite
	uses []media.InviteUse
}

func newLinked() *linkedSystem {
	return &linkedSystem{memorySystem: newMemory(func(c *media.Capabilities) { c.Invites = true })}
}

// newTelling is one that tells when passwords were set.
func newTelling() *linkedSystem {
	s := newLinked()
	s.telling = true
	return s
}

func (s *linkedSystem) open(p *mortal.Process) media.Open {
	return p.Open(func(config media.Config) (media.Driver, error) {
		inner, err := s.store.Open(config)
		if err != nil {
			return nil, err
		}
		return &linkedDriver{inner.(ableDriver), s}, nil
	})
}

// ableDriver is what the driver in memory can do.
type ableDriver interface {
	media.Driver
	media.Bootstrapper
	media.Registrar
	media.Authenticator
	media.Disabler
	media.AccountDeleter
	media.LibraryDeleter
}

// backup is of accounts, libraries and links.
func (s *linkedSystem) backup() func() {
	s.mu.Lock()
	defer s.mu.Unlock()
	restore, links := s.store.Backup(), copyLinks(s.links)
	return func() {
		s.mu.Lock()
		defer s.mu.Unlock()
		restore()
		s.links = copyLinks(links)
	}
}

func copyLinks(links []*link) []*link {
	var copied []*link
	for _, l := range links {
		again := *l
		again.uses = slices.Clone(l.uses)
		copied = append(copied, &again)
	}
	return copied
}

// openLinks are those that admit somebody.
func (s *linkedSystem) openLinks() (open []media.Invite) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, l := range s.links {
		if l.admits() {
			open = append(open, l.Invite)
		}
	}
	return open
}

func (l *link) admits() bool {
	spent := l.Settings.MaxUses > 0 && l.Settings.PriorUses+l.Uses >= l.Settings.MaxUses
	over := !l.Settings.ExpiresAt.IsZero() && !time.Now().Before(l.Settings.ExpiresAt)
	return !l.Settings.Revoked && !l.Settings.Held && !spent && !over
}

// comes has somebody sign up by a link that is open, if there is one; false when nobody came.
func (s *linkedSystem) comes(username, password string, n int) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	open := slices.DeleteFunc(slices.Clone(s.links), func(l *link) bool { return !l.admits() })
	if _, taken := s.store.Account(username); taken || len(open) == 0 {
		return false
	}
	l := open[n%len(open)]
	access := media.Access{Libraries: l.Settings.Libraries}
	id := s.store.AddAccount(media.Account{Username: username, Role: l.Settings.Role, Access: access}, password)
	l.uses = append(l.uses, media.InviteUse{
		Account: id, Username: username, At: time.Now().UTC(), Registered: true, Told: true, Role: l.Settings.Role, Libraries: access.Clone().Libraries,
	})
	l.Uses, l.LastUsedBy = len(l.uses), id
	return true
}

// linkedDriver speaks to it. Its calls of invites fail when the server is down, and otherwise as its other calls do not.
type linkedDriver struct {
	ableDriver
	s *linkedSystem
}

// call runs one call while the server is there.
func call[T any](ctx context.Context, d *linkedDriver, do func() (T, error)) (T, error) {
	if _, err := d.Identity(ctx); err != nil {
		var none T
		return none, err
	}
	d.s.mu.Lock()
	defer d.s.mu.Unlock()
	return do()
}

func (d *linkedDriver) ListInvites(ctx context.Context) ([]media.Invite, error) {
	return call(ctx, d, func() (list []media.Invite, err error) {
		for _, l := range d.s.links {
			list = append(list, l.Invite)
		}
		return list, nil
	})
}

func (d *linkedDriver) CreateInvite(ctx context.Context, invite media.NewInvite) (media.Invite, error) {
	return call(ctx, d, func() (media.Invite, error) {
		sum := sha256.Sum256([]byte(invite.Code))
		hash := hex.EncodeToString(sum[:])
		if slices.ContainsFunc(d.s.links, func(l *link) bool { return l.CodeHash == hash }) {
			return media.Invite{}, media.Errorf(media.AlreadyExists, "there is an invite of that code")
		}
		d.s.made++
		made := &link{Invite: media.Invite{ID: media.InviteID(fmt.Sprintf("invite-%d", d.s.made)), CodeHash: hash, Reference: invite.Reference, Settings: invite.Settings}}
		d.s.links = append(d.s.links, made)
		return made.Invite, nil
	})
}

func (d *linkedDriver) find(id media.InviteID) (*link, error) {
	i := slices.IndexFunc(d.s.links, func(l *link) bool { return l.ID == id })
	if i < 0 {
		return nil, media.Errorf(media.NotFound, "there is no such invite")
	}
	return d.s.links[i], nil
}

func (d *linkedDriver) SetInvite(ctx context.Context, id media.InviteID, settings media.InviteSettings) (media.Invite, error) {
	return call(ctx, d, func() (media.Invite, error) {
		l, err := d.find(id)
		if err != nil {
			return media.Invite{}, err
		}
		l.Settings = settings
		return l.Invite, nil
	})
}

func (d *linkedDriver) DeleteInvite(ctx context.Context, id media.InviteID) error {
	_, err := call(ctx, d, func() (*link, error) {
		l, err := d.find(id)
		d.s.links = slices.DeleteFunc(d.s.links, func(other *link) bool { return other == l })
		return l, err
	})
	return err
}

func (d *linkedDriver) InviteUses(ctx context.Context, id media.InviteID) ([]media.InviteUse, error) {
	return call(ctx, d, func() ([]media.InviteUse, error) {
		l, err := d.find(id)
		if err != nil {
			return nil, err
		}
		return slices.Clone(l.uses), nil
	})
}

func (d *linkedDriver) InvitePath(code string) string { return "/invite/" + code }

var (
	guestNames  = []string{"gina", "gus", "gwen"}
	inviteNames = []string{"party", "family"}
)

// invitations are what people do with Invites and their links.
func invitations(number int) []operation {
	invite, guest := inviteNames[number%len(inviteNames)], guestNames[number%len(guestNames)]
	return []operation{
		{named("create Invite %s", invite), func(h *house) { h.put(h.invite(invite)) }},
		{named("delete Invite %s", invite), func(h *house) { h.delete(h.invite(invite)) }},
		{named("revoke Invite %s, or not", invite), func(h *house) {
			h.change(h.invite(invite), func(o client.Object) { i := o.(*v1alpha1.Invite); i.Spec.Revoked = !i.Spec.Revoked })
		}},
		{named("by hand: %s comes by a link (%d)", guest, number), func(h *house) {
			if on, ok := h.system.(*linkedSystem); ok {
				h.oracle.came(on, guest, number)
			}
		}},
		{named("take the use of %s back", guest), func(h *house) {
			for _, r := range h.read().redemptions {
				if r.Spec.Accounts[0].Username == guest {
					h.takenBack = append(h.takenBack, useOf(r))
					h.delete(r)
				}
			}
		}},
	}
}

// invite admits two people to movies.
func (h *house) invite(name string) *v1alpha1.Invite {
	libraries := targets("movies")
	return &v1alpha1.Invite{ObjectMeta: h.meta(name), Spec: v1alpha1.InviteSpec{
		Offers: []v1alpha1.InviteOffer{{ServerRef: v1alpha1.LocalReference{Name: serverName}, Libraries: &libraries}}, MaxUses: new(int32(2)),
	}}
}

// came has somebody come by a link, with a password that is nobody else's to change.
func (o *oracle) came(on *linkedSystem, username string, n int) {
	password := fmt.Sprintf("%s's own password %d", username, n)
	var came bool
	o.byHand(func(system) { came = on.comes(username, password, n) })
	if came {
		o.chooses(on.memorySystem, username, password)
	}
}

// wrongLinks says which link is open on the server that no manifest opens, or is not and should be; empty when none is.
func (h *house) wrongLinks(m manifests) string {
	on, ok := h.system.(*linkedSystem)
	if !ok {
		return ""
	}
	wanted := map[string]string{}
	for _, object := range h.objects() {
		invite, is := object.(*v1alpha1.Invite)
		if !is || !invite.DeletionTimestamp.IsZero() || invite.Spec.Revoked {
			continue
		}
		wanted[invite.Status.CodeHash] = invite.Name
		for _, l := range on.openLinks() {
			if came := m.cameBy(invite); l.CodeHash == invite.Status.CodeHash && came >= int(*invite.Spec.MaxUses) {
				return fmt.Sprintf("%d came by Invite %s already, and its link is open", came, invite.Name)
			}
		}
	}
	for _, l := range on.openLinks() {
		if wanted[l.CodeHash] == "" {
			return fmt.Sprintf("the link %s of %s is open, which no manifest opens", l.ID, l.Reference)
		}
	}
	return ""
}

// cameBy counts who came by an Invite.
func (m manifests) cameBy(invite *v1alpha1.Invite) (n int) {
	for _, r := range m.redemptions {
		if r.Spec.InviteRef.UID == string(invite.UID) {
			n++
		}
	}
	return n
}

// use is who came by a link, and when.
type use struct {
	username string
	at       int64
}

func useOf(r *v1alpha1.Redemption) use {
	return use{r.Spec.Accounts[0].Username, redeem.CameAt(r).Unix()}
}

// unrecorded names somebody who came by a link that is there, and whom no Redemption records; empty for nobody. What a person
// took back stays counted in the status of the Invite.
func (h *house) unrecorded(m manifests) string {
	on, ok := h.system.(*linkedSystem)
	if !ok {
		return ""
	}
	on.mu.Lock()
	defer on.mu.Unlock()
	recorded := slices.Clone(h.takenBack)
	for _, r := range m.redemptions {
		recorded = append(recorded, useOf(r))
	}
	for _, object := range h.objects() {
		invite, is := object.(*v1alpha1.Invite)
		if !is {
			continue
		}
		for _, l := range on.links {
			if l.CodeHash != invite.Status.CodeHash {
				continue
			}
			if invite.Status.Uses == nil || int(invite.Status.Uses.Total) < l.Uses {
				return fmt.Sprintf("%d came by Invite %s, and not all are counted", l.Uses, invite.Name)
			}
			for _, one := range l.uses {
				if !slices.Contains(recorded, use{one.Username, one.At.Unix()}) {
					return fmt.Sprintf("%s came by Invite %s, and is not recorded", one.Username, invite.Name)
				}
			}
		}
	}
	return ""
}

var _ ableDriver = (*linkedDriver)(nil)
var _ media.Inviter = (*linkedDriver)(nil)

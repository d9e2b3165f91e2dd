package controller

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/apimachinery/pkg/util/validation"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/log"

	"github.com/usher-media/usher/api/v1alpha1"
	"github.com/usher-media/usher/internal/media"
)

// An orphan is an open link that was made for an Invite of this namespace, which does not stand any more: an older database
// came back, or the Invite was released while the server was away. It is closed, and not deleted, since another cluster whose
// namespace has the same name may keep it. That one opens it again, and the server's own time of that change tells it from
// a database that was put back: such a link is left open.

// orphan is a link and the name of the Invite that it was made for.
type orphan struct {
	invite string
	link   media.Invite
}

// closedLinks remembers, by server, the orphans that were closed. It is not kept over a restart: then another cluster's link is
// closed once more.
type closedLinks struct {
	mu       sync.Mutex
	byServer map[string]*serverLinks
}

// serverLinks are those of one server. Whoever sweeps holds the lock.
type serverLinks struct {
	mu     sync.Mutex
	closed map[media.InviteID]closedLink
	// killed are the links that were deleted since an Invite of this cluster has their name, by the hashes of their codes.
	killed map[string]killedLink
	// next is when the list that the Invites share is looked through again.
	next time.Time
}

// killedLink is the id that a deleted link had. One of the same code with another id was made anew.
type killedLink struct {
	id   media.InviteID
	told bool
}

// closedLink says when a link was closed, and when it had been changed before, both by the server's clock.
type closedLink struct {
	at, before time.Time
	// told: it was said that the link is left open.
	told bool
}

func (c *closedLinks) of(server string) *serverLinks {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.byServer == nil {
		c.byServer = map[string]*serverLinks{}
	}
	if c.byServer[server] == nil {
		c.byServer[server] = &serverLinks{closed: map[media.InviteID]closedLink{}, killed: map[string]killedLink{}}
	}
	return c.byServer[server]
}

func (c *closedLinks) forget(server string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	delete(c.byServer, server)
}

// kill notes that a link was deleted.
func (l *serverLinks) kill(link media.Invite) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.killed[link.CodeHash] = killedLink{id: link.ID}
}

// remade says whether a link is one that was deleted and that somebody else made anew, and whether that is news. One that an
// older database brought back has the id that it had.
func (l *serverLinks) remade(link media.Invite) (is, news bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	before, known := l.killed[link.CodeHash]
	if !known || before.id == link.ID {
		return false, false
	}
	news = !before.told
	before.told = true
	l.killed[link.CodeHash] = before
	return true, news
}

// reopened says whether somebody opened a link after it was closed. One that was put back has the time of a change from before.
func (c closedLink) reopened(link media.Invite) bool {
	return !c.at.IsZero() && link.Changed.After(c.at) && !link.Changed.Equal(c.before)
}

// orphans are the open links among those of a server for whose Invites nothing stands, as far as the cache knows.
func (k *Kit) orphans(ctx context.Context, s site, links []media.Invite) ([]orphan, error) {
	prefix := referencePrefix + s.server.Namespace + "/"
	var found []orphan
	for _, link := range links {
		name, ours := strings.CutPrefix(link.Reference, prefix)
		if ours && len(validation.IsDNS1123Subdomain(name)) == 0 && !link.Settings.Revoked && !link.Settings.Held {
			found = append(found, orphan{name, link})
		}
	}
	if len(found) == 0 {
		return nil, nil
	}
	var invites v1alpha1.InviteList
	if err := k.Client.List(ctx, &invites, append(ofServer(s.server.Namespace, s.server.Name), client.UnsafeDisableDeepCopy)...); err != nil {
		return nil, err
	}
	standing := map[string]bool{}
	for i := range invites.Items {
		standing[invites.Items[i].Name] = s.keeps(&invites.Items[i])
	}
	return slices.DeleteFunc(found, func(o orphan) bool { return standing[o.invite] }), nil
}

// keeps says whether an Invite is one that has its link on this server.
func (s site) keeps(invite *v1alpha1.Invite) bool {
	offer := onlyOffer(invite)
	return offer != nil && offer.ServerRef.Name == s.server.Name && invite.Spec.Delivery != v1alpha1.DeliveryPortal
}

// closeOrphans closes the open links among those of a server for whose Invites nothing stands.
func (k *Kit) closeOrphans(ctx context.Context, s site, links []media.Invite, known *serverLinks) error {
	orphans, failed := k.orphans(ctx, s, links)
	for _, o := range orphans {
		before := known.closed[o.link.ID]
		if before.reopened(o.link) {
			if !before.told {
				before.told = true
				known.closed[o.link.ID] = before
				k.tellOfOrphan(ctx, s, "LinkLeftOpen", fmt.Sprintf("left the link of Invite %s open, though there is no such Invite: it was closed, and somebody opened it again, such as another cluster whose namespace has the same name; if nobody should come by it, delete it on the server", o.invite))
			}
			continue
		}
		stands, err := k.standsLive(ctx, s, o.invite)
		if err == nil && !stands {
			err = k.closeOrphan(ctx, s, o, known)
		}
		failed = errors.Join(failed, err) // one that cannot be closed keeps no other open
		if err != nil && media.ConcernsConnection(err) {
			break
		}
	}
	return failed
}

// standsLive asks without the cache: it may be behind, above all that of an operator that has just started.
func (k *Kit) standsLive(ctx context.Context, s site, name string) (bool, error) {
	var invite v1alpha1.Invite
	err := k.Live.Get(ctx, types.NamespacedName{Namespace: s.server.Namespace, Name: name}, &invite)
	if apierrors.IsNotFound(err) {
		return false, nil
	}
	return err == nil && s.keeps(&invite), err
}

func (k *Kit) closeOrphan(ctx context.Context, s site, o orphan, known *serverLinks) error {
	settings := o.link.Settings
	settings.Revoked = true
	closed, err := s.to().SetInvite(media.WithReason(ctx, "no Invite stands for the link"), o.link.ID, settings)
	switch {
	case media.CodeOf(err) == media.NotFound:
		return nil
	case err != nil && fromServer(err).kind != kindStalled:
		return err // it is tried again soon
	case err != nil:
		known.next = k.Clock.Now().Add(closedPoll)
		k.tellOfOrphan(ctx, s, "LinkLeftOpen", fmt.Sprintf("the link of Invite %s is open, though there is no such Invite, and it could not be closed (revoke it on the server): %s", o.invite, err))
		return err
	}
	known.closed[o.link.ID] = closedLink{at: closed.Changed, before: o.link.Changed}
	k.tellOfOrphan(ctx, s, "LinkClosed", fmt.Sprintf("closed the link of Invite %s, since there is no such Invite (any more): was an older database put back? %d people have come by it", o.invite, o.link.Uses))
	return nil
}

// tellOfOrphan says by an event and in the log what became of a link. The name of its Invite was read on the server.
func (k *Kit) tellOfOrphan(ctx context.Context, s site, reason, message string) {
	message = bounded(message, 700)
	log.FromContext(ctx).Info(message, "mediaServer", s.key, "reason", reason)
	k.warn(s.server, reason, "Close", "%s", message)
}

// sweepLinks is done at each look. Where Invites stand, the list that they share serves it, too; where the server says that
// there is no open link, none is read.
func (r *mediaServerReconciler) sweepLinks(ctx context.Context, server *v1alpha1.MediaServer, status *v1alpha1.MediaServerStatus, connection media.Connection) {
	probe := connection.Probe
	if !probe.Capabilities.Invites || (probe.OpenLinks != nil && *probe.OpenLinks == 0) {
		return
	}
	s := r.lookedAt(server, connection)
	if err := r.sweepAll(ctx, s, status); err != nil {
		log.FromContext(ctx).Error(err, "could not look for links whose Invites are gone", "mediaServer", s.key)
	}
}

func (r *mediaServerReconciler) sweepAll(ctx context.Context, s site, status *v1alpha1.MediaServerStatus) error {
	var invites v1alpha1.InviteList
	if err := r.Client.List(ctx, &invites, append(ofServer(s.server.Namespace, s.server.Name), client.UnsafeDisableDeepCopy)...); err != nil {
		return err
	}
	var age time.Duration
	if len(invites.Items) > 0 {
		age = closedPoll
	}
	links, err := s.to().Invites(ctx, age)
	if err != nil {
		return err
	}
	if s.observing() {
		orphans, err := r.orphans(ctx, s, links)
		for _, o := range firstListed(orphans) {
			status.Plan = append(status.Plan, bounded("close the link of Invite "+o.invite+", since there is no such Invite", 200))
		}
		return err
	}
	known := r.closed.of(s.key)
	known.mu.Lock()
	defer known.mu.Unlock()
	return r.closeOrphans(ctx, s, links, known)
}

// sweepShared looks through a list that was read for an Invite, unless one was looked through just now.
func (r *inviteReconciler) sweepShared(ctx context.Context, s site, links []media.Invite) {
	if s.observing() || s.mayWrite() != nil {
		return
	}
	known := r.closed.of(s.key)
	if !known.mu.TryLock() {
		return
	}
	defer known.mu.Unlock()
	now := r.Clock.Now()
	if now.Before(known.next) {
		return
	}
	known.next = now.Add(usesPoll)
	if err := r.closeOrphans(ctx, s, links, known); err != nil {
		log.FromContext(ctx).Error(err, "could not close links whose Invites are gone", "mediaServer", s.key)
	}
}

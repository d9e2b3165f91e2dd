package controller

import (
	"cmp"
	"context"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"

	"github.com/usher-media/usher/api/v1alpha1"
	"github.com/usher-media/usher/internal/access"
	"github.com/usher-media/usher/internal/media"
)

// site is where an object lives: its MediaServer and the connection to it, read once a reconcile. Of a MediaServer that is
// not there it holds the name only.
type site struct {
	key        string
	server     *v1alpha1.MediaServer
	connection media.Connection
	// now is when it was read.
	now time.Time
}

// site resolves a serverRef. The outcome says why nothing can be said about objects of that server now.
func (k *Kit) site(ctx context.Context, namespace, name string) (site, *outcome) {
	s := site{key: serverKey(namespace, name), server: &v1alpha1.MediaServer{}, now: k.Clock.Now()}
	err := k.Client.Get(ctx, types.NamespacedName{Namespace: namespace, Name: name}, s.server)
	if apierrors.IsNotFound(err) {
		s.server = &v1alpha1.MediaServer{ObjectMeta: metav1.ObjectMeta{Namespace: namespace, Name: name}}
		return s, waiting(v1alpha1.ReasonServerNotFound, "there is no MediaServer %s in this namespace", name)
	}
	if err != nil {
		return s, retry(err)
	}
	s.connection = k.Connections.Get(s.key)
	if !s.usable() {
		return s, s.notUp()
	}
	return s, nil
}

// lookedAt is the site of a MediaServer that is being looked at.
func (k *Kit) lookedAt(server *v1alpha1.MediaServer, connection media.Connection) site {
	return site{key: keyOf(server), server: server, connection: connection, now: k.Clock.Now()}
}

// usable says whether the inventory may be compared with: it belongs to the manifest as it is now, and is not stale.
func (s site) usable() bool {
	c := s.connection
	return c.Server != nil && c.Probe.Identity != "" && c.Generation == s.server.Generation && s.now.Before(c.StaleAt) &&
		(c.Up || c.Reason == v1alpha1.ReasonServerUnavailable || c.Reason == v1alpha1.ReasonRateLimited)
}

// notUp is the outcome of an object that needs a server which cannot be used now.
func (s site) notUp() *outcome {
	c := s.connection
	switch {
	case c.Server == nil && c.Reason == "":
		o := waiting(v1alpha1.ReasonServerNotReady, "waiting for the first probe of MediaServer %s", s.server.Name)
		o.early = true
		return o
	case c.Reason == v1alpha1.ReasonPaused && c.Generation == s.server.Generation:
		o := held(v1alpha1.ReasonPaused, "MediaServer "+s.server.Name+" is paused by the annotation "+v1alpha1.AnnotationPaused)
		return &o
	case c.Reason == v1alpha1.ReasonServerUnavailable || c.Reason == v1alpha1.ReasonRateLimited:
		return waiting(c.Reason, "MediaServer %s: %s", s.server.Name, c.Message)
	case c.Reason == "" || c.Generation != s.server.Generation || c.Up:
		return waiting(v1alpha1.ReasonServerNotReady, "MediaServer %s is being looked at", s.server.Name)
	}
	return waiting(v1alpha1.ReasonServerNotReady, "MediaServer %s: %s: %s", s.server.Name, c.Reason, c.Message)
}

// unseenAfter is how many looks in a row must fail before the objects of a server say that nobody knows whether it agrees: some
// fifteen seconds, so that a restart costs no write of a status.
const unseenAfter = 5

// unseen returns the outcome that stands for what a server was seen to have, once it has not been seen for a while; nil as long
// as what was seen counts.
func (s site) unseen() *outcome {
	if c := s.connection; c.Server == nil || c.Up || c.Failures < unseenAfter {
		return nil
	}
	return s.notUp()
}

// unlessUnseen is an outcome that says what the server has, unless nobody can tell that now. Why an object is held up is said all the same.
func (s site) unlessUnseen(o outcome) outcome {
	if o.kind != kindDone && (o.kind != kindHeld || o.reason != v1alpha1.ReasonObserving) {
		return o
	}
	unseen := s.unseen()
	if unseen == nil {
		return o
	}
	unseen.after = o.after
	return *unseen
}

// mayWrite returns the outcome of an object that has something to write, when the server is not up; nil when it is.
func (s site) mayWrite() *outcome {
	if s.connection.Up {
		return nil
	}
	return s.notUp()
}

func (s site) observing() bool { return s.server.Spec.Mode == v1alpha1.ModeObserve }

func (s site) to() *media.Server           { return s.connection.Server }
func (s site) inventory() *media.Inventory { return s.connection.Server.Inventory() }
func (s site) able() media.Capabilities    { return s.connection.Probe.Capabilities }
func (s site) identity() string            { return s.connection.Probe.Identity }

// subjectOf is a User of this server as far as access is concerned.
func (s site) subjectOf(user *v1alpha1.User, redemptions []v1alpha1.Redemption) access.Subject {
	able := s.able()
	return access.Subject{
		User: user, SeesAll: able.Roles[media.Role(user.Spec.Role)].SeesAll,
		Knows:    func(role v1alpha1.LibraryRole) bool { return able.HasLibraryRole(media.LibraryRole(role)) },
		Redeemed: access.RedeemedEdges(user, cmp.Or(readRecord(user, s.identity()).ID, user.Status.ExternalID), redemptions),
	}
}

// callFailed reports an error of a call to the connection, and turns it into the object's outcome.
func (k *Kit) callFailed(s site, err error) *outcome {
	k.reportFailure(s, err)
	return fromServer(err)
}

// settledIntent says whether a complete listing shows what became of an announced creation.
func (s site) settledIntent(r record) bool {
	return !r.announced() || s.inventory().Listed().After(s.to().Settled(r.Intent.At))
}

// lookAgain waits for another listing of the server: one begun when an announced creation, if there is one, is over.
func (k *Kit) lookAgain(s site, r record, reason, format string, args ...any) *outcome {
	o := waiting(reason, format, args...)
	now := k.Clock.Now()
	if r.announced() && now.Before(s.to().Settled(r.Intent.At)) {
		o.after = s.to().Settled(r.Intent.At).Sub(now) + time.Millisecond
		return o
	}
	k.Events.Again(s.key, now)
	return o
}

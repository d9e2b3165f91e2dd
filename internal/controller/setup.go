package controller

import (
	"context"
	"time"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/client-go/util/workqueue"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/builder"
	"sigs.k8s.io/controller-runtime/pkg/controller"
	"sigs.k8s.io/controller-runtime/pkg/handler"
	"sigs.k8s.io/controller-runtime/pkg/reconcile"

	"github.com/usher-media/usher/api/v1alpha1"
	"github.com/usher-media/usher/internal/enqueue"
)

const (
	// reconcileTimeout bounds one reconcile.
	reconcileTimeout = 2 * time.Minute
	// lookAgainAfter keeps demands for a fresh look at a server apart.
	lookAgainAfter = time.Second
	// grantsMaxDelay and membersMaxDelay is when a derived status is computed anew though what it derives
	// from goes on changing.
	grantsMaxDelay, membersMaxDelay = 5 * time.Second, 10 * time.Second
	// usersQuietPeriod and usersMaxDelay gather Libraries that become known one after the other.
	usersQuietPeriod, usersMaxDelay = 100 * time.Millisecond, 2 * time.Second
	// plansQuietPeriod and plansMaxDelay gather the plans of objects before their MediaServer counts them.
	plansQuietPeriod, plansMaxDelay = time.Second, 5 * time.Second
	// grantsDelay is how far apart LibraryGrants may be that are to cost one write to a User's account.
	grantsDelay = 100 * time.Millisecond
	// demandsForgotten is how long after a look that was demanded another demand still counts as the next of a series.
	demandsForgotten = 5 * time.Second
	// grantsQuietPeriod and membersQuietPeriod gather changes before a derived status is computed anew.
	grantsQuietPeriod  = 500 * time.Millisecond
	membersQuietPeriod = time.Second
)

// Concurrency is how many objects of a kind are reconciled at once. Each media server bounds its own calls besides.
type Concurrency struct {
	MediaServers, Libraries, Users, LibraryGrants, Invites int
}

// DefaultConcurrency suits a household and a few thousand users alike.
var DefaultConcurrency = Concurrency{MediaServers: 4, Libraries: 4, Users: 16, LibraryGrants: 2, Invites: 4}

func (k *Kit) handlers(kind string) enqueue.Handlers {
	return enqueue.NewHandlers(k.counters.wakeups, kind)
}

// Setup registers all controllers with a manager. The prefix makes controller names unique where several managers
// run in one process; empty otherwise.
func Setup(ctx context.Context, mgr ctrl.Manager, kit *Kit, concurrency Concurrency, prefix string) error {
	kit.counters, kit.sightings, kit.started = newCounters(), newSightings(), kit.Clock.Now()
	if err := kit.addIndexes(ctx, mgr.GetFieldIndexer()); err != nil {
		return err
	}
	for _, setup := range []func(ctrl.Manager, *Kit, Concurrency, string) error{
		setupMediaServers, setupLibraries, setupUsers, setupLibraryGrants, setupInvites,
	} {
		if err := setup(mgr, kit, concurrency, prefix); err != nil {
			return err
		}
	}
	return nil
}

func setupMediaServers(mgr ctrl.Manager, kit *Kit, c Concurrency, prefix string) error {
	h := kit.handlers("MediaServer")
	return ctrl.NewControllerManagedBy(mgr).Named(prefix+"mediaserver").
		For(&v1alpha1.MediaServer{}, builder.WithPredicates(h.ForPrimary(serverChanged))).
		Watches(&v1alpha1.MediaServer{}, h.Mapped("MediaServer", kit.mediaServersBeside), builder.WithPredicates(leadsElsewhere)).
		WatchesMetadata(&corev1.Secret{}, h.Mapped("Secret", kit.mediaServersOfSecret)).
		Watches(&v1alpha1.User{}, h.MappedAfter("User", lookAgainAfter, kit.serverOf), builder.WithPredicates(askedForALook)).
		Watches(&v1alpha1.Library{}, h.MappedAfter("Library", lookAgainAfter, kit.serverOf), builder.WithPredicates(askedForALook)).
		Watches(&v1alpha1.User{}, h.Mapped("User", kit.serverBeingDeleted), builder.WithPredicates(releases)).
		Watches(&v1alpha1.Library{}, h.Mapped("Library", kit.serverBeingDeleted), builder.WithPredicates(releases)).
		Watches(&v1alpha1.Invite{}, h.Mapped("Invite", kit.serverBeingDeleted), builder.WithPredicates(releases)).
		Watches(&v1alpha1.User{}, h.Debounced("User", plansQuietPeriod, plansMaxDelay, kit.serversBeingDeleted), builder.WithPredicates(braked)).
		Watches(&v1alpha1.User{}, h.Debounced("User", plansQuietPeriod, plansMaxDelay, kit.observedServers), builder.WithPredicates(plansBegunOrDone)).
		Watches(&v1alpha1.Library{}, h.Debounced("Library", plansQuietPeriod, plansMaxDelay, kit.observedServers), builder.WithPredicates(plansBegunOrDone)).
		Watches(&v1alpha1.Invite{}, h.Debounced("Invite", plansQuietPeriod, plansMaxDelay, kit.observedServers), builder.WithPredicates(plansBegunOrDone)).
		WatchesRawSource(kit.Events.servers.Source(h.Counted("server", serverItself), nil)).
		WithOptions(options(c.MediaServers)).
		Complete(&mediaServerReconciler{Kit: kit})
}

func setupLibraries(mgr ctrl.Manager, kit *Kit, c Concurrency, prefix string) error {
	h := kit.handlers("Library")
	return ctrl.NewControllerManagedBy(mgr).Named(prefix+"library").
		For(&v1alpha1.Library{}, builder.WithPredicates(h.ForPrimary(changedByOthers))).
		Watches(&v1alpha1.Library{}, h.Mapped("Library", kit.librariesBeside), builder.WithPredicates(deletions)).
		Watches(&v1alpha1.User{}, h.Debounced("User", membersQuietPeriod, membersMaxDelay, kit.librariesOfUsers), builder.WithPredicates(whatOthersDependOn)).
		Watches(&v1alpha1.MediaServer{}, h.Mapped("MediaServer", of(kit.librariesOfServer)), builder.WithPredicates(asksOtherwise)).
		WatchesRawSource(kit.Events.libraries.Source(h.Counted("server", kit.librariesOfServer), nil)).
		WithOptions(options(c.Libraries)).
		Complete(&libraryReconciler{kit})
}

func setupUsers(mgr ctrl.Manager, kit *Kit, c Concurrency, prefix string) error {
	h, r := kit.handlers("User"), &userReconciler{Kit: kit, brake: &brake{}, restores: newRestores()}
	return ctrl.NewControllerManagedBy(mgr).Named(prefix+"user").
		For(&v1alpha1.User{}, builder.WithPredicates(h.ForPrimary(changedLater))).
		Watches(&v1alpha1.User{}, h.Created(r.firstLook)).
		Watches(&v1alpha1.User{}, handler.Funcs{DeleteFunc: r.vanished}).
		Watches(&v1alpha1.User{}, h.Mapped("User", kit.usersOfClaim), builder.WithPredicates(deletions)).
		Watches(&v1alpha1.LibraryGrant{}, h.MappedAfter("LibraryGrant", grantsDelay, kit.usersOfGrant), builder.WithPredicates(specOnly)).
		Watches(&v1alpha1.Redemption{}, h.Mapped("Redemption", usersOfRedemption), builder.WithPredicates(specOrAccount)).
		Watches(&v1alpha1.Library{}, h.Debounced("Library", usersQuietPeriod, usersMaxDelay, r.usersOfLibraries), builder.WithPredicates(idOrSelection)).
		Watches(&v1alpha1.MediaServer{}, h.Mapped("MediaServer", of(kit.usersOfServer)), builder.WithPredicates(asksOtherwise)).
		WatchesMetadata(&corev1.Secret{}, h.Mapped("Secret", kit.usersOfSecret)).
		WatchesMetadata(&corev1.Secret{}, h.Mapped("Secret", userKeeping), builder.WithPredicates(notItsOwn)).
		WatchesRawSource(kit.Events.users.Source(h.Counted("server", kit.usersOfServer), r.isHeldUp)).
		WatchesRawSource(r.deadlines.Source()).
		WithOptions(options(c.Users)).
		Complete(r)
}

func setupLibraryGrants(mgr ctrl.Manager, kit *Kit, c Concurrency, prefix string) error {
	h := kit.handlers("LibraryGrant")
	return ctrl.NewControllerManagedBy(mgr).Named(prefix+"librarygrant").
		For(&v1alpha1.LibraryGrant{}, builder.WithPredicates(h.ForPrimary(changedByOthers))).
		Watches(&v1alpha1.User{}, h.Debounced("User", grantsQuietPeriod, grantsMaxDelay, kit.grantsTaking), builder.WithPredicates(whatOthersDependOn)).
		Watches(&v1alpha1.Library{}, h.Debounced("Library", grantsQuietPeriod, grantsMaxDelay, kit.grantsTaking), builder.WithPredicates(whatOthersDependOn)).
		WatchesRawSource(kit.Events.grants.Source(h.Counted("server", kit.grantsOfServer), nil)).
		WithOptions(options(c.LibraryGrants)).
		Complete(&libraryGrantReconciler{kit})
}

func setupInvites(mgr ctrl.Manager, kit *Kit, c Concurrency, prefix string) error {
	h, r := kit.handlers("Invite"), &inviteReconciler{Kit: kit}
	return ctrl.NewControllerManagedBy(mgr).Named(prefix+"invite").
		For(&v1alpha1.Invite{}, builder.WithPredicates(h.ForPrimary(changedByOthers))).
		Watches(&v1alpha1.Redemption{}, h.Mapped("Redemption", inviteOfRedemption)).
		Watches(&v1alpha1.Library{}, h.Mapped("Library", kit.invitesBeside), builder.WithPredicates(idOrSelection)).
		WatchesMetadata(&corev1.Secret{}, h.Mapped("Secret", inviteOfSecret)).
		WatchesRawSource(kit.Events.invites.Source(h.Counted("server", kit.invitesOfServer), nil)).
		WatchesRawSource(r.deadlines.Source()).
		WithOptions(options(c.Invites)).
		Complete(r)
}

// options: the library's own rate limiter would retry a media server after 5 ms, and a healed one after 16 minutes.
func options(concurrent int) controller.Options {
	return controller.Options{
		MaxConcurrentReconciles: concurrent,
		ReconciliationTimeout:   reconcileTimeout,
		RateLimiter:             workqueue.NewTypedItemExponentialFailureRateLimiter[reconcile.Request](time.Second, 5*time.Minute),
	}
}

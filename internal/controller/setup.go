package controller

import (
	"context"
	"time"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/client-go/util/workqueue"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/builder"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/controller"
	"sigs.k8s.io/controller-runtime/pkg/event"
	"sigs.k8s.io/controller-runtime/pkg/handler"
	"sigs.k8s.io/controller-runtime/pkg/reconcile"

	"github.com/usher-media/usher/api/v1alpha1"
)

const (
	// reconcileTimeout bounds one reconcile.
	reconcileTimeout = 2 * time.Minute
	// lookAgainAfter keeps demands for a fresh look at a server apart.
	lookAgainAfter = time.Second
	// followedAtLeast is how often a derived status is computed anew while what it derives from goes on changing.
	followedAtLeast = 5 * time.Second
	// usersFollowAfter and usersFollowAtLeast gather Libraries that become known one after the other.
	usersFollowAfter, usersFollowAtLeast = 100 * time.Millisecond, 2 * time.Second
	// demandsForgotten is how long after a look that was demanded another demand still counts as the next of a series.
	demandsForgotten = 5 * time.Second
	// grantsFollowAfter and membersFollowAfter gather changes before a derived status is computed anew.
	grantsFollowAfter  = 300 * time.Millisecond
	membersFollowAfter = time.Second
)

// Concurrency is how many objects of a kind are reconciled at once. Each media server bounds its own calls besides.
type Concurrency struct {
	MediaServers, Libraries, Users, LibraryGrants, Invites int
}

// DefaultConcurrency suits a household and a few thousand users alike.
var DefaultConcurrency = Concurrency{MediaServers: 4, Libraries: 4, Users: 16, LibraryGrants: 2, Invites: 4}

// Setup registers all controllers with a manager. The prefix makes controller names unique where several managers
// run in one process; empty otherwise.
func Setup(ctx context.Context, mgr ctrl.Manager, kit *Kit, concurrency Concurrency, prefix string) error {
	kit.counters, kit.started = newCounters(), kit.Clock.Now()
	if err := addIndexes(ctx, mgr.GetFieldIndexer()); err != nil {
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
	concerns := handler.EnqueueRequestsFromMapFunc
	return ctrl.NewControllerManagedBy(mgr).Named(prefix+"mediaserver").
		For(&v1alpha1.MediaServer{}, builder.WithPredicates(changedByOthers)).
		WatchesMetadata(&corev1.Secret{}, concerns(kit.mediaServersOfSecret)).
		Watches(&v1alpha1.User{}, concerns(kit.serverOf), builder.WithPredicates(askedForALook)).
		Watches(&v1alpha1.Library{}, concerns(kit.serverOf), builder.WithPredicates(askedForALook)).
		Watches(&v1alpha1.User{}, concerns(kit.serverBeingDeleted), builder.WithPredicates(deletions)).
		Watches(&v1alpha1.Library{}, concerns(kit.serverBeingDeleted), builder.WithPredicates(deletions)).
		Watches(&v1alpha1.Invite{}, concerns(kit.serverBeingDeleted), builder.WithPredicates(deletions)).
		WatchesRawSource(kit.Wake.servers.source(serverItself)).
		WithOptions(options(c.MediaServers)).
		Complete(&mediaServerReconciler{kit})
}

func setupLibraries(mgr ctrl.Manager, kit *Kit, c Concurrency, prefix string) error {
	return ctrl.NewControllerManagedBy(mgr).Named(prefix+"library").
		For(&v1alpha1.Library{}, builder.WithPredicates(changedByOthers)).
		Watches(&v1alpha1.Library{}, handler.EnqueueRequestsFromMapFunc(kit.librariesBeside), builder.WithPredicates(deletions)).
		Watches(&v1alpha1.User{}, follow(membersFollowAfter, followedAtLeast, kit.librariesBeside), builder.WithPredicates(whatOthersDependOn)).
		WatchesRawSource(kit.Wake.libraries.source(kit.librariesOfServer)).
		WithOptions(options(c.Libraries)).
		Complete(&libraryReconciler{kit})
}

func setupUsers(mgr ctrl.Manager, kit *Kit, c Concurrency, prefix string) error {
	concerns := handler.EnqueueRequestsFromMapFunc
	return ctrl.NewControllerManagedBy(mgr).Named(prefix+"user").
		For(&v1alpha1.User{}, builder.WithPredicates(changedByOthers)).
		Watches(&v1alpha1.User{}, concerns(kit.usersOfClaim), builder.WithPredicates(deletions)).
		Watches(&v1alpha1.LibraryGrant{}, concerns(kit.usersOfGrant), builder.WithPredicates(specOnly)).
		Watches(&v1alpha1.Redemption{}, concerns(userOfRedemption), builder.WithPredicates(specOrAccount)).
		Watches(&v1alpha1.Library{}, follow(usersFollowAfter, usersFollowAtLeast, kit.usersOfLibrary), builder.WithPredicates(idOrSelection)).
		WatchesMetadata(&corev1.Secret{}, concerns(kit.usersOfSecret), builder.WithPredicates(notOwnCredentials)).
		WatchesRawSource(kit.Wake.users.source(kit.usersOfServer)).
		WithOptions(options(c.Users)).
		Complete(&userReconciler{Kit: kit, brake: &brake{}})
}

func setupLibraryGrants(mgr ctrl.Manager, kit *Kit, c Concurrency, prefix string) error {
	return ctrl.NewControllerManagedBy(mgr).Named(prefix+"librarygrant").
		For(&v1alpha1.LibraryGrant{}, builder.WithPredicates(changedByOthers)).
		Watches(&v1alpha1.User{}, follow(grantsFollowAfter, followedAtLeast, kit.grantsTaking), builder.WithPredicates(whatOthersDependOn)).
		Watches(&v1alpha1.Library{}, follow(grantsFollowAfter, followedAtLeast, kit.grantsTaking), builder.WithPredicates(whatOthersDependOn)).
		WatchesRawSource(kit.Wake.grants.source(kit.grantsOfServer)).
		WithOptions(options(c.LibraryGrants)).
		Complete(&libraryGrantReconciler{kit})
}

func setupInvites(mgr ctrl.Manager, kit *Kit, c Concurrency, prefix string) error {
	concerns := handler.EnqueueRequestsFromMapFunc
	return ctrl.NewControllerManagedBy(mgr).Named(prefix+"invite").
		For(&v1alpha1.Invite{}, builder.WithPredicates(changedByOthers)).
		Watches(&v1alpha1.Redemption{}, concerns(inviteOfRedemption)).
		Watches(&v1alpha1.Library{}, concerns(kit.invitesBeside), builder.WithPredicates(idOrSelection)).
		WatchesMetadata(&corev1.Secret{}, concerns(inviteOfSecret)).
		WatchesRawSource(kit.Wake.invites.source(kit.invitesOfServer)).
		WithOptions(options(c.Invites)).
		Complete(&inviteReconciler{Kit: kit})
}

// options: the library's own rate limiter would retry a media server after 5 ms, and a healed one after 16 minutes.
func options(concurrent int) controller.Options {
	return controller.Options{
		MaxConcurrentReconciles: concurrent,
		ReconciliationTimeout:   reconcileTimeout,
		RateLimiter:             workqueue.NewTypedItemExponentialFailureRateLimiter[reconcile.Request](time.Second, 5*time.Minute),
	}
}

// follow enqueues what a change concerns after a while, so that a burst of changes is followed once; ever more rarely
// while the changes go on.
func follow(delay, atLeast time.Duration, concerns handler.MapFunc) handler.EventHandler {
	pace := newPace[reconcile.Request](delay, atLeast)
	add := func(ctx context.Context, q workqueue.TypedRateLimitingInterface[reconcile.Request], objects ...client.Object) {
		for _, object := range objects {
			for _, request := range concerns(ctx, object) {
				enqueue(q, pace.next(request, time.Now()), handler.LowPriority, []reconcile.Request{request})
			}
		}
	}
	return handler.Funcs{
		CreateFunc: func(ctx context.Context, e event.CreateEvent, q workqueue.TypedRateLimitingInterface[reconcile.Request]) {
			add(ctx, q, e.Object)
		},
		UpdateFunc: func(ctx context.Context, e event.UpdateEvent, q workqueue.TypedRateLimitingInterface[reconcile.Request]) {
			add(ctx, q, e.ObjectOld, e.ObjectNew)
		},
		DeleteFunc: func(ctx context.Context, e event.DeleteEvent, q workqueue.TypedRateLimitingInterface[reconcile.Request]) {
			add(ctx, q, e.Object)
		},
	}
}

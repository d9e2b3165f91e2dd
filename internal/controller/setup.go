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
)

const (
	// reconcileTimeout bounds one reconcile.
	reconcileTimeout = 2 * time.Minute
	// lookAgainAfter keeps demands for a fresh look at a server apart.
	lookAgainAfter = time.Second
	// edgesFollowedAtLatest and membersFollowedAtLatest is when a derived status is computed anew though what it derives
	// from goes on changing.
	edgesFollowedAtLatest, membersFollowedAtLatest = 5 * time.Second, 10 * time.Second
	// usersFollowAfter and usersFollowAtLatest gather Libraries that become known one after the other.
	usersFollowAfter, usersFollowAtLatest = 100 * time.Millisecond, 2 * time.Second
	// plansFollowAfter and plansFollowedAtLatest gather the plans of objects before their MediaServer counts them.
	plansFollowAfter, plansFollowedAtLatest = time.Second, 5 * time.Second
	// grantsTogether is how far apart LibraryGrants may be that are to cost one write to a User's account.
	grantsTogether = 100 * time.Millisecond
	// demandsForgotten is how long after a look that was demanded another demand still counts as the next of a series.
	demandsForgotten = 5 * time.Second
	// grantsFollowAfter and membersFollowAfter gather changes before a derived status is computed anew.
	grantsFollowAfter  = 500 * time.Millisecond
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
	w := kit.wakes("MediaServer")
	return ctrl.NewControllerManagedBy(mgr).Named(prefix+"mediaserver").
		For(&v1alpha1.MediaServer{}, builder.WithPredicates(w.itself(serverChanged))).
		Watches(&v1alpha1.MediaServer{}, w.concerning("MediaServer", kit.mediaServersBeside), builder.WithPredicates(leadsElsewhere)).
		WatchesMetadata(&corev1.Secret{}, w.concerning("Secret", kit.mediaServersOfSecret)).
		Watches(&v1alpha1.User{}, w.shortly("User", lookAgainAfter, kit.serverOf), builder.WithPredicates(askedForALook)).
		Watches(&v1alpha1.Library{}, w.shortly("Library", lookAgainAfter, kit.serverOf), builder.WithPredicates(askedForALook)).
		Watches(&v1alpha1.User{}, w.concerning("User", kit.serverBeingDeleted), builder.WithPredicates(releases)).
		Watches(&v1alpha1.Library{}, w.concerning("Library", kit.serverBeingDeleted), builder.WithPredicates(releases)).
		Watches(&v1alpha1.Invite{}, w.concerning("Invite", kit.serverBeingDeleted), builder.WithPredicates(releases)).
		Watches(&v1alpha1.User{}, w.follow("User", plansFollowAfter, plansFollowedAtLatest, kit.serversBeingDeleted), builder.WithPredicates(braked)).
		Watches(&v1alpha1.User{}, w.follow("User", plansFollowAfter, plansFollowedAtLatest, kit.observedServers), builder.WithPredicates(plansBegunOrDone)).
		Watches(&v1alpha1.Library{}, w.follow("Library", plansFollowAfter, plansFollowedAtLatest, kit.observedServers), builder.WithPredicates(plansBegunOrDone)).
		Watches(&v1alpha1.Invite{}, w.follow("Invite", plansFollowAfter, plansFollowedAtLatest, kit.observedServers), builder.WithPredicates(plansBegunOrDone)).
		WatchesRawSource(kit.Wake.servers.source(w.server(serverItself))).
		WithOptions(options(c.MediaServers)).
		Complete(&mediaServerReconciler{Kit: kit})
}

func setupLibraries(mgr ctrl.Manager, kit *Kit, c Concurrency, prefix string) error {
	w := kit.wakes("Library")
	return ctrl.NewControllerManagedBy(mgr).Named(prefix+"library").
		For(&v1alpha1.Library{}, builder.WithPredicates(w.itself(changedByOthers))).
		Watches(&v1alpha1.Library{}, w.concerning("Library", kit.librariesBeside), builder.WithPredicates(deletions)).
		Watches(&v1alpha1.User{}, w.follow("User", membersFollowAfter, membersFollowedAtLatest, kit.librariesOfUsers), builder.WithPredicates(whatOthersDependOn)).
		Watches(&v1alpha1.MediaServer{}, w.concerning("MediaServer", of(kit.librariesOfServer)), builder.WithPredicates(asksOtherwise)).
		WatchesRawSource(kit.Wake.libraries.source(w.server(kit.librariesOfServer))).
		WithOptions(options(c.Libraries)).
		Complete(&libraryReconciler{kit})
}

func setupUsers(mgr ctrl.Manager, kit *Kit, c Concurrency, prefix string) error {
	w, r := kit.wakes("User"), &userReconciler{Kit: kit, brake: &brake{}, restores: newRestores()}
	return ctrl.NewControllerManagedBy(mgr).Named(prefix+"user").
		For(&v1alpha1.User{}, builder.WithPredicates(w.itself(changedLater))).
		Watches(&v1alpha1.User{}, w.created(r.firstLook)).
		Watches(&v1alpha1.User{}, handler.Funcs{DeleteFunc: r.vanished}).
		Watches(&v1alpha1.User{}, w.concerning("User", kit.usersOfClaim), builder.WithPredicates(deletions)).
		Watches(&v1alpha1.LibraryGrant{}, w.shortly("LibraryGrant", grantsTogether, kit.usersOfGrant), builder.WithPredicates(specOnly)).
		Watches(&v1alpha1.Redemption{}, w.concerning("Redemption", userOfRedemption), builder.WithPredicates(specOrAccount)).
		Watches(&v1alpha1.Library{}, w.follow("Library", usersFollowAfter, usersFollowAtLatest, r.usersOfLibraries), builder.WithPredicates(idOrSelection)).
		Watches(&v1alpha1.MediaServer{}, w.concerning("MediaServer", of(kit.usersOfServer)), builder.WithPredicates(asksOtherwise)).
		WatchesMetadata(&corev1.Secret{}, w.concerning("Secret", kit.usersOfSecret)).
		WatchesMetadata(&corev1.Secret{}, w.concerning("Secret", userKeeping), builder.WithPredicates(notItsOwn)).
		WatchesRawSource(kit.Wake.users.sourceWith(w.server(kit.usersOfServer), r.isHeldUp)).
		WatchesRawSource(r.deadlines.source()).
		WithOptions(options(c.Users)).
		Complete(r)
}

func setupLibraryGrants(mgr ctrl.Manager, kit *Kit, c Concurrency, prefix string) error {
	w := kit.wakes("LibraryGrant")
	return ctrl.NewControllerManagedBy(mgr).Named(prefix+"librarygrant").
		For(&v1alpha1.LibraryGrant{}, builder.WithPredicates(w.itself(changedByOthers))).
		Watches(&v1alpha1.User{}, w.follow("User", grantsFollowAfter, edgesFollowedAtLatest, kit.grantsTaking), builder.WithPredicates(whatOthersDependOn)).
		Watches(&v1alpha1.Library{}, w.follow("Library", grantsFollowAfter, edgesFollowedAtLatest, kit.grantsTaking), builder.WithPredicates(whatOthersDependOn)).
		WatchesRawSource(kit.Wake.grants.source(w.server(kit.grantsOfServer))).
		WithOptions(options(c.LibraryGrants)).
		Complete(&libraryGrantReconciler{kit})
}

func setupInvites(mgr ctrl.Manager, kit *Kit, c Concurrency, prefix string) error {
	w, r := kit.wakes("Invite"), &inviteReconciler{Kit: kit}
	return ctrl.NewControllerManagedBy(mgr).Named(prefix+"invite").
		For(&v1alpha1.Invite{}, builder.WithPredicates(w.itself(changedByOthers))).
		Watches(&v1alpha1.Redemption{}, w.concerning("Redemption", inviteOfRedemption)).
		Watches(&v1alpha1.Library{}, w.concerning("Library", kit.invitesBeside), builder.WithPredicates(idOrSelection)).
		WatchesMetadata(&corev1.Secret{}, w.concerning("Secret", inviteOfSecret)).
		WatchesRawSource(kit.Wake.invites.source(w.server(kit.invitesOfServer))).
		WatchesRawSource(r.deadlines.source()).
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

package controller

import (
	"context"
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"strings"
	"sync"
	"time"

	"golang.org/x/time/rate"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/usher-media/usher/api/v1alpha1"
)

// How many passwords and links of a server an accepted key makes anew: a few at once, and then one after the other, so that
// it can be stopped.
const (
	renewalsAtOnce = 5
	renewalsEvery  = 10 * time.Second
)

// renewals spreads over time what an accepted key makes anew, by server.
type renewals struct {
	mu       sync.Mutex
	byServer map[string]*turns
}

// turns are those of one server: when the last of those that wait comes back, and when each of them does.
type turns struct {
	limiter  *rate.Limiter
	last     time.Time
	due      map[types.UID]time.Time
	forgetAt int
}

// wait says how long another renewal of an object has to wait; zero when it may be done now, and then counts it. Those that wait
// come back one after the other, and after safetyPoll at the latest: however many they are, few come back in vain. Whoever asks
// before its turn keeps it.
func (r *renewals) wait(server string, object types.UID, now time.Time) time.Duration {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.byServer == nil {
		r.byServer = map[string]*turns{}
	}
	t := r.byServer[server]
	if t == nil {
		t = &turns{limiter: rate.NewLimiter(rate.Every(renewalsEvery), renewalsAtOnce), due: map[types.UID]time.Time{}}
		r.byServer[server] = t
	}
	if due, waits := t.due[object]; waits && now.Before(due) {
		return due.Sub(now)
	}
	delete(t.due, object)
	if t.limiter.AllowN(now, 1) {
		return 0
	}
	wait := t.next(now)
	t.note(object, now.Add(wait), now)
	return wait
}

// next hands out the next turn.
func (t *turns) next(now time.Time) time.Duration {
	next := t.last.Add(renewalsEvery)
	if earliest := now.Add(renewalsEvery); next.Before(earliest) {
		next = earliest
	}
	if latest := now.Add(safetyPoll); next.After(latest) {
		return safetyPoll - time.Duration(rand.Int64N(int64(safetyPoll/2)))
	}
	t.last = next
	return next.Sub(now)
}

// note keeps a turn, and forgets those that nobody came back for.
func (t *turns) note(object types.UID, due, now time.Time) {
	if len(t.due) >= t.forgetAt {
		maps.DeleteFunc(t.due, func(_ types.UID, at time.Time) bool { return now.Sub(at) > safetyPoll })
		t.forgetAt = max(1024, 2*len(t.due))
	}
	t.due[object] = due
}

// keyAccepted says whether a person wants what was made with another key to be made anew with the present one.
func (k *Kit) keyAccepted(server *v1alpha1.MediaServer) bool {
	return server.Annotations[v1alpha1.AnnotationAcceptedKey] == k.Keyring.ID()
}

// madeWithAnother indexes objects of a server by that their passwords or codes were made with another key.
func (k *Kit) madeWithAnother(o client.Object) []string {
	r := parseRecord(o)
	if r.KeyID == "" || r.KeyID == k.Keyring.ID() {
		return nil
	}
	if _, is := o.(*v1alpha1.Invite); is && r.CodeHash == "" {
		return nil
	}
	if user, is := o.(*v1alpha1.User); is && (chosenByHolder(user) || (r.Password == "" && !r.open())) {
		return nil // nothing that matters now was made with it
	}
	return serverNamesOf(o)
}

// madeBefore lists the objects of a server whose passwords or codes were made with another key.
func (k *Kit) madeBefore(ctx context.Context, server *v1alpha1.MediaServer) (users v1alpha1.UserList, invites v1alpha1.InviteList, err error) {
	options := []client.ListOption{client.InNamespace(server.Namespace), client.MatchingFields{indexAnotherKey: server.Name}, client.UnsafeDisableDeepCopy}
	if err = k.Client.List(ctx, &users, options...); err == nil {
		err = k.Client.List(ctx, &invites, options...)
	}
	return users, invites, err
}

// tellOfAnotherKey says on a MediaServer what was made with another key of the operator's, and what can be done about it.
func (r *mediaServerReconciler) tellOfAnotherKey(ctx context.Context, server *v1alpha1.MediaServer, status *v1alpha1.MediaServerStatus) error {
	users, invites, err := r.madeBefore(ctx, server)
	if err != nil {
		return err
	}
	keys := map[string]bool{}
	for i := range users.Items {
		keys[parseRecord(&users.Items[i]).KeyID] = true
	}
	for i := range invites.Items {
		keys[parseRecord(&invites.Items[i]).KeyID] = true
	}
	before := meta.FindStatusCondition(*status.Conditions.Meta(), v1alpha1.ConditionAnotherKey)
	if len(keys) == 0 {
		removeCondition(status.Conditions.Meta(), v1alpha1.ConditionAnotherKey)
		return nil
	}
	others := slices.Sorted(maps.Keys(keys))
	made := fmt.Sprintf("the passwords of %d Users and the links of %d Invites were made with another key of Usher's (%s; the present one is %s)",
		len(users.Items), len(invites.Items), strings.Join(others[:min(len(others), 5)], ", "), r.Keyring.ID())
	condition := metav1.Condition{
		Type: v1alpha1.ConditionAnotherKey, Status: metav1.ConditionTrue, Reason: v1alpha1.ReasonKeyChanged, ObservedGeneration: server.Generation,
		Message: made + fmt.Sprintf(". Usher leaves them as they are. Bring the former key back (Secret %s), or set the annotation %s to %q: then they are made anew, a few at a time", KeySecretName, v1alpha1.AnnotationAcceptedKey, r.Keyring.ID()),
	}
	if r.keyAccepted(server) {
		condition.Reason = v1alpha1.ReasonKeyAccepted
		condition.Message = made + fmt.Sprintf(", and are being made anew, a few at a time: remove the annotation %s to stop that", v1alpha1.AnnotationAcceptedKey)
	}
	setCondition(status.Conditions.Meta(), condition, r.Clock.Now())
	if before == nil {
		r.warn(server, condition.Reason, "Key", "%s", bounded(condition.Message, 1000))
	}
	return nil
}

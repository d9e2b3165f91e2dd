package faults

import (
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/usher-media/usher/api/v1alpha1"
	"github.com/usher-media/usher/internal/controller"
)

// rebuilds are what goes and comes back as a whole: the manifests, the cluster, the operator's key, the server's database.
func rebuilds(user string, number int) []operation {
	return []operation{
		{named("prune and apply again (%d)", number), func(h *house) { h.prune(number) }},
		{named("restore the cluster (%d)", number), func(h *house) { h.restoreCluster(number) }},
		{"lose the key, or bring it back", func(h *house) { h.otherKey() }},
		{"accept the key", func(h *house) { h.acceptKey() }},
		{"by hand: back up the server", func(h *house) {
			if on, ok := h.system.(restorable); ok {
				h.backups = append(h.backups, on.backup())
			}
		}},
		{named("by hand: restore the server (%d)", number), func(h *house) { h.restoreServer(number) }},
		{named("decide whose account %s has (%d)", user, number), func(h *house) { h.decide(user, number) }},
		{named("by hand: %s chooses a password (%d)", user, number), func(h *house) {
			if on := h.memory(); on != nil {
				h.oracle.chooses(on, user, fmt.Sprintf("what %s chose %d", user, number))
			}
		}},
	}
}

// memory is the server in memory; nil where there is none.
func (h *house) memory() *memorySystem {
	switch on := h.system.(type) {
	case *memorySystem:
		return on
	case *linkedSystem:
		return on.memorySystem
	}
	return nil
}

// restorable is a server whose database can be put back.
type restorable interface{ backup() (restore func()) }

func (m *memorySystem) backup() func() { return m.store.Backup() }

// restoreServer puts the server back to one of its backups: to an older one, and from there to a newer one as well.
func (h *house) restoreServer(number int) {
	if len(h.backups) > 0 {
		h.oracle.byHand(func(system) { h.backups[number%len(h.backups)]() })
		h.oracle.expectNoPasswords()
	}
}

// prune deletes the MediaServer and most of the rest, in any order, and applies all of it again, as from Git: without what
// Usher recorded. The operator hears of the deletions when all are done, so that it does not depend on how long they take.
// Nobody loses anything by it: applied again while the operator runs, what is made first is no reason to take what comes
// later, but that cannot be known; so that is done with the operator stopped, or nothing is expected.
func (h *house) prune(number int) {
	h.t.Helper()
	order := rand.New(rand.NewPCG(uint64(number), 0))
	objects := slices.DeleteFunc(h.objects(), func(o withStatus) bool { return !o.GetDeletionTimestamp().IsZero() })
	order.Shuffle(len(objects), func(i, j int) { objects[i], objects[j] = objects[j], objects[i] })
	going := slices.DeleteFunc(objects, func(o withStatus) bool {
		_, server := o.(*v1alpha1.MediaServer)
		return o.GetLabels()[v1alpha1.LabelRedemption] != "" || (!server && order.IntN(4) == 0) // Git has nobody who came by a link
	})
	h.oracle.takingNothing(func() {
		dead := number%2 == 0
		if dead {
			h.kill()
		} else {
			h.informers.hold()
		}
		for _, object := range going {
			h.delete(object)
		}
		if dead {
			h.start()
		} else {
			h.informers.release()
		}
		h.healed()
		h.eventually("what is deleted is gone", func() bool {
			return !slices.ContainsFunc(h.objects(), func(o withStatus) bool { return !o.GetDeletionTimestamp().IsZero() })
		})
		if number%3 == 0 {
			h.oracle.expectNothing()
		} else {
			h.kill()
			defer h.start()
		}
		for _, object := range going {
			h.applyAgain(object)
		}
	})
}

// applyAgain makes an object as Git has it. The accounts and libraries that are there are to be taken over.
func (h *house) applyAgain(object withStatus) {
	h.t.Helper()
	if object.GetName() == "twin" { // of two that are made at once, nobody knows which is the younger
		return
	}
	withoutRecord(object)
	h.oracle.another(object)
	if user, is := object.(*v1alpha1.User); is {
		user.Spec.AdoptionPolicy = v1alpha1.AccountAdoptionAlways
		h.oracle.expectNoPasswordOfTheShut(user.Spec.Username)
	}
	h.put(asNew(object))
}

// restoreCluster makes every object anew, with what a backup has of it, with or without statuses and Secrets.
func (h *house) restoreCluster(number int) {
	h.t.Helper()
	h.oracle.takingNothing(func() {
		h.kill()
		h.comesBack(number%2 == 0)
		if number%3 == 0 {
			h.deleteSecrets("-credentials")
		}
		h.start()
	})
}

// otherKey takes the operator's key away, so that it makes another, or puts the first one back.
func (h *house) otherKey() {
	h.t.Helper()
	h.kill()
	defer h.start()
	key := h.operatorKey()
	h.delete(key)
	first := h.firstKey
	if first == nil {
		h.firstKey = key.Data
		return
	}
	h.firstKey = nil
	if err := h.client.Create(h.t.Context(), &corev1.Secret{ObjectMeta: h.meta(controller.KeySecretName), Data: first}); err != nil {
		h.t.Fatal(err)
	}
	server := h.mediaServer()
	_ = h.client.Get(h.t.Context(), client.ObjectKeyFromObject(server), server)
	if server.Annotations[v1alpha1.AnnotationAcceptedKey] == h.keyID(first["key"]) { // from an earlier time, and accepted still
		h.oracle.expectChosenPasswordsAlone()
	}
}

// keyID is how the operator names a key.
func (h *house) keyID(key []byte) string {
	h.t.Helper()
	keys, err := controller.NewKeyring(key)
	if err != nil {
		h.t.Fatal(err)
	}
	return keys.ID()
}

func (h *house) operatorKey() *corev1.Secret {
	h.t.Helper()
	key := &corev1.Secret{ObjectMeta: h.meta(controller.KeySecretName)}
	if err := h.client.Get(h.t.Context(), client.ObjectKeyFromObject(key), key); err != nil {
		h.t.Fatal(err)
	}
	return key
}

// acceptKey has generated passwords made anew with the present key. One that its holder chose since stays.
func (h *house) acceptKey() {
	h.t.Helper()
	id := h.keyID(h.operatorKey().Data["key"])
	h.restart() // which has renewed nothing yet, and so waits for none
	h.oracle.expectChosenPasswordsAlone()
	edit(h, h.mediaServer(), func(s *v1alpha1.MediaServer) {
		metav1.SetMetaDataAnnotation(&s.ObjectMeta, v1alpha1.AnnotationAcceptedKey, id)
	})
}

// decide answers for a User in doubt: the account that has its name is the one, or the recorded one is to be forgotten.
func (h *house) decide(name string, number int) {
	user := h.user(name)
	on := h.memory()
	if on == nil || h.client.Get(h.t.Context(), client.ObjectKeyFromObject(user), user) != nil {
		return
	}
	var recorded struct{ ID string }
	_ = json.Unmarshal([]byte(user.Annotations[v1alpha1.AnnotationOwned]), &recorded)
	annotation, id := v1alpha1.AnnotationForgetID, recorded.ID
	if account, there := on.store.Account(name); there && number%2 == 0 {
		annotation, id = v1alpha1.AnnotationConfirmID, string(account.ID)
	}
	h.change(h.user(name), func(o client.Object) { o.SetAnnotations(with(o.GetAnnotations(), annotation, id)) })
}

// TestRebuilds plays them by themselves, one after the other.
func TestRebuilds(t *testing.T) {
	t.Parallel()
	for name, bursts := range map[string][][]string{
		"keys": {
			{"by hand: ann chooses"}, {"lose the key"}, {"rotate the password of mia", "create Invite party"}, {"lose the key"},
			{"lose the key", "by hand: gina comes"}, {"accept the key"},
		},
		"clusters": {
			{"by hand: ann chooses", "create Invite party", "by hand: gina comes"}, {"restore the cluster (0)"}, {"restore the cluster (3)", "by hand: gus comes"},
			{"prune and apply again (1)"}, {"prune and apply again (2)"}, {"prune and apply again (3)", "restore the cluster (1)"},
		},
		"backups": {
			{"by hand: back up"}, {"create User zoe", "create Invite party", "by hand: gina comes"}, {"by hand: back up"}, {"delete Invite party"},
			{"by hand: restore the server (0)"}, {"by hand: restore the server (1)"}, {"delete User zoe", "by hand: restore the server (0)"},
		},
		"guests": { // each restore brings somebody back whom no look has seen
			{"create Invite party"}, {"by hand: back up"}, {"by hand: gina comes", "by hand: back up", "by hand: restore the server (0)", "by hand: gus comes"},
			{"by hand: restore the server (1)"}, {"by hand: restore the server (0)"}, {"by hand: restore the server (1)"},
		},
		"rotations": {
			{"by hand: back up"}, {"rotate the password of ann (1)"}, {"rotate the password of ann (2)"}, {"by hand: restore the server (0)"}, {"rotate the password of ann (3)"},
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			h := lively(t, newTelling())
			for _, burst := range bursts {
				var operations []operation
				for _, name := range burst {
					operations = append(operations, called(t, name))
				}
				h.play(operations)
			}
		})
	}
}

// called finds an operation by how its name begins.
func called(t *testing.T, name string) operation {
	t.Helper()
	for _, user := range userNames {
		for number := range 6 {
			all := slices.Concat(rebuilds(user, number), invitations(number), manifestChanges(user, "movies", "more", number, "shows", "*"))
			if i := slices.IndexFunc(all, func(o operation) bool { return strings.HasPrefix(o.name, name) }); i >= 0 {
				return all[i]
			}
		}
	}
	t.Fatalf("there is no operation %q", name)
	return operation{}
}

package faults

import (
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/usher-media/usher/api/v1alpha1"
	"github.com/usher-media/usher/internal/media"
)

// scenario is something that people do, at each write of which a fault can strike.
type scenario struct {
	name string
	// quick: part of every test run; quickShisho: also on Shisho.
	quick, quickShisho bool
	// changes is how many changes of one account's access act makes, where it is more than one: those that come together
	// cost one write, and others one each.
	changes int
	// prunes: act deletes the MediaServer and what belongs to it, one after the other.
	prunes bool
	// waits: act waits for what the operator does, and so needs events.
	waits bool
	// without takes abilities from the server in memory; a system of another kind leaves such scenarios out.
	without func(*media.Capabilities)
	// needs says what a system of another kind must be able to do.
	needs func(media.Capabilities) bool
	// before is brought to rest before act, at whose writes the faults strike. finally comes after the fault.
	before, act, finally func(h *house)
}

var scenarios = []scenario{
	{
		name: "create a library",
		act:  func(h *house) { h.create(h.library("movies")) },
	},
	{
		name: "create a user", quick: true, quickShisho: true,
		before: func(h *house) { h.create(h.library("movies"), h.grant("all", "*", "*")) },
		act:    func(h *house) { h.create(h.user("ann")) },
	},
	{
		name: "create a user on a server that chooses the ids", quick: true,
		without: func(c *media.Capabilities) { c.ChosenIDs = false },
		before:  func(h *house) { h.create(h.library("movies"), h.grant("all", "*", "*")) },
		act:     func(h *house) { h.create(h.user("ann")) },
	},
	{
		name:   "create disabled",
		before: func(h *house) { h.create(h.library("movies"), h.grant("all", "*", "*")) },
		act: func(h *house) {
			user := h.user("ann")
			user.Spec.Disabled = true
			h.create(user)
		},
	},
	{
		name: "create with a password from a Secret",
		act: func(h *house) {
			h.create(h.secret("ann-password", map[string]string{"password": "correct horse battery"}))
			user := h.user("ann")
			user.Spec.Password = &v1alpha1.Password{SecretRef: &v1alpha1.SecretKeyReference{Name: "ann-password"}}
			h.create(user)
		},
	},
	{
		name: "create disabled with a password from a Secret",
		act: func(h *house) {
			h.create(h.secret("ann-password", map[string]string{"password": "correct horse battery"}))
			user := h.user("ann")
			user.Spec.Disabled = true
			user.Spec.Password = &v1alpha1.Password{SecretRef: &v1alpha1.SecretKeyReference{Name: "ann-password"}}
			h.create(user)
		},
	},
	{
		name: "adopt",
		before: func(h *house) {
			h.oracle.byHand(func(s system) {
				s.addLibrary("Movies")
				s.addAccount("ann", "ann's own password 1")
			})
			h.look()
		},
		act: func(h *house) {
			user := h.user("ann")
			user.Spec.AdoptionPolicy = v1alpha1.AccountAdoptionAlways
			h.create(h.library("movies"), h.grant("all", "*", "*"), user)
		},
	},
	{
		name:   "update",
		before: household,
		act: func(h *house) {
			edit(h, h.library("movies"), func(l *v1alpha1.Library) { l.Spec.DisplayName = "Films" })
			edit(h, h.user("ann"), func(u *v1alpha1.User) { u.Spec.Role = v1alpha1.AccountRoleEditor })
		},
	},
	{
		name: "demote", quick: true,
		needs: func(c media.Capabilities) bool { return c.Roles[media.RoleAdmin].SeesAll },
		before: func(h *house) {
			household(h)
			edit(h, h.user("ann"), func(u *v1alpha1.User) { u.Spec.Role = v1alpha1.AccountRoleAdmin })
			h.quiet()
			h.delete(h.grant("all", "", ""))
		},
		act: func(h *house) {
			edit(h, h.user("ann"), func(u *v1alpha1.User) { u.Spec.Role = v1alpha1.AccountRoleMember })
		},
	},
	{
		name:   "lose a record",
		before: household,
		act: func(h *house) {
			edit(h, h.user("ann"), func(u *v1alpha1.User) {
				delete(u.Annotations, v1alpha1.AnnotationOwned)
				u.Spec.Disabled = true
			})
		},
	},
	{
		name: "grant", changes: 2,
		before: household,
		act: func(h *house) {
			h.create(h.grant("more", "kids,shows", "ann,mia"), h.grant("again", "shows", "*"))
		},
	},
	{
		name: "revoke", quick: true,
		before: household,
		act:    func(h *house) { h.delete(h.grant("all", "", "")) },
	},
	{
		name: "narrow one grant and widen another", changes: 2,
		before: household,
		act: func(h *house) {
			edit(h, h.grant("all", "", ""), func(g *v1alpha1.LibraryGrant) { g.Spec.Users = targets("ann") })
			edit(h, h.grant("kids", "", ""), func(g *v1alpha1.LibraryGrant) { g.Spec.Libraries = targets("kids,shows") })
		},
	},
	{
		name:   "rotate a password",
		before: household,
		act: func(h *house) {
			edit(h, h.user("ann"), func(u *v1alpha1.User) {
				metav1.SetMetaDataAnnotation(&u.ObjectMeta, v1alpha1.AnnotationRotatePassword, "1")
			})
		},
	},
	{
		name: "change the password in a Secret",
		before: func(h *house) {
			h.create(h.secret("ann-password", map[string]string{"password": "correct horse battery"}))
			user := h.user("ann")
			user.Spec.Password = &v1alpha1.Password{SecretRef: &v1alpha1.SecretKeyReference{Name: "ann-password"}}
			h.create(user)
		},
		act: func(h *house) {
			edit(h, &corev1.Secret{ObjectMeta: h.meta("ann-password")}, func(s *corev1.Secret) { s.Data["password"] = []byte("another horse battery") })
		},
	},
	{
		name:   "disable",
		before: household,
		act:    func(h *house) { edit(h, h.user("ann"), func(u *v1alpha1.User) { u.Spec.Disabled = true }) },
	},
	{
		name:   "enable",
		before: func(h *house) { household(h); h.quiet(); disableAnn(h) },
		act:    func(h *house) { edit(h, h.user("ann"), func(u *v1alpha1.User) { u.Spec.Disabled = false }) },
	},
	{
		name: "lock out", without: func(c *media.Capabilities) { c.Disable = false },
		before: household,
		act:    disableAnn,
	},
	{
		name: "unlock", without: func(c *media.Capabilities) { c.Disable = false },
		before: func(h *house) { household(h); h.quiet(); disableAnn(h) },
		act:    func(h *house) { edit(h, h.user("ann"), func(u *v1alpha1.User) { u.Spec.Disabled = false }) },
	},
	{
		name: "take every library", without: func(c *media.Capabilities) { c.Disable, c.LockOut = false, false },
		before: household,
		act:    disableAnn,
	},
	{
		name: "give every library back", without: func(c *media.Capabilities) { c.Disable, c.LockOut = false, false },
		before: func(h *house) { household(h); h.quiet(); disableAnn(h) },
		act:    func(h *house) { edit(h, h.user("ann"), func(u *v1alpha1.User) { u.Spec.Disabled = false }) },
	},
	{
		name:   "an expiry that comes",
		before: household,
		act: func(h *house) {
			at := v1alpha1.NewTime(time.Now().Add(time.Second).Truncate(time.Second))
			edit(h, h.user("ann"), func(u *v1alpha1.User) { u.Spec.ExpiresAt = &at })
		},
	},
	{
		name:   "delete a user",
		before: household,
		act:    func(h *house) { h.delete(h.user("ann")) },
	},
	{
		name:   "delete a user and the account",
		needs:  func(c media.Capabilities) bool { return c.DeleteAccount },
		before: func(h *house) { household(h); deletesAccount(h) },
		act:    func(h *house) { h.delete(h.user("ann")) },
	},
	{
		name:   "delete a library",
		before: household,
		act:    func(h *house) { h.delete(h.library("movies")) },
	},
	{
		name:  "delete a library on the server",
		needs: func(c media.Capabilities) bool { return c.DeleteLibrary },
		before: func(h *house) {
			household(h)
			edit(h, h.library("kids"), func(l *v1alpha1.Library) { l.Spec.DeletionPolicy = v1alpha1.LibraryDeletionDelete })
		},
		act: func(h *house) { h.delete(h.library("kids")) },
	},
	{
		name:   "delete with the server down",
		before: household,
		act: func(h *house) {
			up := h.system.down()
			h.delete(h.user("ann"), h.grant("kids", "", ""))
			h.up = up
		},
		finally: func(h *house) { h.up(); h.look() },
	},
	{
		name: "delete and make again under the same name", waits: true,
		before: household,
		act: func(h *house) {
			h.delete(h.user("ann"))
			h.gone(h.user("ann"))
			again := h.user("ann")
			again.Spec.AdoptionPolicy = v1alpha1.AccountAdoptionIfDisabled
			h.create(again)
		},
	},
	{
		name: "delete everything", changes: 2, prunes: true,
		before: household,
		act: func(h *house) {
			h.delete(&corev1.Secret{ObjectMeta: h.meta(secretName)}, h.mediaServer(), h.grant("all", "", ""), h.grant("kids", "", ""),
				h.library("movies"), h.library("kids"), h.library("shows"), h.user("ann"), h.user("mia"))
		},
		finally: func(h *house) {
			// An operator that has forgotten the credentials cannot do its part without them.
			h.create(h.secret(secretName, h.system.credentials()))
		},
	},
	{
		name:   "repair what somebody changed by hand",
		before: household,
		act: func(h *house) {
			h.oracle.byHand(func(s system) { s.give("mia", "Shows"); s.take("mia", "Kids"); s.setDisabled("ann", true) })
			h.look()
		},
	},
	{
		name:   "promote",
		before: household,
		act: func(h *house) {
			edit(h, h.user("mia"), func(u *v1alpha1.User) { u.Spec.Role = v1alpha1.AccountRoleAdmin })
		},
	},
	{
		name:  "take from an account that was renamed by hand",
		needs: func(c media.Capabilities) bool { return c.ChosenIDs },
		before: func(h *house) {
			household(h)
			h.quiet()
			h.oracle.renamed("ann", "anna")
			h.look()
		},
		act: func(h *house) { h.delete(h.grant("all", "", "")) },
	},
	{
		name:   "a second connection to the same server",
		before: household,
		act: func(h *house) {
			twin := h.mediaServer()
			twin.Name = "twin"
			h.create(twin)
		},
	},
	{
		name:   "an account that somebody deleted by hand",
		before: household,
		act: func(h *house) {
			h.oracle.byHand(func(s system) { s.removeAccount("mia") })
			h.look()
		},
		needs: func(c media.Capabilities) bool { return c.DeleteAccount },
	},
}

// Package redeem admits people by Invites, exactly as often as allowed. A use is one Redemption object, named by the
// Invite's UID and a slot number: creating it is the reservation, and the API server's refusal of a second object of
// that name is the lock (design D5). It is written before anything external happens, and removed only when the account
// is proven absent.
//
// An Engine takes one person through: reserve, declare the User, wait until the User's access is true on the server,
// set the password that the person chose, complete. It keeps nothing between calls: after a crash the person types the
// password again, and the engine goes on where it was. It has no HTML; the invite pages are elsewhere.
package redeem

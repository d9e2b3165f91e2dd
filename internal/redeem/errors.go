package redeem

import "errors"

// What can keep a person out. Each says what to tell the person; none holds a code or a password.
var (
	// ErrUnknown: no such link.
	ErrUnknown = errors.New("this invite does not exist")
	// ErrRevoked: the invite was taken back.
	ErrRevoked = errors.New("this invite has been revoked")
	// ErrExpired: the invite's time is over.
	ErrExpired = errors.New("this invite has expired")
	// ErrExhausted: as many people came as may.
	ErrExhausted = errors.New("this invite has no remaining uses")
	// ErrWrongEmail: the invite is bound to another address.
	ErrWrongEmail = errors.New("this invite is for another email address")
	// ErrUsernameTaken: somebody else has the name. Nothing was used up: another name can be tried.
	ErrUsernameTaken = errors.New("this username is taken")
	// ErrInvalid: what the person typed is not acceptable; the wrapping error says what.
	ErrInvalid = errors.New("this is not acceptable")
	// ErrBusy: somebody is being admitted under this very name at this moment.
	ErrBusy = errors.New("somebody is signing up with this username right now")
	// ErrUnavailable: it could not be finished now. The use stays reserved for this username: the same again, a little
	// later, goes on where this ended.
	ErrUnavailable = errors.New("this could not be finished now: try again in a minute")
)

// errSeveralOffers: nobody is admitted to several servers at once yet.
var errSeveralOffers = errors.New("the invite has several offers, or none")

// errOtherOffers: the use was taken when the Invite offered something else.
var errOtherOffers = errors.New("the use is of another server than the invite offers")

// errBeingUndone: the use is being taken back, by another attempt or by hand.
var errBeingUndone = errors.New("the use is being taken back")

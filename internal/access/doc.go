// Package access holds Usher's rules as pure functions: who sees what, when a grant gives access, what an
// account's state is, whose account it is. No I/O and no clock: time comes in as an argument. It imports
// nothing of ours but the kinds.
package access

// Package portal renders the pages that an invite link opens: what is offered, by whom, forms to register or to sign in
// and accept, and what came of it. It knows no server: whoever serves the pages fills in plain structs, so that the
// same pages stand before any media server.
//
// The pages need neither scripts nor anything from elsewhere, work on a phone, follow the system's choice of dark or
// light, and can be used with a keyboard or a screen reader. They never show a password, not even the one just typed.
package portal

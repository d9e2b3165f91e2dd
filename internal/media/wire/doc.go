// Package wire is the HTTP half that drivers share: it sends one request, reads one bounded answer and gives every
// failure its class (driver rules R2, R3, R12, R13). What differs between servers is in Options: how a token is shown,
// how a session is begun, what an error envelope means.
//
// It never retries, with one exception that cannot do anything twice: after a 401 a Session signs in again and the call
// is sent once more, since a server that answers 401 has done nothing.
//
// It follows no redirect, uses no proxy and dials no address that media.MayDial refuses, so that a URL that somebody was
// allowed to write does not reach what only this process can reach (a cloud's metadata service, above all). Nor does an
// error tell what else is at an address: not reached, not the right server, and a certificate that is not trusted is all
// that there is to learn.
//
// Where the configuration has a Guard, each new connection is asked for the server's identity, and nothing with a token
// and no write goes to another server than the one that is expected.
package wire

// Package importer turns what a media server has into the manifests that declare it: a MediaServer in mode Observe, its
// Libraries and Users, and few LibraryGrants. It is pure: no I/O and no clock.
//
// Plan makes the manifests; Prove computes the effective access from them, as they were read back, and compares it with what the
// server has, for every account. What cannot be declared without a change on the server is left out, with a reason.
package importer

// Package conformance runs the driver suite (drivertest) against a real media server that already has people and
// libraries, and records its answers:
//
//	USHER_USERNAME=owner USHER_PASSWORD=... make conformance DRIVER=embedded URL=http://127.0.0.1:3000
//
// What plugs a driver in is one file here: an init function that calls register. See embedded.go.
//
// The suite sees and touches only what it made itself, under random names and passwords, and takes it away again (see
// drivertest.Harness.Live). It ends with a table of the rules.
package conformance

// Package objects reads Usher's objects of a namespace from the API server, and computes by the operator's own rules
// (internal/access) what they give.
package objects

// Package enqueue decides when objects are reconciled: event handlers that count why, a debouncer for bursts of changes, a keyed
// exponential backoff, an external source for what happens outside Kubernetes, and deadlines for what time alone changes. It
// knows no kind and reads nothing: what a change concerns, the caller says.
package enqueue

// Package memory is a media server in memory, and the driver that speaks to it: for tests of everything above the
// drivers. A Store is the server; any number of drivers can be opened on it, as processes would connect to it.
//
// It keeps the driver rules (drivertest proves them) and can be made worse on purpose: other capabilities and traits,
// calls that fail before or after they were done, calls that wait, edits by hand behind the driver's back. It counts
// every call by operation and keeps a log of the writes, so that a test can say "two access writes" or "no write".
package memory

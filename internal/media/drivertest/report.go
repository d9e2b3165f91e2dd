package drivertest

// Outcome is how a case ended.
type Outcome string

// The outcomes.
const (
	// Passed: the rule holds.
	Passed Outcome = "passed"
	// Unsupported: the server cannot do it, and the driver says so, which is what the case asked for then (R11).
	Unsupported Outcome = "unsupported"
	// Failed: the rule does not hold.
	Failed Outcome = "failed"
	// NotLive: the case is not run on a server that others use.
	NotLive Outcome = "not live"
	// LeftBehind: something that the suite made could not be taken away from a live server.
	LeftBehind Outcome = "left behind"
)

// Result tells of one case.
type Result struct {
	Rule, Case string
	Outcome    Outcome
	// Why it is unsupported or not live, or what was left behind; empty for the rest.
	Why string
}

// lacks notes that the server cannot do what the case is about.
func (f *fixture) lacks(capability string) { f.lacking = "the server has no " + capability }

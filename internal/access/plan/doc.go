// Package plan decides what is to be done to an account of a media server. It is a pure function: the reconciler observes, and
// hands over a Snapshot; For answers with the steps in the order in which they are to be taken, each with its reason. There is
// no I/O here, and no clock.
//
// Mode Observe prints a plan. Drift is a plan with steps for a generation that was in sync. The disruption limit asks
// Plan.LocksOut before the first step.
package plan

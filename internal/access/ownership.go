package access

// Record is what the annotation usher.media/owned says of an object.
type Record string

// The records.
const (
	// RecordNone: nothing was ever made or taken over.
	RecordNone Record = "none"
	// RecordIntent: a creation was announced, and its end not recorded.
	RecordIntent Record = "intent"
	// RecordOwned: this object of the server is ours.
	RecordOwned Record = "owned"
)

// Recorded says what became of the object with the recorded id.
type Recorded string

// What became of the recorded object.
const (
	// RecordedPresent: it is there, and its name is the expected one.
	RecordedPresent Recorded = "present"
	// RecordedRenamed: it is there under another name, and is the same beyond doubt.
	RecordedRenamed Recorded = "renamed"
	// RecordedDoubted: nobody can tell whether what has the id now, or had it, is what was recorded.
	RecordedDoubted Recorded = "doubted"
	// RecordedMissing: the newest listing lacks it.
	RecordedMissing Recorded = "missing"
	// RecordedAbsent: it is missing beyond doubt.
	RecordedAbsent Recorded = "absent"
	// RecordedNone: no id is recorded.
	RecordedNone Recorded = "-"
)

// Named says what the server has under the wanted name, the recorded object not counted.
type Named string

// What the server has under the wanted name.
const (
	// NamedNone: nothing.
	NamedNone Named = "none"
	// NamedAdoptable: exactly one, which the policy lets us take over.
	NamedAdoptable Named = "adoptable"
	// NamedTaken: one that the policy does not let us take over.
	NamedTaken Named = "taken"
	// NamedSeveral: several, so that nobody can say which is meant.
	NamedSeveral Named = "several"
	// NamedOurs: one that is proven to come from our own announced creation.
	NamedOurs Named = "ours"
)

// Action is what ownership allows.
type Action string

// What ownership allows.
const (
	// ActionCreate: announce and create.
	ActionCreate Action = "Create"
	// ActionAdopt: record it as adopted, then manage it.
	ActionAdopt Action = "Adopt"
	// ActionRecord: our creation, whose end was not recorded: record it, then manage it.
	ActionRecord Action = "Record"
	// ActionManage: compare and repair.
	ActionManage Action = "Manage"
	// ActionTake: take what can be undone, and give nothing.
	ActionTake Action = "Take"
	// ActionConflict: a person must decide; touch nothing.
	ActionConflict Action = "Conflict"
	// ActionDoubt: a person must say what the recorded object is; touch nothing.
	ActionDoubt Action = "Doubt"
	// ActionWait: look again before believing it; touch nothing.
	ActionWait Action = "Wait"
)

// OwnershipFacts are what Ownership decides on.
type OwnershipFacts struct {
	Record   Record
	Recorded Recorded
	Named    Named
	// Settled: a complete listing was begun after everything that an open intent may have sent was answered.
	// True where there is no intent.
	Settled bool
	// MayCreate: the manifest allows making a new one (an Owner, or a library without paths, is only taken over).
	MayCreate bool
}

// Ownership decides whose an object of the server is (design D3). The whole truth table is in
// testdata/ownership.golden.
func Ownership(f OwnershipFacts) Action {
	switch {
	case f.Record == RecordOwned && f.Recorded == RecordedPresent:
		return ActionManage
	case f.Record == RecordOwned && f.Recorded == RecordedRenamed:
		return ActionTake
	case f.Record == RecordOwned && f.Recorded == RecordedDoubted:
		return ActionDoubt
	case f.Record == RecordOwned && f.Recorded == RecordedMissing:
		return ActionWait
	case f.Record == RecordIntent && f.Named == NamedOurs:
		return ActionRecord
	case f.Record == RecordIntent && !f.Settled:
		return ActionWait
	}
	return byName(f)
}

func byName(f OwnershipFacts) Action {
	switch f.Named {
	case NamedAdoptable:
		return ActionAdopt
	case NamedTaken, NamedSeveral, NamedOurs:
		return ActionConflict
	}
	if f.MayCreate {
		return ActionCreate
	}
	return ActionConflict
}

package access

// Likeness is what speaks for and against that what a server has under a recorded id, and under another name than was
// recorded, is still the recorded one (design D3).
type Likeness struct {
	// NeverReused: the server never gives an id to another object.
	NeverReused bool
	// Agrees: one more witness does (the email address, the time of creation, the password on record). Differs: the time of
	// creation is another.
	Agrees, Differs bool
	// Claimed: another manifest stands for it.
	Claimed bool
	// Together: others changed at the same look, as after a restore.
	Together bool
	// Confirmed: a person said that it is the same.
	Confirmed bool
}

// Same decides whether a renamed object is the recorded one: nobody else's, and by a person's word or by its witnesses.
// The whole truth table is in testdata/likeness.golden.
func (l Likeness) Same() bool {
	switch {
	case l.Claimed:
		return false
	case l.Confirmed:
		return true
	}
	return !l.Together && (l.NeverReused || (l.Agrees && !l.Differs))
}

package rules

import "errors"

// ErrForbidden says that the account's role does not allow this at all.
var ErrForbidden = errors.New("forbidden")

// Denial says that somebody is not allowed something, in words meant for them.
type Denial struct{ Message string }

// Error returns the words.
func (d *Denial) Error() string { return d.Message }

// Refusal says that a request is understood and allowed in general but breaks a rule that no role can break.
type Refusal struct{ Message string }

// Error returns the words, which are meant for whoever asked.
func (r *Refusal) Error() string { return r.Message }

// Problem is one field of a request that is not acceptable.
type Problem struct {
	// Path names the field as the request does, for example "access.libraries[2].libraryId".
	Path string
	// Message says what to write instead. It never repeats the value.
	Message string
}

// Invalid says which fields of a request are not acceptable. It is never empty.
type Invalid struct{ Problems []Problem }

// Error names the first problem.
func (i *Invalid) Error() string {
	return i.Problems[0].Path + ": " + i.Problems[0].Message
}

// Check collects problems with the fields of one request.
type Check struct{ problems []Problem }

// Field notes a problem with the field at path, unless message is empty.
func (c *Check) Field(path, message string) {
	if message != "" {
		c.problems = append(c.problems, Problem{Path: path, Message: message})
	}
}

// Err returns nil, or an *Invalid with every noted problem in the order of noting.
func (c *Check) Err() error {
	if len(c.problems) == 0 {
		return nil
	}
	return &Invalid{Problems: c.problems}
}

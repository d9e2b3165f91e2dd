package memory

import (
	"slices"
	"sync"

	"github.com/usher-media/usher/internal/media"
)

// Op is an operation of a driver: the name of its method.
type Op string

// The operations. Any stands for all of them in hooks.
const (
	Any             Op = ""
	Probe           Op = "Probe"
	Identity        Op = "Identity"
	List            Op = "List"
	Account         Op = "Account"
	CreateAccount   Op = "CreateAccount"
	UpdateAccount   Op = "UpdateAccount"
	SetAccess       Op = "SetAccess"
	SetPassword     Op = "SetPassword"
	SetDisabled     Op = "SetDisabled"
	DeleteAccount   Op = "DeleteAccount"
	Library         Op = "Library"
	Libraries       Op = "Libraries"
	CreateLibrary   Op = "CreateLibrary"
	UpdateLibrary   Op = "UpdateLibrary"
	DeleteLibrary   Op = "DeleteLibrary"
	Bootstrap       Op = "Bootstrap"
	SetRegistration Op = "SetRegistration"
	Authenticate    Op = "Authenticate"
)

// Writes says whether the operation changes something that lasts.
func (o Op) Writes() bool {
	return !slices.Contains([]Op{Probe, Identity, List, Account, Library, Libraries, Authenticate}, o)
}

// Call is one call of a driver. It holds no password.
type Call struct {
	Op Op
	// Account and Library that the call is about, where it has one. A create fills it in when it is done.
	Account media.AccountID
	Library media.LibraryID
	// Name is the username or the library's name, in a create or an Authenticate.
	Name string
	// Access that CreateAccount and SetAccess want.
	Access media.Access
	// Disabled that SetDisabled wants.
	Disabled bool
	// Fields that an update names, sorted.
	Fields []string
	// Applied says whether the server did it, whatever the caller was told. Set when the call has ended.
	Applied bool
	// Code of the error that the caller got; empty for none. Set when the call has ended.
	Code media.Code
}

// callLog counts calls and runs hooks.
type callLog struct {
	mu       sync.Mutex
	counts   map[Op]int
	writes   []Call
	underWay int
	peak     int
	hooks    []*hook
}

func (l *callLog) begin(op Op) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.counts == nil {
		l.counts = map[Op]int{}
	}
	l.counts[op]++
	l.underWay++
	l.peak = max(l.peak, l.underWay)
}

func (l *callLog) end(call Call) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.underWay--
	if call.Op.Writes() {
		l.writes = append(l.writes, call)
	}
}

// Count returns how many calls of the operation have begun since the last ResetCalls, failed ones included; of Any, all.
func (s *Store) Count(op Op) int {
	s.calls.mu.Lock()
	defer s.calls.mu.Unlock()
	if op != Any {
		return s.calls.counts[op]
	}
	sum := 0
	for _, n := range s.calls.counts {
		sum += n
	}
	return sum
}

// Counts returns the same by operation; operations that were not called are absent.
func (s *Store) Counts() map[Op]int {
	s.calls.mu.Lock()
	defer s.calls.mu.Unlock()
	counts := make(map[Op]int, len(s.calls.counts))
	for op, n := range s.calls.counts {
		counts[op] = n
	}
	return counts
}

// WriteCount returns how many calls that write have begun since the last ResetCalls, failed ones included.
func (s *Store) WriteCount() int {
	sum := 0
	for op, n := range s.Counts() {
		if op.Writes() {
			sum += n
		}
	}
	return sum
}

// Writes returns the calls that write and have ended since the last ResetCalls, in the order of ending; with
// operations, only those.
func (s *Store) Writes(ops ...Op) []Call {
	s.calls.mu.Lock()
	defer s.calls.mu.Unlock()
	return slices.DeleteFunc(slices.Clone(s.calls.writes), func(c Call) bool {
		return len(ops) > 0 && !slices.Contains(ops, c.Op)
	})
}

// Peak returns how many calls were under way at once, at most, since the last ResetCalls.
func (s *Store) Peak() int {
	s.calls.mu.Lock()
	defer s.calls.mu.Unlock()
	return s.calls.peak
}

// ResetCalls sets all counts to zero and empties the log of writes. Hooks stay.
func (s *Store) ResetCalls() {
	s.calls.mu.Lock()
	defer s.calls.mu.Unlock()
	s.calls.counts, s.calls.writes, s.calls.peak = nil, nil, s.calls.underWay
}

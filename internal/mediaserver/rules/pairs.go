package rules

import (
	"cmp"
	"regexp"
	"slices"
)

// Resource is what a permission of a custom role is about: a row of the Shisho seed's table (lines 13 to 21). Every item,
// whatever it is, counts among the books.
type Resource string

// Operation is what may be done to a resource.
type Operation string

// The resources and operations of the Shisho seed.
const (
	Libraries Resource = "libraries"
	Books     Resource = "books"
	Series    Resource = "series"
	People    Resource = "people"
	Users     Resource = "users"
	Jobs      Resource = "jobs"
	Settings  Resource = "config"

	Read  Operation = "read"
	Write Operation = "write"
)

// Resources lists every resource in the order of the seed. The caller owns the slice.
func Resources() []Resource {
	return []Resource{Libraries, Books, Series, People, Users, Jobs, Settings}
}

// Pair is one thing that a role may do.
type Pair struct {
	Resource  Resource  `json:"resource" enum:"libraries,books,series,people,users,jobs,config"`
	Operation Operation `json:"operation" enum:"read,write"`
}

// granted says which capabilities a pair gives. What is in none of them (making and deleting libraries, seeing all of
// them, the audit log, the server itself) takes a built-in role.
var granted = map[Pair][]Capability{
	{Libraries, Read}:  {BrowseMedia},
	{Libraries, Write}: {EditLibraries},
	{Books, Read}:      {ReadBooks},
	{Books, Write}:     {ManageMetadata},
	{Series, Read}:     {ReadSeries},
	{Series, Write}:    {EditSeries},
	{People, Read}:     {ReadPeople},
	{People, Write}:    {EditPeople},
	{Users, Read}:      {ViewUsers},
	{Users, Write}:     {InviteUsers, ManageUsers, AssignRoles, RemoveUsers, ShareLibraries},
	{Jobs, Read}:       {ViewJobs},
	{Jobs, Write}:      {ScanLibraries},
	{Settings, Read}:   {ViewSettings},
	{Settings, Write}:  {ManageSettings},
}

// Pairs lists what the built-in role may do, in the words of the Shisho seed.
func (r Role) Pairs() []Pair {
	var pairs []Pair
	for _, resource := range Resources() {
		for _, operation := range []Operation{Read, Write} {
			pair := Pair{resource, operation}
			if Can(r, granted[pair][0]) {
				pairs = append(pairs, pair)
			}
		}
	}
	return pairs
}

// CheckPairs notes what is wrong with the pairs of a custom role: unknown words, repetitions, and writing without
// reading. It returns them in the order of the seed.
func CheckPairs(check *Check, pairs []Pair) []Pair {
	seen := make(map[Pair]bool, len(pairs))
	for _, pair := range pairs {
		switch {
		case granted[pair] == nil:
			check.Field("permissions", "must be pairs of a known resource and read or write")
		case seen[pair]:
			check.Field("permissions", "names a pair for the second time")
		}
		seen[pair] = true
	}
	for _, pair := range pairs {
		if pair.Operation == Write && !seen[Pair{pair.Resource, Read}] {
			check.Field("permissions", "must include reading what may be written")
			break
		}
	}
	sorted := slices.Clone(pairs)
	slices.SortFunc(sorted, func(a, b Pair) int {
		byResource := cmp.Compare(slices.Index(Resources(), a.Resource), slices.Index(Resources(), b.Resource))
		return cmp.Or(byResource, cmp.Compare(a.Operation, b.Operation))
	})
	return sorted
}

// MaxRoleName is how many characters the name of a custom role may have.
const MaxRoleName = 64

var roleName = regexp.MustCompile(`^[A-Za-z0-9]([A-Za-z0-9 ._-]*[A-Za-z0-9])?$`)

// CheckRoleName says what is wrong with the name of a custom role, or "". The built-in roles' names are theirs in any
// letter case, and so is "viewer", which the Shisho seed calls members. Letters of other scripts look like those of a built-in
// role's name, and the role of a User in Kubernetes could not name them.
func CheckRoleName(s string) string {
	if message := line(s, 1, MaxRoleName); message != "" {
		return message
	}
	if !roleName.MatchString(s) {
		return "must have letters (a to z), digits, spaces, dots, dashes and underscores only, and begin and end with a letter or digit"
	}
	folded := Fold(s)
	if Role(folded).Valid() || folded == string(Viewer) {
		return "is the name of a built-in role"
	}
	return ""
}

// Custom is a role of the server's own as somebody has it.
type Custom struct {
	ID, Name string
	Pairs    []Pair
}

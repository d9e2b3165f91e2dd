// Package household is the people and the libraries of config/samples, and who sees what; and how to ask the media server.
package household

// Person is somebody of the household, and what they should see. This is written down by hand, beside the manifests,
// so that the proof does not repeat their mistakes.
type Person struct {
	// Name of the account.
	Name string
	// Secret holds the person's password.
	Secret string
	// Sees holds the names of libraries as the media server knows them.
	Sees []string
}

// The names of the libraries, as the media server knows them.
const (
	Movies     = "Movies"
	TV         = "TV Shows"
	KidsMovies = "Kids Movies"
	Anime      = "Anime"
)

// Libraries are all of them.
var Libraries = []string{Movies, TV, KidsMovies, Anime}

// People of the household; the first is the owner, whose account was there before.
var People = []Person{
	{"alice", "home-admin", Libraries},                                  // the owner
	{"bob", "bob-credentials", Libraries},                               // an admin
	{"carol", "carol-credentials", []string{Movies, TV, KidsMovies}},    // family
	{"dave", "dave-credentials", []string{Movies, TV, Anime}},           // a friend who likes Anime
	{"mia", "mia-credentials", []string{Movies, TV, KidsMovies, Anime}}, // a kid who likes Anime
	{"leo", "leo-credentials", []string{Movies, TV, KidsMovies}},        // a kid
	{"grace", "grace-credentials", []string{Movies, TV}},                // a guest
}

package main

// person is somebody of the household, and what they should see. This is written down by hand, beside the manifests,
// so that the proof does not repeat their mistakes.
type person struct {
	name string
	// secret holds the person's password.
	secret string
	// sees holds the names of libraries as the media server knows them.
	sees []string
}

const (
	movies     = "Movies"
	tv         = "TV Shows"
	kidsMovies = "Kids Movies"
	anime      = "Anime"
)

var everyLibrary = []string{movies, tv, kidsMovies, anime}

var household = []person{
	{"alice", "home-admin", everyLibrary},                               // the owner
	{"bob", "bob-credentials", everyLibrary},                            // an admin
	{"carol", "carol-credentials", []string{movies, tv, kidsMovies}},    // family
	{"dave", "dave-credentials", []string{movies, tv, anime}},           // a friend who likes Anime
	{"mia", "mia-credentials", []string{movies, tv, kidsMovies, anime}}, // a kid who likes Anime
	{"leo", "leo-credentials", []string{movies, tv, kidsMovies}},        // a kid
	{"grace", "grace-credentials", []string{movies, tv}},                // a guest
}

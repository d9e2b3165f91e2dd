package alcovestest

import (
	"crypto/sha256"
	"sync"

	"golang.org/x/crypto/bcrypt"
)

// Under the race detector a bcrypt of even the least cost takes some hundred times as long, and a run of the suite makes
// thousands with the same few passwords. So each is done once: what is slow about passwords is not tested here.
var (
	hashes   sync.Map // of passwords
	verified sync.Map // by what is known
)

// hash is how the server stores a password.
func hash(password string) (string, error) {
	if known, there := hashes.Load(password); there {
		return known.(string), nil
	}
	hashed, err := bcrypt.GenerateFromPassword([]byte(password), bcrypt.MinCost)
	if err == nil {
		hashes.Store(password, string(hashed))
	}
	return string(hashed), err
}

// fits says whether a password has that hash.
func fits(hashed, password string) bool {
	key := sha256.Sum256([]byte(hashed + "\x00" + password))
	if known, there := verified.Load(key); there {
		return known.(bool)
	}
	fit := bcrypt.CompareHashAndPassword([]byte(hashed), []byte(password)) == nil
	verified.Store(key, fit)
	return fit
}

// Package auth makes and checks what proves who somebody is: passwords, session tokens, and the ids of things.
package auth

import (
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"strings"
)

// idAlphabet is the nanoid alphabet. Its 64 letters let six random bits pick one without bias.
const idAlphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_-"

// idLength is the length of every id (Dubby contract, section 2: nanoid strings of 21 characters).
const idLength = 21

// tokenBytes is the randomness in a session token: 256 bits.
const tokenBytes = 32

// codeBytes is the randomness in an invite's code: 160 bits.
const codeBytes = 20

// NewID returns a fresh id: 21 characters of A-Z, a-z, 0-9, "_" and "-", from the system's secure random source.
func NewID() string {
	id := make([]byte, idLength)
	// crypto/rand.Read fills the slice or ends the program; it never fails.
	_, _ = rand.Read(id)
	for i, b := range id {
		id[i] = idAlphabet[b&63]
	}
	return string(id)
}

// IsID reports whether s has the shape of an id. What has not names nothing, and need not be looked up.
func IsID(s string) bool {
	return len(s) == idLength && strings.Trim(s, idAlphabet) == ""
}

// NewToken returns a fresh session token: 256 random bits, in text that fits a header.
func NewToken() string {
	return random(tokenBytes)
}

// NewCode returns a fresh code for an invite: 160 random bits, in text that fits a link.
func NewCode() string { return random(codeBytes) }

func random(size int) string {
	raw := make([]byte, size)
	_, _ = rand.Read(raw)
	return base64.RawURLEncoding.EncodeToString(raw)
}

// CodeHash returns what is stored and shown of an invite's code: its SHA-256 in hexadecimal.
func CodeHash(code string) string {
	sum := sha256.Sum256([]byte(code))
	return hex.EncodeToString(sum[:])
}

// TokenHash returns what is stored of a token. A token has so much randomness that a plain hash is as safe as a slow
// one, and it can be looked up.
func TokenHash(token string) string {
	sum := sha256.Sum256([]byte(token))
	return base64.RawURLEncoding.EncodeToString(sum[:])
}

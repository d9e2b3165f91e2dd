package alcoves

import (
	"golang.org/x/crypto/bcrypt"

	"github.com/usher-media/usher/internal/media"
)

// OpenCheap makes drivers whose password hashes cost little.
func OpenCheap(config media.Config) (media.Driver, error) { return open(config, bcrypt.MinCost) }

// Package e2e runs the operator on a real control plane against whole media servers: those that a test starts, and
// real ones that the environment names.
package e2e

import (
	"testing"

	"github.com/usher-media/usher/internal/testenv"
)

func TestMain(m *testing.M) { testenv.Main(m) }

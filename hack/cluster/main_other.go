//go:build !linux

// Command cluster proves Usher on a real Kubernetes: `make e2e-cluster`.
package main

import (
	"fmt"
	"os"
)

func main() {
	fmt.Fprintln(os.Stderr, "cluster: a node of Kubernetes needs Linux")
	os.Exit(1)
}

// Package cli assembles the commands of kubectl-usher: their flags, help and completion. What they do is in the packages below.
package cli

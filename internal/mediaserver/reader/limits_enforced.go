//go:build linux && !race

package reader

import "syscall"

// limitMemory bounds what this process may allocate, in bytes. An allocation beyond that ends it.
func limitMemory(bytes uint64) error {
	return syscall.Setrlimit(syscall.RLIMIT_DATA, &syscall.Rlimit{Cur: bytes, Max: bytes})
}

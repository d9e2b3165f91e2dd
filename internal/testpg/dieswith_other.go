//go:build !linux

package testpg

import "syscall"

// diesWithParent has no way to do so but on Linux.
func diesWithParent(*syscall.SysProcAttr) {}

package testpg

import "syscall"

// diesWithParent has the server stopped when the test run is killed.
func diesWithParent(attributes *syscall.SysProcAttr) { attributes.Pdeathsig = syscall.SIGQUIT }

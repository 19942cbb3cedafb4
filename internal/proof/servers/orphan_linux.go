package servers

import "syscall"

// adopt makes a program end with the thread that starts it, so that it does not
// outlive tests that are killed or run out of time.
func adopt() *syscall.SysProcAttr { return &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL} }

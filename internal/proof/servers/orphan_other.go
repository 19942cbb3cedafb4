//go:build !linux

package servers

import "syscall"

// adopt does nothing where a program cannot be tied to its parent.
func adopt() *syscall.SysProcAttr { return nil }

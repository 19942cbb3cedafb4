package main

import "golang.org/x/sys/unix"

// machineMemory is the memory of the machine; 0 is unknown.
func machineMemory() int64 {
	n, err := unix.SysctlUint64("hw.memsize")
	if err != nil {
		return 0
	}
	return int64(n)
}

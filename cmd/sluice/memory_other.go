//go:build !linux && !darwin && !windows

package main

// machineMemory is unknown here.
func machineMemory() int64 { return 0 }

//go:build !unix

package main

import (
	"runtime"
	"time"
)

// cpuTime is not measured on this system.
func cpuTime() time.Duration { return 0 }

// peakMemory is what the Go runtime has taken from the system.
func peakMemory() int64 {
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return int64(m.Sys)
}
